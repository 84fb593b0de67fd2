import { assertEquals } from "@std/assert";
import { inFolder } from "../end_to_end/run.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

/** What a thread has to parse before it begins; the rest is loaded when it is needed. */
const ROOMS = [
  { part: "main", rooms: ["runtime"] },
  {
    part: "reader_thread",
    rooms: ["control", "input", "kernels", "lane", "runtime", "system", "threads"],
  },
  {
    part: "compressor_thread",
    rooms: ["control", "output", "runtime", "system", "threads"],
  },
];

Deno.test("each thread loads only the rooms that it works in", () =>
  inFolder(async (folder) => {
    await bundleInto(folder);
    for (const { part, rooms } of ROOMS) {
      assertEquals(roomsIn(loadedWith(folder, part)), rooms, part);
    }
  }));

/** As the tasks make what is compiled, but with the names of the files. */
async function bundleInto(folder: string): Promise<void> {
  const args = ["bundle", "--quiet", "--code-splitting", "--outdir", folder, MAIN];
  const { success } = await new Deno.Command(Deno.execPath(), { args }).output();
  assertEquals(success, true);
}

/** The text of a chunk and of all that it imports, but not of what it loads later. */
function loadedWith(folder: string, part: string): string {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
  const entry = names.find((name) => /^\w+/.exec(name)?.[0] === part);
  if (entry === undefined) throw new Error(`no chunk is made of ${part}`);
  const loaded = new Set([entry]);
  let text = "";
  for (const name of loaded) {
    const chunk = Deno.readTextFileSync(`${folder}/${name}`);
    for (const [, imported] of chunk.matchAll(/(?:from|^import) "\.\/(.+)";$/gm)) {
      loaded.add(imported!);
    }
    text += chunk;
  }
  return text;
}

/** The folders of src/ that have a file in the text; the bundler names each file. */
function roomsIn(text: string): string[] {
  const files = text.matchAll(/^\/\/ .*\bsrc\/(\w+)\//gm);
  return [...new Set([...files].map(([, room]) => room!))].sort();
}

Deno.test("client libraries are loaded when they are used, and by no thread at its start", () =>
  inFolder(async (folder) => {
    await bundleInto(folder);
    const parts = ["main", "reader_thread", "output_thread", "compressor_thread"];
    for (const part of parts) {
      assertEquals(loadedWith(folder, part).includes("@nats-io/"), false, part);
    }
    assertEquals(loadedWith(folder, "nats_client").includes("@nats-io/"), true);
  }));
