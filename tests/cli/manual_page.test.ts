import { assert, assertEquals } from "@std/assert";
import { EXAMPLES } from "../../src/cli/about.ts";
import { FLAGS, headOf } from "../../src/cli/flags.ts";
import { manualPage } from "../../src/cli/manual_page.ts";
import { needing } from "../end_to_end/installed.ts";
import { inFolder } from "../end_to_end/run.ts";

/** The page as `man` shows it, and what it says of it on standard error. */
async function shown(locale: string): Promise<{ text: string; warnings: string }> {
  let outcome = { text: "", warnings: "" };
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/spillway.1`, manualPage());
    const { stdout, stderr } = await new Deno.Command("man", {
      args: ["--warnings=w", "-l", `${folder}/spillway.1`],
      env: { LC_ALL: locale, MANWIDTH: "80", MANROFFOPT: "-ww" },
    }).output();
    const decoder = new TextDecoder();
    outcome = { text: decoder.decode(stdout), warnings: decoder.decode(stderr) };
  });
  return outcome;
}

for (const locale of ["C", "C.UTF-8"]) {
  Deno.test({
    ...needing(`man shows the whole page without warnings (${locale})`, "man", "man-db"),
    fn: async () => {
      const { text, warnings } = await shown(locale);
      assertEquals(warnings, "");
      for (const line of text.split("\n")) assert(line.length <= 80, line);
      const words = text.replaceAll(/\s+/g, " ");
      for (const flag of FLAGS) {
        assert(text.includes(`\n       ${headOf(flag)}`), flag.name);
        const sentence = flag.help.replaceAll("…", "...").replaceAll("×", "x");
        assert(words.includes(sentence), flag.help);
      }
      for (const { command } of EXAMPLES) assert(text.includes(command), command);
    },
  });
}
