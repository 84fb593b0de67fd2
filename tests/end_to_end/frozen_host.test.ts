/** A host with many services: ten outputs take nothing, and all others get their lines. */

import { assert, assertEquals } from "@std/assert";
import {
  close,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
  open,
  read,
  write,
} from "../../src/system/descriptors.ts";
import { EAGAIN, ENXIO } from "../../src/system/errno.ts";
import { addressOf } from "../../src/system/memory.ts";
import { mkfifo } from "../../src/system/names.ts";
import { readableBytes } from "../../src/system/pipes.ts";
import { makeAuthority, makeServer } from "./certificates.ts";
import { NEEDS_DISKS, onHangingDisk } from "./hanging_disk.ts";
import { checkConservation, numberedLines } from "./numbered_lines.ts";
import { type Program, testExecutables } from "./programs.ts";
import { inFolder, type Running, startInShell, summaryIn, until } from "./run.ts";
import { onSmallDisk } from "./small_disk.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const MANY = 1000;
/** Where each output has a connection with the test at its other end. */
const SOME = 200;
/** The first of them. */
const FROZEN = 10;
/** More than what is on the way to any of them holds. */
const FLOOD = encoder.encode(numberedLines(0, 60_000));
const ROUNDS = 3;

function isFrozen(index: number): boolean {
  return index < FROZEN;
}

function labelsOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `s${index}`);
}

/** Labels that are addresses of this machine, so that one listener is each one's peer. */
function addressesOf(count: number): string[] {
  return Array.from(
    { length: count },
    (_, index) => `127.0.${1 + (index >> 7)}.${1 + (index & 127)}`,
  );
}

/** Where the lines of all inputs go. */
interface Outputs {
  readonly labels: readonly string[];
  /** With `{input}`, and what goes with it. */
  readonly args: readonly string[];
  /** All that has come from outputs that are not frozen. */
  arrived(): string;
  /** When the program has said its last word. */
  release?(): Promise<void>;
}

/** Opens what the program reads, without waiting. */
async function openPipe(path: string): Promise<number> {
  let writer = -ENXIO;
  await until(
    `a reader of ${path}`,
    () => (writer = open(path, O_WRONLY | O_NONBLOCK)) >= 0,
  );
  return writer;
}

/** Writes more than its output will take, as fast as it is read. */
async function flood(writer: number): Promise<void> {
  for (let at = 0; at < FLOOD.length;) {
    const count = write(writer, addressOf(FLOOD) + at, FLOOD.length - at);
    if (count !== -EAGAIN) assert(count > 0, `a write is ${count}`);
    if (count > 0) at += count;
    else await until("room in the pipe", () => readableBytes(writer) === 0, 1);
  }
  await until("the flood to be read", () => readableBytes(writer) === 0);
}

/** The numbers of the lines of each input, in the order in which they have come. */
function numbersIn(text: string): Map<string, string[]> {
  const lines = [...text.matchAll(/(\S+) has line (\d+)\./g)];
  const byLabel = Map.groupBy(lines, ([, label]) => label!);
  return new Map(
    byLabel.entries().map((
      [label, lines],
    ) => [label, lines.map(([, , number]) => number!)]),
  );
}

/** Ten outputs take nothing; meanwhile the others get what is written, and all of it. */
async function tryHost(
  program: Program,
  folder: string,
  { labels, args, arrived, release }: Outputs,
): Promise<void> {
  const pipes = `${folder}/pipes`;
  Deno.mkdirSync(pipes);
  for (const label of labels) assertEquals(mkfifo(`${pipes}/${label}`, 0o600), 0);
  const spillway = startInShell(program, 'ulimit -n 8192; exec "$@"', [
    ...["--fifo", pipes, "--capacity", "64KiB", "--report", "json"],
    ...["--drain-timeout", "200ms", ...args],
  ]);
  const output = spillway.readAll();
  spillway.enlargeStderr();
  const writers: number[] = [];
  for (const label of labels) writers.push(await openPipe(`${pipes}/${label}`));
  await Promise.all(writers.filter((_, index) => isFrozen(index)).map(flood));
  const well = labels.filter((_, index) => !isFrozen(index));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, label] of labels.entries()) {
      if (isFrozen(index)) continue;
      const line = encoder.encode(`${label} has line ${round}.\n`);
      assertEquals(write(writers[index]!, addressOf(line), line.length), line.length);
    }
    await until(`all of round ${round}`, () => {
      const numbers = numbersIn(arrived());
      return well.every((label) => numbers.get(label)?.length === round + 1);
    }, 20);
  }
  const numbers = numbersIn(arrived());
  for (const label of well) assertEquals(numbers.get(label), ["0", "1", "2"], label);
  // A server has a line before the program knows that it does.
  await spillway.counted(
    "all that has arrived",
    ({ inputs }) =>
      inputs!.every(({ input, lines_out }) =>
        !well.includes(input as string) || lines_out === ROUNDS
      ),
  );
  await stop(spillway, release);
  await output;
  checkFrozen(await spillway.stderr, labels);
  writers.forEach(close);
}

