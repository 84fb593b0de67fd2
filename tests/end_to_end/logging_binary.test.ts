import { assert, assertEquals, assertMatch } from "@std/assert";
import { checkConservation } from "./numbered_lines.ts";
import { EXECUTABLES } from "./programs.ts";
import { inFolder, reportsIn, start, until } from "./run.ts";
import { Shim } from "./shim.ts";

const encoder = new TextEncoder();

function testShim(
  name: string,
  args: (folder: string) => readonly string[],
  test: (shim: Shim, folder: string) => Promise<void>,
  programs = EXECUTABLES,
): void {
  for (const program of programs) {
    Deno.test({
      name: `${program.name}: ${name}`,
      ignore: program.missing,
      fn: () =>
        inFolder(async (folder) => {
          await test(await Shim.start(program, folder, args(folder)), folder);
        }),
    });
  }
}

async function write(stream: Deno.FsFile, text: string): Promise<void> {
  const bytes = encoder.encode(text);
  for (let at = 0; at < bytes.length;) at += await stream.write(bytes.subarray(at));
}

/** Writes and closes both, as the end of a container does. */
async function end(shim: Shim, out = "", err = ""): Promise<void> {
  await Promise.all([write(shim.stdout, out), write(shim.stderr, err)]);
  shim.stdout.close();
  shim.stderr.close();
}

const toFile = (folder: string) => [
  ...["--no-markers", "", "--report", "json", "--containerd", ""],
  ...["--format", "cri", "--output", `${folder}/of-{namespace}/{id}.cri`],
];

testShim("writes both streams, and says whose they are", toFile, async (shim, folder) => {
  assertEquals(await shim.ready, new Uint8Array(1), "one byte says ready");
  await end(shim, "one\ntwo", "three\n");
  assertEquals(await shim.code, 0);
  const log = await Deno.readTextFile(`${folder}/of-shop/web-1.cri`);
  const records = log.split("\n").slice(0, -1).map((line) => line.split(" ").slice(1));
  assertEquals(records.sort(), [
    ["stderr", "F", "three"],
    ["stdout", "F", "one"],
    ["stdout", "P", "two"],
  ]);
  const summary = reportsIn(await shim.logged()).at(-1)!;
  assertEquals(
    [summary.event, summary.container_id, summary.container_namespace, summary.lines_in],
    ["summary", "web-1", "shop", 3],
  );
  checkConservation(summary);
});

testShim("goes on with the other stream when one ends", toFile, async (shim) => {
  await shim.ready;
  await write(shim.stdout, "one\n");
  shim.stdout.close();
  await until("the end of the first to be read", () => !shim.hasOpen(3));
  await write(shim.stderr, "two\n");
  shim.stderr.close();
  assertEquals(await shim.code, 0);
  const summary = reportsIn(await shim.logged()).at(-1)!;
  assertEquals(summary.inputs?.map(({ lines_out }) => lines_out), [1, 1]);
});

/** In memory, as the folder of `--keep` should be. */
function memoryOf(folder: string): string {
  return `/dev/shm/${folder.split("/").at(-1)}`;
}

const toNobody = (folder: string) => {
  Deno.mkdirSync(memoryOf(folder));
  return [
    ...["--report", "json", "--containerd", "", "--keep", `${memoryOf(folder)}/{id}`],
    ...["--output", `fifo:${folder}/nobody`, "--format", "cri"],
  ];
};

for (const program of EXECUTABLES) {
  testShim(
    "keeps what it had read for the next logging binary of the same container",
    toNobody,
    async (shim, folder) => {
      const kept = `${memoryOf(folder)}/web-1`;
      try {
        await shim.ready;
        await Promise.all([write(shim.stdout, "out\n"), write(shim.stderr, "err\n")]);
        await until("both lines in the files", () => {
          const files = Array.from(Deno.readDirSync(kept), ({ name }) => name);
          const texts = files.map((name) => Deno.readTextFileSync(`${kept}/${name}`));
          return ["out\n", "err\n"].every((line) => texts.join().includes(line));
        });
        shim.kill("SIGKILL");
        assertEquals(await shim.code, 128 + 9);
        await shim.logged();
        shim.stdout.close();
        shim.stderr.close();
        const args = ["--report", "json", "--containerd", "", "--format", "cri"];
        const next = await Shim.start(program, `${folder}/next`, [
          ...[...args, "--keep", `${memoryOf(folder)}/{id}`, "--output", `${folder}/log`],
        ]);
        await next.ready;
        await end(next, "goes on\n");
        assertEquals(await next.code, 0);
        await next.logged();
        const log = await Deno.readTextFile(`${folder}/log`);
        const records = log.split("\n").slice(0, -1)
          .map((line) => line.split(" ").slice(1).join(" "));
        assertEquals(records.filter((record) => record.startsWith("stdout")), [
          "stdout F out",
          "stdout F goes on",
        ]);
        assertEquals(records.filter((record) => record.startsWith("stderr")), [
          "stderr F err",
        ]);
        assertEquals(Array.from(Deno.readDirSync(kept)), []);
      } finally {
        await Deno.remove(memoryOf(folder), { recursive: true });
      }
    },
    [program],
  );
}

