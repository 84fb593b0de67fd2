import { assert, assertEquals } from "@std/assert";
import { FLAGS } from "../../src/cli/flags.ts";

const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));

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
  const command = /deno run --allow.*?\\\n.*/.exec(readme)![0];
  assertEquals(permissionsIn(command), permissionsIn(tasks.compile));
});