/** A thread that a disk keeps does not even end with its process. */
async function stop(spillway: Running, release = () => Promise.resolve()): Promise<void> {
  await spillway.kill("SIGTERM");
  await until("its last words", () => spillway.stderrSoFar.includes('"event":"summary"'));
  await release();
  const code = await spillway.code;
  // The kernel may have taken for a peer what was left, as soon as nothing more came.
  const { bytes_unflushed } = summaryIn(await spillway.stderr);
  assertEquals(code, bytes_unflushed === 0 ? 0 : 4);
}

/** They had taken next to nothing all the time. */
function checkFrozen(stderr: string, labels: readonly string[]): void {
  const summary = summaryIn(stderr);
  checkConservation(summary);
  const inputs = new Map(summary.inputs!.map((input) => [input.input as string, input]));
  for (const [index, label] of labels.entries()) {
    const { lines_out, lines_overwritten, lines_unflushed } = inputs.get(label)!;
    if (isFrozen(index)) {
      assert(Number(lines_overwritten) > 0, `${label} has lost nothing`);
    } else {assertEquals(
        [lines_out, lines_overwritten, lines_unflushed],
        [ROUNDS, 0, 0],
        label,
      );}
  }
}

testExecutables(
  "ten of a thousand FIFOs have no reader, or one that does not read: all others get all",
  (program) =>
    inFolder(async (folder) => {
      const labels = labelsOf(MANY);
      const outputs = `${folder}/outputs`;
      Deno.mkdirSync(outputs);
      const readers = new Map<number, string>();
      for (const [index, label] of labels.entries()) {
        const path = `${outputs}/${label}`;
        assertEquals(mkfifo(path, 0o600), 0);
        const hasReader = !isFrozen(index) || index % 2 === 0;
        if (hasReader) {
          readers.set(open(path, O_RDONLY | O_NONBLOCK), isFrozen(index) ? "frozen" : "");
        }
      }
      const buffer = new Uint8Array(4096);
      let text = "";
      await tryHost(program, folder, {
        labels,
        args: ["--output", `fifo:${outputs}/{input}`],
        arrived: () => {
          for (const [reader, state] of readers) {
            if (state === "frozen") {
              continue;
            }
            const count = read(reader, addressOf(buffer), buffer.length);
            if (count > 0) text += decoder.decode(buffer.subarray(0, count));
          }
          return text;
        },
      });
      for (const reader of readers.keys()) close(reader);
    }),
);

testExecutables(
  "of a thousand files ten are on disks that are full or hang: all others get all",
  (program) =>
    onSmallDisk(64 * 1024, (full) =>
      onHangingDisk(async (hanging) => {
        await inFolder(async (folder) => {
          const labels = labelsOf(MANY);
          const outputs = `${folder}/outputs`;
          Deno.mkdirSync(outputs);
          for (const [index, label] of labels.entries()) {
            const path = `${outputs}/${label}`;
            if (!isFrozen(index)) {
              Deno.mkdirSync(path);
              continue;
            }
            const disk = index % 2 === 0 ? full : hanging.folder;
            Deno.mkdirSync(`${disk}/${label}`);
            Deno.symlinkSync(`${disk}/${label}`, path);
          }
          await hanging.hang();
          const well = labels.filter((_, index) => !isFrozen(index));
          await tryHost(program, folder, {
            labels,
            args: ["--output", `${outputs}/{input}/made/log`],
            arrived: () =>
              well.map((label) => textOf(`${outputs}/${label}/made/log`)).join(""),
            release: hanging.goOn,
          });
        });
      })),
  NEEDS_DISKS,
);

function textOf(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** Accepts connections; those for which `isWell` is false are never read. */
class Listener<Connection extends Deno.Conn> {
  readonly #listener: Deno.Listener<Connection>;
  readonly #connections: Connection[] = [];
  readonly #accepting: Promise<void>;
  text = "";

  constructor(
    listener: Deno.Listener<Connection>,
    isWell: (connection: Connection) => boolean,
    read = (connection: Deno.Conn) => this.#read(connection),
  ) {
    this.#listener = listener;
    this.#accepting = this.#accept(isWell, read);
  }

  async #accept(
    isWell: (connection: Connection) => boolean,
    read: (connection: Deno.Conn) => Promise<void>,
  ): Promise<void> {
    const reading: Promise<void>[] = [];
    for await (const connection of this.#listener) {
      this.#connections.push(connection);
      if (isWell(connection)) reading.push(read(connection).catch(ignoreClosed));
    }
    await Promise.all(reading);
  }

  async #read(connection: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(16 * 1024);
    for (let count; (count = await connection.read(buffer)) !== null;) {
      this.text += decoder.decode(buffer.subarray(0, count));
    }
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  async close(): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) {
      try {
        connection.close();
      } catch (error) {
        ignoreClosed(error);
      }
    }
    await this.#accepting;
  }
}

