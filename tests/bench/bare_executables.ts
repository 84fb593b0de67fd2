/** Executables that do nothing, made by the tasks that make Spillway's. */

import { SPILLWAYS, type Subject } from "./subjects.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const SOURCE = new URL("peers/bare.ts", import.meta.url).pathname;

interface Maker {
  readonly runtime: string;
  readonly deno: string;
  readonly task: string;
}

/** What makes each of them; `deno compile` may need another Deno: build_programs.ts. */
const MAKERS: Readonly<Record<string, Maker>> = {
  spillway: {
    runtime: "Deno",
    deno: Deno.env.get("DENO_COMPILE") ?? Deno.execPath(),
    task: "compile",
  },
  "spillway-bun": { runtime: "Bun", deno: Deno.execPath(), task: "compile:bun" },
};

/** For each of Spillway's executables one that starts two threads, which do nothing. */
export async function makeBareExecutables(
  folder: string,
): Promise<ReadonlyMap<string, Subject>> {
  const script = `${folder}/bare.js`;
  await deno(Deno.execPath(), ["bundle", "--quiet", "--minify", "-o", script, SOURCE]);
  const { tasks } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  const made = new Map<string, Subject>();
  for (const { name } of SPILLWAYS) {
    const maker = MAKERS[name]!;
    const path = `${folder}/bare-${name}`;
    const command = [
      ["deno task chunks && ", ""],
      [`dist/${name} `, `${path} `],
      ["dist/chunks/main.js", script],
    ].reduce((task, [from, to]) => instead(task, from!, to!), `${tasks[maker.task]}`);
    await deno(maker.deno, ["task", "--quiet", "--eval", command]);
    const bare = `bare ${maker.runtime}`;
    made.set(name, { name: bare, command: [path], version: undefined });
  }
  return made;
}

function instead(task: string, from: string, to: string): string {
  if (!task.includes(from)) throw new Error(`the task has no "${from}": ${task}`);
  return task.replace(from, to);
}

async function deno(program: string, args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, {
    args,
    cwd: ROOT,
    stdout: "null",
    stderr: "piped",
  }).output();
  if (success) return;
  throw new Error(`${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}
