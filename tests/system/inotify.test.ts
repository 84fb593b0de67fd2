import { assertEquals } from "@std/assert";
import { namesIn } from "../../src/system/folders.ts";
import { IN_CREATE, IN_DELETE, Inotify } from "../../src/system/inotify.ts";
import { inFolder } from "../end_to_end/run.ts";

Deno.test("names are told as they come and go, those of any length, and with their folder", () =>
  inFolder(async (folder) => {
    const inotify = new Inotify();
    const [one, other] = ["one", "other"].map((name) => `${folder}/${name}`);
    await Promise.all([one!, other!].map((path) => Deno.mkdir(path)));
    const watches = [one!, other!].map((path) =>
      inotify.add(path, IN_CREATE | IN_DELETE)
    );
    const long = "n".repeat(255);
    await Deno.writeTextFile(`${one}/a`, "");
    await Deno.writeTextFile(`${other}/${long}`, "");
    await Deno.remove(`${one}/a`);
    const seen: [number, number, string][] = [];
    const take = () =>
      inotify.take({
        onEvent: (watch, mask, name) => seen.push([watch, mask, name]),
        onOverflow: () => seen.push([-1, -1, ""]),
      });
    assertEquals(take(), 0);
    assertEquals(seen, [
      [watches[0]!, IN_CREATE, "a"],
      [watches[1]!, IN_CREATE, long],
      [watches[0]!, IN_DELETE, "a"],
    ]);
    assertEquals(take(), 0);
    assertEquals(seen.length, 3, "nothing is told twice");
    inotify.close();
  }));

Deno.test("all names of a folder are found, also where one read does not hold them", () =>
  inFolder(async (folder) => {
    const names = Array.from(
      { length: 1000 },
      (_, index) => `${index}-`.padEnd(200, "x"),
    );
    for (const name of names) Deno.writeTextFileSync(`${folder}/${name}`, "");
    assertEquals((namesIn(folder) as string[]).sort(), names.sort());
    await Promise.resolve();
  }));
