/**
 * `--keep` on a disk when the machine fails: the next run finds each page of a file as it
 * was at some moment before.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { isInMemory } from "../../src/system/file_system.ts";
import { mkfifo } from "../../src/system/names.ts";
import { Random } from "../faults/random.ts";
import { CAN_MOUNT_IMAGES, onImage } from "./disk_image.ts";
import { checkNumberedLines, numberedLines, type Seen } from "./numbered_lines.ts";
import { EXECUTABLES, testPrograms } from "./programs.ts";
import { type Finished, inFolder, run, type Running, start, summaryIn } from "./run.ts";

const NEEDS = {
  programs: EXECUTABLES,
  ignore: isInMemory("/tmp"),
  why: "a /tmp on a disk",
};

const PAGE_BYTES = 4096;
const HEADER_PAGES = 16;
/** It takes nothing, and is not there at the next start. */
const NOBODY = ["--output", "tcp://127.0.0.1:9"];
const LINE_BYTES = 100;

function onlyFileIn(folder: string): string {
  const names = Array.from(Deno.readDirSync(folder), ({ name }) => name);
  assertEquals(names.length, 1, names.join());
  return names[0]!;
}

function namesIn(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
}

async function kill(spillway: Running): Promise<void> {
  Deno.kill(spillway.pid, "SIGKILL");
  assertEquals(await spillway.code, 128 + 9);
}

/** As if the machine had been restarted since. */
function ofAnotherBoot(file: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const header = new TextDecoder("latin1").decode(file.subarray(0, PAGE_BYTES));
  const boot = header.indexOf('"boot":"') + '"boot":"'.length;
  const changed = new Uint8Array(file);
  changed[boot] = changed[boot] === 48 ? 49 : 48;
  return changed;
}

/** Each page of one of the versions, or blank. */
function mixedPages(
  versions: readonly Uint8Array<ArrayBuffer>[],
  random: Random,
): Uint8Array<ArrayBuffer> {
  const mixed = new Uint8Array(versions[0]!);
  for (let at = HEADER_PAGES * PAGE_BYTES; at < mixed.length; at += PAGE_BYTES) {
    const isBlank = random.next() < 0.02;
    if (isBlank) mixed.fill(0, at, at + PAGE_BYTES);
    else mixed.set(random.oneOf(versions).subarray(at, at + PAGE_BYTES), at);
  }
  return mixed;
}

function assertTold({ stdout, stderr, code }: Finished): Seen {
  assertEquals(code, 0, stderr);
  const told = checkNumberedLines(stdout);
  const summary = summaryIn(stderr);
  assertEquals([summary.lines_recovered, summary.lines_out], [told.lines, told.lines]);
  assertEquals(summary.bytes_recovered, LINE_BYTES * told.lines);
  assertEquals(summary.lines_damaged, told.lostLines);
  assertEquals(summary.bytes_damaged, told.lostBytes);
  assertEquals([summary.lines_overwritten, summary.lines_dropped], [0, 0]);
  assertMatch(
    stderr,
    new RegExp(
      `the machine was restarted while .*: ${told.lines} lines \\(\\S+ \\S+\\) in it are sound`,
    ),
  );
  assert(told.lostLines === 0 || stderr.includes(`; ${told.lostLines} line`), stderr);
  return told;
}