function ignoreClosed(error: unknown): void {
  const { errors } = Deno;
  const kinds = [
    errors.ConnectionReset,
    errors.BrokenPipe,
    errors.BadResource,
    errors.Interrupted,
    errors.UnexpectedEof,
  ];
  if (!kinds.some((kind) => error instanceof kind)) throw error;
}

testExecutables(
  "ten of many sockets are not read: all others get all",
  (program) =>
    inFolder(async (folder) => {
      const labels = labelsOf(SOME);
      const sockets = ["stuck", "well"].map((name) => `${folder}/${name}`);
      const [stuck, well] = sockets.map((path) =>
        new Listener(Deno.listen({ transport: "unix", path }), () => path === sockets[1])
      );
      const outputs = `${folder}/outputs`;
      Deno.mkdirSync(outputs);
      for (const [index, label] of labels.entries()) {
        Deno.symlinkSync(sockets[isFrozen(index) ? 0 : 1]!, `${outputs}/${label}`);
      }
      await tryHost(program, folder, {
        labels,
        args: ["--output", `unix:${outputs}/{input}`],
        arrived: () => well!.text,
      });
      await Promise.all([stuck!.close(), well!.close()]);
    }),
);

testExecutables(
  "ten of many TCP peers do not read: all others get all",
  (program) =>
    inFolder(async (folder) => {
      const labels = addressesOf(SOME);
      const listener = new Listener(
        Deno.listen({ hostname: "0.0.0.0", port: 0 }),
        ({ localAddr }) => !labels.slice(0, FROZEN).includes(localAddr.hostname),
      );
      await tryHost(program, folder, {
        labels,
        args: ["--output", `tcp://{input}:${listener.port}`],
        arrived: () => listener.text,
      });
      await listener.close();
    }),
);

testExecutables(
  "ten of many TLS peers do not answer: all others get all",
  (program) =>
    inFolder(async (folder) => {
      const labels = addressesOf(SOME);
      const ca = await makeAuthority(folder, "ca");
      const names = labels.map((label) => `IP:${label}`).join();
      const tls = await makeServer(folder, "server", ca, names);
      const server = new Listener(
        Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...tls }),
        () => true,
      );
      // It passes bytes on, or does not even look at them.
      const front = new Listener(
        Deno.listen({ hostname: "0.0.0.0", port: 0 }),
        ({ localAddr }) => !labels.slice(0, FROZEN).includes(localAddr.hostname),
        async (connection) => {
          const behind = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
          await Promise.all([
            connection.readable.pipeTo(behind.writable),
            behind.readable.pipeTo(connection.writable),
          ]);
        },
      );
      await tryHost(program, folder, {
        labels,
        args: ["--output", `syslog+tls://{input}:${front.port}?ca=${ca.certPath}`],
        arrived: () => server.text.replaceAll(/\d* ?<\d+>1 \S+ \S+ \S+ \S+ \S+ - /g, ""),
      });
      await Promise.all([front.close(), server.close()]);
    }),
);

testExecutables(
  "ten of many paths of an HTTP server drip: all others get all",
  (program) =>
    inFolder(async (folder) => {
      const labels = labelsOf(SOME);
      const dripping = labels.slice(0, FROZEN);
      let text = "";
      const stop = new AbortController();
      const server = Deno.serve(
        { port: 0, hostname: "127.0.0.1", signal: stop.signal, onListen: () => {} },
        async (request) => {
          const body = await request.text();
          if (dripping.includes(new URL(request.url).pathname.slice(1))) {
            return new Response(drip());
          }
          text += body;
          return new Response();
        },
      );
      await tryHost(program, folder, {
        labels,
        args: [
          ...["--output", `http://127.0.0.1:${server.addr.port}/{input}`],
          ...["--format", "raw"],
        ],
        arrived: () => text,
      });
      stop.abort();
      await server.finished;
    }),
);

/** Never ends, and never says anything. */
function drip(): ReadableStream<Uint8Array> {
  let dripping: ReturnType<typeof setInterval>;
  return new ReadableStream({
    start: (controller) => {
      dripping = setInterval(() => controller.enqueue(encoder.encode(" ")), 50);
    },
    cancel: () => clearInterval(dripping),
  });
}