testShim(
  "makes folders that are named after the container",
  toFile,
  async (shim, folder) => {
    await shim.ready;
    const { mode } = await Deno.stat(`${folder}/of-shop`);
    assertEquals((mode ?? 0) & 0o777, 0o750 & ~Deno.umask());
    await end(shim);
    assertEquals(await shim.code, 0);
  },
);

testShim(
  "reads on at SIGTERM what was written before it",
  toFile,
  async (shim, folder) => {
    await shim.ready;
    await Promise.all([write(shim.stdout, "out\n"), write(shim.stderr, "err\n")]);
    // The shim still has the streams open when it asks its logging binary to end.
    shim.kill("SIGTERM");
    assertEquals(await shim.code, 0);
    const log = await Deno.readTextFile(`${folder}/of-shop/web-1.cri`);
    assertEquals(log.split("\n").length, 3);
    await shim.logged();
    shim.stdout.close();
    shim.stderr.close();
  },
);

testShim("ends with standard output where that is all there is", toFile, async (shim) => {
  // With a terminal nothing but that comes, and standard error ends at once.
  await shim.ready;
  shim.stderr.close();
  await write(shim.stdout, "prompt");
  shim.stdout.close();
  assertEquals(await shim.code, 0);
  const summary = reportsIn(await shim.logged()).at(-1)!;
  assertEquals(summary.inputs?.map(({ lines_out }) => lines_out), [1, 0]);
});

/** What keeps a container from starting, and what its log then says. */
const REFUSED: readonly (readonly [string, readonly string[], RegExp, number])[] = [
  [
    "a value that makes no sense",
    ["--containerd", "", "--output", "x", "--capacity", "lots"],
    /^spillway: shop\/web-1: --capacity: "lots" is not a size/,
    2,
  ],
  [
    "an unknown flag",
    ["--containerd", "", "--outptu", "x"],
    /^spillway: shop\/web-1: unknown flag --outptu; did you mean --output\?/,
    2,
  ],
  [
    "a flag without its value",
    ["--output", "", "--containerd", ""],
    /^spillway: shop\/web-1: --output needs a value/,
    2,
  ],
  [
    "no --containerd",
    ["--no-markers", "", "--output", "x"],
    /^spillway: shop\/web-1: the log URI does not say --containerd=, as in binary:/,
    2,
  ],
  [
    "a request for help",
    ["--containerd", "", "--help", "", "--output", "x"],
    /^spillway: shop\/web-1: --help does not belong in a log URI/,
    2,
  ],
  [
    "an output that cannot be opened",
    ["--output", "/missing/log", "--containerd", ""],
    /^spillway: shop\/web-1: cannot open "\/missing\/log" for appending: /,
    1,
  ],
  [
    "a folder that cannot be made",
    ["--output", "/missing/{namespace}/log", "--containerd", ""],
    /^spillway: shop\/web-1: cannot make folder "\/missing\/shop" for the output: /,
    1,
  ],
];

for (const [what, args, message, code] of REFUSED) {
  testShim(`keeps a container from starting: ${what}`, () => args, async (shim) => {
    assertEquals(await shim.code, code);
    assertEquals(await shim.ready, new Uint8Array(0), "it did not say that it is ready");
    assertMatch(await shim.logged(), message);
    const blocker = await Deno.stat(`${shim.bundle}/init.pid`);
    assert(blocker.isDirectory, "runc would start the container");
    shim.stdout.close();
    shim.stderr.close();
  });
}

for (const program of EXECUTABLES) {
  Deno.test({
    name: `${program.name}: says what --containerd is for where no shim has started it`,
    ignore: program.missing,
    fn: () =>
      inFolder(async (folder) => {
        const env = {
          CONTAINER_ID: "web-1",
          CONTAINER_NAMESPACE: "shop",
          SPILLWAY_DRAIN_TIMEOUT: "",
        };
        const args = ["--containerd", "--output", `${folder}/x`];
        const spillway = start(program, args, env);
        await spillway.readAll();
        assertEquals(await spillway.code, 1);
        assertMatch(
          await spillway.stderr,
          /--containerd: descriptor 3 is not a pipe; containerd starts this program/,
        );
        await spillway.end().catch(() => {});
      }),
  });
}