testPrograms(
  "what a disk has whole after a power cut comes out, and what is missing is said",
  async (program) => {
    await inFolder(async (folder) => {
      const kept = `${folder}/kept`;
      const args = [
        "--keep",
        kept,
        ...NOBODY,
        "--capacity",
        "128KiB",
        "--report",
        "json",
      ];
      const spillway = start(program, args);
      const versions: Uint8Array<ArrayBuffer>[] = [];
      // Three times round the ring.
      for (let lines = 0; lines < 4000; lines += 400) {
        await spillway.write(numberedLines(lines, 400));
        await spillway.counted("them", ({ lines_in }) => lines_in === lines + 400);
        versions.push(Deno.readFileSync(`${kept}/${onlyFileIn(kept)}`));
      }
      await kill(spillway);
      const name = onlyFileIn(kept);
      let missing = 0;
      for (let seed = 1; seed <= 3; seed++) {
        const damaged = ofAnotherBoot(mixedPages(versions, new Random(seed)));
        Deno.writeFileSync(`${kept}/${name}`, damaged);
        const keep = ["--keep", kept, "--report", "json"];
        const next = await run(program, keep);
        const told = assertTold(next);
        assert(told.lines > 0);
        missing += told.lostLines;
        assertEquals(namesIn(kept), [`${name}.damaged`]);
        assertEquals(Deno.readFileSync(`${kept}/${name}.damaged`), damaged);
        const recover = ["--recover", `${kept}/${name}.damaged`, "--report", "json"];
        const looked = await run(program, recover);
        assertEquals(assertTold(looked), told);
        Deno.removeSync(`${kept}/${name}.damaged`);
      }
      assert(missing > 0, "there was nothing to tell");
    });
  },
  NEEDS,
);

testPrograms(
  "what is missing after a power cut is a loss, and is not forgotten by a run that is killed",
  async (program) => {
    await inFolder(async (folder) => {
      const kept = `${folder}/kept`;
      const args = ["--keep", kept, "--report", "json"];
      const first = start(program, [...args, ...NOBODY]);
      for (const from of [0, 500]) {
        await first.write(numberedLines(from, 500));
        await first.counted("them", ({ lines_in }) => lines_in === from + 500);
      }
      await kill(first);
      const name = onlyFileIn(kept);
      const file = Deno.readFileSync(`${kept}/${name}`);
      // In the middle of the first frames.
      const at = new TextDecoder("latin1").decode(file).lastIndexOf(
        numberedLines(300, 1),
      );
      file.fill(0, at, at + 1);
      Deno.writeFileSync(`${kept}/${name}`, ofAnotherBoot(file));
      const second = start(program, [...args, ...NOBODY]);
      await second.counted("it", ({ lines_damaged }) => Number(lines_damaged) > 0);
      await kill(second);
      const third = await run(program, [...args, "--fail-on-loss", "--metrics", "0"]);
      assertEquals(third.code, 3, third.stderr);
      const told = checkNumberedLines(third.stdout);
      assertEquals(told.lines + told.lostLines, 1000);
      assert(told.lostLines > 0);
      const summary = summaryIn(third.stderr);
      assertEquals(summary.lines_damaged, told.lostLines);
      assertEquals(summary.lines_recovered, told.lines);
      const { max_repeated_bytes } = third.stderr.split("\n")
        .filter((line) => line.includes('"recovered"')).map((line) =>
          JSON.parse(line)
        )[0];
      assertEquals(max_repeated_bytes, LINE_BYTES * told.lines);
      assertEquals(namesIn(kept), [`${name}.damaged`]);
    });
  },
  NEEDS,
);

testPrograms(
  "what was kept at a stop is all there after a restart of the machine",
  async (program) => {
    await inFolder(async (folder) => {
      const [kept, fifo] = [`${folder}/kept`, `${folder}/fifo`];
      mkfifo(fifo, 0o600);
      using writer = await Deno.open(fifo, { read: true, write: true });
      const args = ["--fifo", fifo, "--keep", kept, "--report", "json"];
      const first = start(program, [...args, ...NOBODY, "--drain-timeout", "0s"]);
      await writer.write(new TextEncoder().encode(`${numberedLines(0, 100)}and a h`));
      await first.counted("all", ({ bytes_in }) => bytes_in === 100 * LINE_BYTES + 7);
      await first.kill("SIGTERM");
      assertEquals(await first.code, 0, await first.stderr);
      const name = onlyFileIn(kept);
      const path = `${kept}/${name}`;
      Deno.writeFileSync(path, ofAnotherBoot(Deno.readFileSync(path)));
      const second = start(program, [...args, "--output", `${folder}/log`]);
      await writer.write(new TextEncoder().encode("alf\n"));
      await second.counted("all", ({ lines_out }) => lines_out === 101);
      await second.kill("SIGTERM");
      assertEquals(await second.code, 0);
      const log = Deno.readTextFileSync(`${folder}/log`);
      assertEquals(log, `${numberedLines(0, 100)}and a half\n`);
      assertEquals(namesIn(kept), []);
      assert(!(await second.stderr).includes("the machine was restarted"));
    });
  },
  NEEDS,
);

