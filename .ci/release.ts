/**
 * Makes what a release consists of, into dist/release/: an executable for each
 * platform and runtime, the bundle that Deno and Bun run, the list of what is inside
 * them (CycloneDX), and the checksums of all of it; beside that folder, the notes.
 *
 *   deno task release                    all of it
 *   deno task release aarch64-musl-bun   only the executables that are named
 */

import { createHash } from "node:crypto";
import { VERSION } from "../src/cli/about.ts";
import { EXECUTABLES } from "./executables.ts";
import { inventory } from "./inventory.ts";

type Executable = typeof EXECUTABLES[number];

const FOLDER = "dist/release";
const NOTES = "dist/release-notes.md";

async function release(platforms: readonly string[]): Promise<void> {
  await Deno.remove(FOLDER, { recursive: true }).catch(() => {});
  await Deno.mkdir(FOLDER, { recursive: true });
  const executables = chosen(platforms);
  for (const executable of executables) await compile(executable);
  await deno(["task", "--quiet", "bundle"]);
  await Deno.copyFile("dist/spillway.js", `${FOLDER}/spillway-${VERSION}.js`);

  const files = await checksums();
  const graph = JSON.parse(await deno(["info", "--json", "main.ts"]));
  const list = inventory(VERSION, files, graph, JSON.parse(await read("deno.lock")), {
    deno: Deno.version.deno,
    bun: /\bbun@([\d.]+)/.exec(await read("deno.json"))![1]!,
  });
  const listName = `spillway-${VERSION}.cdx.json`;
  await Deno.writeTextFile(`${FOLDER}/${listName}`, `${JSON.stringify(list, null, 2)}\n`);
  const sums = Object.entries(await checksums()).map(([name, sum]) =>
    `${sum}  ${name}\n`
  );
  await Deno.writeTextFile(`${FOLDER}/SHA256SUMS`, sums.join(""));
  await Deno.writeTextFile(NOTES, notesOf(VERSION, await read(".github/CHANGELOG.md")));
}

function chosen(platforms: readonly string[]): readonly Executable[] {
  if (platforms.length === 0) return EXECUTABLES;
  return platforms.map((name) => {
    const found = EXECUTABLES.find(({ platform }) => platform === name);
    if (found !== undefined) return found;
    const known = EXECUTABLES.map(({ platform }) => platform).join(", ");
    throw new Error(`there is no executable for ${name}, only for ${known}`);
  });
}

/** As the tasks do it that make the executables which are tested. */
async function compile({ platform, target }: Executable): Promise<void> {
  const file = `${FOLDER}/spillway-${VERSION}-linux-${platform}`;
  if (platform.endsWith("-bun")) {
    await deno(["task", "--quiet", "compile:bun", "--target", target, "--outfile", file]);
    return;
  }
  // Options of `deno compile` have to come before the program.
  const { compile } = JSON.parse(await read("deno.json")).tasks;
  const output = "--output dist/spillway ";
  if (!compile.includes(output)) throw new Error(`the task compile has no ${output}`);
  const options = `--target ${target} --output ${file} `;
  await deno(["task", "--quiet", "--eval", compile.replace(output, options)]);
}

/** By the names of the files that are there now. */
async function checksums(): Promise<Record<string, string>> {
  const names = [...Deno.readDirSync(FOLDER)].map(({ name }) => name).sort();
  const sums: Record<string, string> = {};
  for (const name of names) {
    const bytes = await Deno.readFile(`${FOLDER}/${name}`);
    sums[name] = createHash("sha256").update(bytes).digest("hex");
  }
  return sums;
}

/** What the changes of this version are. @throws Error when nothing is said of it. */
function notesOf(version: string, changelog: string): string {
  const section = changelog.split(/^## /m).find((part) =>
    part.startsWith(`${version}\n`)
  );
  if (section === undefined) throw new Error(`the changelog has no section ${version}`);
  return section.slice(version.length).trim() + "\n";
}

function read(path: string): Promise<string> {
  return Deno.readTextFile(path);
}

async function deno(args: readonly string[]): Promise<string> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    stdout: "piped",
    stderr: "inherit",
  }).output();
  const text = new TextDecoder().decode(stdout);
  if (!success) throw new Error(`deno ${args.join(" ")} has failed: ${text}`);
  return text;
}

Deno.chdir(new URL("../", import.meta.url));
await release(Deno.args);
