/** Holds the list of rooms in src/README.md against what the code imports. */

import { assert, assertEquals } from "@std/assert";

const SRC = new URL("../src/", import.meta.url);

interface Source {
  /** Within src/. */
  readonly path: string;
  readonly text: string;
}

function* sourcesIn(folder: string): Generator<Source> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, SRC))) {
    if (isDirectory) yield* sourcesIn(`${folder}${name}/`);
    else if (name.endsWith(".ts")) {
      const path = `${folder}${name}`;
      yield { path, text: Deno.readTextFileSync(new URL(path, SRC)) };
    }
  }
}

const SOURCES = [...sourcesIn("./")].map(({ path, text }) => ({
  path: path.slice(2),
  text,
}));

/** The room of a file, or undefined for one beside the rooms. */
function roomOf(path: string): string | undefined {
  return path.includes("/") ? path.slice(0, path.indexOf("/")) : undefined;
}

/** What a file imports from within src/. */
function importsOf({ path, text }: Source): string[] {
  const found = text.matchAll(/(?:from|import\() ?"(\.[^"]+)"/g);
  return Array.from(
    found,
    ([, name]) => new URL(name!, new URL(path, SRC)).pathname.slice(SRC.pathname.length),
  );
}

/** Each room in the list, and the rooms that it imports from. */
function list(): Map<string, string[]> {
  const text = Deno.readTextFileSync(new URL("README.md", SRC));
  const rows = text.matchAll(/^- `([a-z]+)\/`:[^[]*\[([^\]]*)\]$/gm);
  return new Map(Array.from(rows, ([, room, names]) => [
    room!,
    names!.split(",").map((name) => name.trim()).filter((name) => name !== "none"),
  ]));
}

Deno.test("every room imports from those that src/README.md names, and no others", () => {
  const rooms = new Map<string, Set<string>>();
  for (const source of SOURCES) {
    const room = roomOf(source.path);
    if (room === undefined) continue;
    const others = rooms.get(room) ?? new Set();
    rooms.set(room, others);
    for (const path of importsOf(source)) {
      const other = roomOf(path);
      if (other !== undefined && other !== room) others.add(other);
    }
  }
  const found = Object.fromEntries(
    [...rooms].sort().map(([room, others]) => [room, [...others].sort()]),
  );
  const said = Object.fromEntries(
    [...list()].sort().map(([room, others]) => [room, others.sort()]),
  );
  assertEquals(found, said);
});

Deno.test("imports between rooms run one way", () => {
  const rooms = list();
  const reaches = (from: string, to: string, seen = new Set<string>()): boolean =>
    (rooms.get(from) ?? []).some((next) => {
      if (next === to) return true;
      if (seen.has(next)) return false;
      seen.add(next);
      return reaches(next, to, seen);
    });
  for (const room of rooms.keys()) assert(!reaches(room, room), `${room} reaches itself`);
});

Deno.test("only the rooms that may touch a runtime, or end the program, do", () => {
  const touching = (pattern: RegExp) =>
    SOURCES.filter(({ text }) => pattern.test(text.replace(/^ *(\/?\*|\/\/).*$/gm, "")))
      .map(({ path }) => path);
  for (const path of touching(/\bDeno\.|"Bun" in|bun:/)) {
    assert(path.startsWith("runtime/"), path);
  }
  for (const path of touching(/process\.exit\(|\bconsole\.(log|error|warn)\(/)) {
    assertEquals(roomOf(path), "control", path);
  }
});