testPrograms(
  "a file that is blank, or cannot be checked, is set aside under a name of its own",
  async (program) => {
    await inFolder(async (folder) => {
      const kept = `${folder}/kept`;
      Deno.mkdirSync(kept, { mode: 0o700 });
      const memory = await Deno.makeTempDir({
        dir: "/dev/shm",
        prefix: "spillway-test-",
      });
      try {
        const inMemory = start(program, [
          "--keep",
          memory,
          ...NOBODY,
          "--report",
          "json",
        ]);
        await inMemory.write(numberedLines(0, 10));
        await inMemory.counted("them", ({ lines_in }) => lines_in === 10);
        await kill(inMemory);
        const name = onlyFileIn(memory);
        const file = ofAnotherBoot(Deno.readFileSync(`${memory}/${name}`));
        Deno.writeFileSync(`${kept}/${name}`, file);
        const args = ["--keep", kept, "--report", "json"];
        const unchecked = await run(program, args, "goes on\n");
        assertEquals(unchecked.code, 0, unchecked.stderr);
        assertEquals(new TextDecoder().decode(unchecked.stdout), "goes on\n");
        assertMatch(unchecked.stderr, /nothing in it can be checked; it is now/);
        Deno.writeFileSync(`${kept}/${name}`, new Uint8Array(file.length));
        const blank = await run(program, args, "goes on\n");
        assertEquals(blank.code, 0, blank.stderr);
        assertMatch(blank.stderr, /and it is blank; it is now .*\.damaged\.2/);
        assertEquals(namesIn(kept), [`${name}.damaged`, `${name}.damaged.2`]);
        assertEquals(Deno.readFileSync(`${kept}/${name}.damaged`), file);
        const looked = await run(program, ["--recover", `${kept}/${name}.damaged.2`]);
        assertEquals(looked.code, 1);
        assertMatch(looked.stderr, /it is blank/);
      } finally {
        await Deno.remove(memory, { recursive: true });
      }
    });
  },
  NEEDS,
);

testPrograms(
  "what was written to a disk that loses its power comes out",
  async (program) => {
    await inFolder((folder) =>
      onImage(folder, async (disk, image) => {
        const args = ["--capacity", "1MiB", ...NOBODY, "--report", "json"];
        const spillway = start(program, [...args, "--keep", `${disk}/kept`]);
        await spillway.write(numberedLines(0, 3000));
        await spillway.counted("them", ({ lines_in }) => lines_in === 3000);
        await image.sync();
        await spillway.write(numberedLines(3000, 3000));
        await spillway.counted("them", ({ lines_in }) => lines_in === 6000);
        await image.cut(async (after) => {
          const path = `${after}/kept/${onlyFileIn(`${after}/kept`)}`;
          Deno.writeFileSync(path, ofAnotherBoot(Deno.readFileSync(path)));
          const keep = ["--keep", `${after}/kept`, "--report", "json"];
          const told = assertTold(await run(program, keep));
          assert(told.lines >= 3000, `${told.lines} lines`);
        });
        await kill(spillway);
      })
    );
  },
  { programs: EXECUTABLES, ignore: !CAN_MOUNT_IMAGES, why: "root and loop devices" },
);
