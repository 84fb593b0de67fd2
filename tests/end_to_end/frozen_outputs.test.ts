import { assert, assertEquals } from "@std/assert";
import { close, O_NONBLOCK, O_RDONLY, open } from "../../src/system/descriptors.ts";
import { mkfifo } from "../../src/system/names.ts";
import { NEEDS_DISKS, onHangingDisk } from "./hanging_disk.ts";
import { checkConservation, numberedLines } from "./numbered_lines.ts";
import { type Program, testExecutables } from "./programs.ts";
import { inFolder, start, summaryIn, until } from "./run.ts";

const encoder = new TextEncoder();
/** More than a ring of 64 KiB and what is on the way hold. */
const FLOOD = encoder.encode(numberedLines(0, 100_000));
const LINES = 5;

/** Where an output goes that takes everything, and another that takes nothing. */
interface Outputs {
  /** With `{input}`, which is `frozen` or `well`. */
  readonly output: string;
  /** All that has come from `well`. */
  arrived(): string;
  close(): void | Promise<void>;
}

/** Lines of one input arrive one by one while the other's output takes nothing. */
async function tryBoth(
  program: Program,
  folder: string,
  { output, arrived, close }: Outputs,
): Promise<void> {
  const inputs = ["frozen", "well"];
  const paths = inputs.map((name) => `${folder}/in-${name}`);
  assert((await new Deno.Command("mkfifo", { args: paths }).output()).success);
  const spillway = start(program, [
    ...inputs.flatMap((name, index) => ["--fifo", `${name}=${paths[index]}`]),
    ...["--output", output, "--capacity", "64KiB", "--report", "json"],
    ...["--drain-timeout", "100ms"],
  ]);
  const [frozen, well] = await Promise.all(
    paths.map((path) => Deno.open(path, { write: true })),
  );
  await new Blob([FLOOD]).stream().pipeTo(frozen!.writable);
  await spillway.reported(
    "lines of one are lost",
    ({ event, input }) => event === "loss" && input === "frozen",
  );
  for (let line = 0; line < LINES; line++) {
    await well!.write(encoder.encode(`well ${line}\n`));
    await until(`line ${line} to arrive`, () => arrived().includes(`well ${line}`));
  }
  assert(!arrived().includes("xxx"));
  await spillway.kill("SIGTERM");
  await Promise.all([spillway.readAll(), spillway.end(), spillway.code]);
  well!.close();
  await close();
}

/** Two FIFOs for output; only one of them is read. */
async function tryFifos(program: Program, folder: string): Promise<void> {
  const reader = new Deno.Command("cat", { args: [`${folder}/well`], stdout: "piped" });
  const cat = reader.spawn();
  let text = "";
  const read = cat.stdout.pipeThrough(new TextDecoderStream())
    .pipeTo(new WritableStream({ write: (chunk) => void (text += chunk) }));
  await tryBoth(program, folder, {
    output: `fifo:${folder}/{input}`,
    arrived: () => text,
    close: async () => {
      await Promise.all([read, cat.status]);
    },
  });
}

testExecutables(
  "a FIFO without a reader delays no other output",
  (program) =>
    inFolder(async (folder) => {
      ["frozen", "well"].forEach((name) => mkfifo(`${folder}/${name}`, 0o600));
      await tryFifos(program, folder);
    }),
);

testExecutables(
  "a FIFO whose reader does not read delays no other output",
  (program) =>
    inFolder(async (folder) => {
      ["frozen", "well"].forEach((name) => mkfifo(`${folder}/${name}`, 0o600));
      const reader = open(`${folder}/frozen`, O_RDONLY | O_NONBLOCK);
      await tryFifos(program, folder);
      close(reader);
    }),
);

testExecutables(
  "a socket that nobody reads delays no other output",
  (program) =>
    inFolder(async (folder) => {
      const listeners = ["frozen", "well"].map((name) =>
        Deno.listen({ transport: "unix", path: `${folder}/${name}` })
      );
      let text = "";
      const [stuck, read] = listeners.map((listener) => listener.accept());
      const reading = read!.then((connection) =>
        connection.readable.pipeThrough(new TextDecoderStream())
          .pipeTo(new WritableStream({ write: (chunk) => void (text += chunk) }))
      );
      await tryBoth(program, folder, {
        output: `unix:${folder}/{input}`,
        arrived: () => text,
        close: async () => {
          (await stuck!).close();
          await reading;
          listeners.forEach((listener) => listener.close());
        },
      });
    }),
);

testExecutables(
  "an HTTP server that drips delays no other output",
  (program) =>
    inFolder(async (folder) => {
      let text = "";
      const stop = new AbortController();
      const server = Deno.serve(
        { port: 0, hostname: "127.0.0.1", signal: stop.signal, onListen: () => {} },
        async (request) => {
          if (!request.url.endsWith("/frozen")) {
            text += await request.text();
            return new Response();
          }
          await request.text();
          let dripping: ReturnType<typeof setInterval>;
          const drip = new ReadableStream<Uint8Array>({
            start: (controller) => {
              dripping = setInterval(() => controller.enqueue(encoder.encode(" ")), 50);
            },
            cancel: () => clearInterval(dripping),
          });
          return new Response(drip);
        },
      );
      await tryBoth(program, folder, {
        output: `http://127.0.0.1:${server.addr.port}/{input}`,
        arrived: () => text,
        close: async () => {
          stop.abort();
          await server.finished;
        },
      });
    }),
);

testExecutables(
  "a disk that hangs from the start on keeps no writer waiting",
  (program) =>
    onHangingDisk(async ({ folder, hang, goOn }) => {
      await hang();
      const spillway = start(program, [
        ...["--output", `${folder}/app.log`, "--capacity", "64KiB", "--report", "json"],
        ...["--drain-timeout", "100ms"],
      ]);
      let isRead = false;
      const writing = spillway.write(FLOOD).then(() => isRead = true);
      await until("all to be read", () => isRead);
      await writing;
      await spillway.end();
      await until("its last words", () => /"event":"summary"/.test(spillway.stderrSoFar));
      // A thread that a disk keeps does not even end with its process.
      await goOn();
      assertEquals(await spillway.code, 4);
      await spillway.readAll();
      const summary = summaryIn(await spillway.stderr);
      checkConservation(summary);
      assertEquals([summary.bytes_in, summary.lines_out], [FLOOD.length, 0]);
    }),
  NEEDS_DISKS,
);
