/** Keys are typed into real shells that have read the scripts. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { completionScript, type Shell, SHELLS } from "../../src/cli/completions.ts";
import { type Flag, FLAGS } from "../../src/cli/flags.ts";
import { needing } from "./installed.ts";
import { testExecutables } from "./programs.ts";
import { inFolder, run } from "./run.ts";
import { Terminal } from "./terminal.ts";

const ALL: readonly Flag[] = FLAGS;

/** How each shell is started so that it reads `rc` in the folder, and nothing else. */
const INTERACTIVE = {
  bash: { rc: "bashrc", before: "PS1='$ '", command: "bash --rcfile bashrc -i" },
  zsh: {
    rc: ".zshrc",
    before: "PS1='$ '; autoload -U compinit; compinit -u -D",
    command: "ZDOTDIR=. zsh -d -i",
  },
};

/** What is typed before the tabulator, and what it becomes. */
const TYPED: readonly (readonly [string, string])[] = [
  ["spillway --capa", "spillway --capacity"],
  ["spillway --when-full d", "spillway --when-full drop-newest"],
  ["spillway --when-full=ov", "spillway --when-full=overwrite"],
  ["spillway --once --output her", "spillway --once --output here.log"],
  ["spillway --fifo=her", "spillway --fifo=here.log"],
  ["spillway --completions z", "spillway --completions zsh"],
  ["spillway --once -- mkfif", "spillway --once -- mkfifo"],
  ["spillway -- cat her", "spillway -- cat here.log"],
];

for (const shell of ["bash", "zsh"] as const) {
  Deno.test({
    ...needingBoth(`${shell} completes flags, words and paths`, shell),
    fn: () =>
      inShell(shell, async (terminal) => {
        for (const [typed, completed] of TYPED) {
          await terminal.type(typed, "Tab");
          await terminal.shows(new RegExp(`^\\$ ${RegExp.escape(completed)}`, "m"));
          await terminal.type("C-u", "C-l");
          await terminal.shows(/^\$$/);
        }
        await terminal.type("spillway --", "Tab", "Tab");
        const last = ALL.at(-1)!.name;
        const screen = await terminal.shows(new RegExp(`--${last}\\b`));
        for (const { name } of ALL) assert(screen.includes(`--${name}`), name);
      }),
  });
}

function needingBoth(name: string, shell: string): { name: string; ignore: boolean } {
  const terminal = needing(name, "tmux", "tmux");
  return terminal.ignore ? terminal : needing(name, shell, shell);
}

/** In a folder that holds a file called here.log. */
function inShell(
  shell: keyof typeof INTERACTIVE,
  test: (terminal: Terminal) => Promise<void>,
): Promise<void> {
  const { rc, before, command } = INTERACTIVE[shell];
  return inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/here.log`, "");
    await Deno.writeTextFile(`${folder}/${rc}`, `${before}\n${completionScript(shell)}`);
    await Deno.mkdir(`${folder}/tmux`);
    const script = `cd ${folder}; exec env -u TMUX ${command}`;
    const terminal = await Terminal.open(`${folder}/tmux`, script, 120, 60);
    try {
      await terminal.shows(/^\$$/);
      await test(terminal);
    } finally {
      await terminal.close();
    }
  });
}

Deno.test({
  ...needing("fish completes flags, words and paths", "fish", "fish"),
  fn: () =>
    inFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/here.log`, "");
      await Deno.writeTextFile(`${folder}/spillway.fish`, completionScript("fish"));
      const complete = async (typed: string): Promise<string[]> => {
        const { stdout, stderr } = await new Deno.Command("fish", {
          args: ["--no-config", "-c", `source spillway.fish; complete -C '${typed}'`],
          cwd: folder,
          env: { HOME: folder },
        }).output();
        assertEquals(new TextDecoder().decode(stderr), "");
        const lines = new TextDecoder().decode(stdout).trim().split("\n");
        return lines.map((line) => line.split("\t")[0]!);
      };
      for (const [typed, completed] of TYPED) {
        const word = completed.split(" ").at(-1)!;
        assertEquals(await complete(typed), [word], typed);
      }
      const flags = await complete("spillway --");
      assertEquals(flags.toSorted(), ALL.map(({ name }) => `--${name}`).toSorted());
    }),
});

Deno.test("the table of flags names every shell that has a script", () => {
  assertEquals(ALL.find(({ name }) => name === "completions")?.values, SHELLS);
});

testExecutables("prints completions and the manual page", async (program) => {
  const decoder = new TextDecoder();
  for (const shell of SHELLS satisfies readonly Shell[]) {
    const { code, stdout, stderr } = await run(program, ["--completions", shell]);
    assertEquals([code, stderr], [0, ""]);
    assertEquals(decoder.decode(stdout), completionScript(shell));
  }
  const unknown = await run(program, ["--completions", "tcsh"]);
  assertEquals(unknown.code, 2);
  assertStringIncludes(unknown.stderr, '"tcsh" is not one of bash, zsh, fish');
  const { code, stdout } = await run(program, ["--man"]);
  assertEquals(code, 0);
  assertStringIncludes(decoder.decode(stdout), ".TH SPILLWAY 1 ");
});
