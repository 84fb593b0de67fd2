import { assert, assertEquals } from "@std/assert";
import { FLAGS } from "../../src/cli/flags.ts";
import { FORMAT_NAMES } from "../../src/formats/formats.ts";
import { DESTINATION_HELP } from "../../src/output/sinks.ts";
import { DOCUMENTS, MANUAL, README as readme } from "./documents.ts";

const MAX_LINES = 300;
const MAX_COLUMNS = 100;
const ROOT = new URL("../../", import.meta.url);

Deno.test("the README's table of flags has every flag, and no other", () => {
  const rows = readme.split("\n").filter((line) => /^\| `--?\w/.test(line));
  const named = rows.flatMap((row) => [...row.split("|")[1]!.matchAll(/--([a-z-]+)/g)]);
  assertEquals(
    named.map(([, name]) => name).sort(),
    FLAGS.map(({ name }) => name).sort(),
  );
});

Deno.test("the README names the defaults that the help names", () => {
  for (const flag of FLAGS) {
    const row = readme.split("\n").find((line) => line.startsWith(`| \`--${flag.name}`));
    const standard = flag.default?.split(",")[0];
    if (row === undefined || standard === undefined) continue;
    assert(row.includes(standard), `${row} does not name ${standard}`);
  }
});

Deno.test("the README runs the bundle with the permissions that the executable has", async () => {
  const config = new URL("../../deno.json", import.meta.url);
  const { tasks } = JSON.parse(await Deno.readTextFile(config));
  const permissionsIn = (command: string) =>
    [...command.matchAll(/--allow-(?!read)\S+/g)].map(([flag]) => flag).sort();
  const command = /deno run --allow.*?\\\n.*/.exec(MANUAL)![0];
  assertEquals(permissionsIn(command), permissionsIn(tasks.compile));
});

Deno.test("the README is short, and no document has a wide table", () => {
  assert(readme.trimEnd().split("\n").length <= MAX_LINES);
  for (const [path, text] of DOCUMENTS) {
    const rows = text.split("\n").filter((line) => line.startsWith("|"));
    for (const row of rows) assert(row.length <= MAX_COLUMNS, `${path}: ${row}`);
  }
});

Deno.test("every link in a document leads to a file or heading that there is", async () => {
  for (const [path, text] of DOCUMENTS) {
    for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https:/.test(target!)) continue;
      const [file, heading] = target!.split("#") as [string, string?];
      const url = new URL(file === "" ? path : `./${file}`, new URL(path, ROOT));
      const linked = await Deno.readTextFile(file === "" ? new URL(path, ROOT) : url)
        .catch((error) => {
          throw new Error(`${path} links to ${target}: ${error.message}`);
        });
      if (heading === undefined) continue;
      assert(headingsIn(linked).includes(heading), `${path}: ${target}`);
    }
  }
});

/** As GitHub calls them in links. */
function headingsIn(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
    title!.toLowerCase().replaceAll(/[^\p{L}\p{N} -]/gu, "").replaceAll(" ", "-")
  );
}

/** The first cells of the table below a heading, without their code marks. */
function firstCells(heading: string): string[] {
  const section = readme.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("| `"));
  return rows.flatMap((row) => row.split("|")[1]!.match(/`[^`]+`/g) ?? [])
    .map((cell) => cell.slice(1, -1));
}

Deno.test("the README's table of formats has every format, and no other", () => {
  assertEquals(firstCells("Formats").sort(), [...FORMAT_NAMES].sort());
});

Deno.test("the README's table of destinations has those that the help names", () => {
  const schemes = (text: string) =>
    [...text.matchAll(/\b[a-z+]+:(?=\/\/|[A-Z/])/g)].map(([scheme]) => scheme);
  const said = new Set(
    schemes(firstCells("Destinations").join(" ").replaceAll("…", "H")),
  );
  for (const scheme of schemes(DESTINATION_HELP)) {
    assert(said.has(scheme), `the README does not name ${scheme}`);
  }
  for (const scheme of said) {
    assert(DESTINATION_HELP.includes(scheme), `the help does not name ${scheme}`);
  }
});
