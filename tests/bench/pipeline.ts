/**
 * One run of one program: load generator → FIFO → program → FIFO → sink. The
 * generator and the sink are threads of the bench; the program is a process as a
 * shell would start it.
 */

import { Worker } from "node:worker_threads";
import {
  close,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
  open,
} from "../../src/system/descriptors.ts";
import { mkfifo } from "../../src/system/names.ts";
import { type Load, type LoadMessage, type LoadOrder, STARTED } from "./load.ts";
import { cpuSecondsOf, type Memory, memoryOf } from "./process_stats.ts";
import type { SinkMessage, SinkPlan, Taken } from "./sink.ts";

/** Longer than any run; a program that is not done by then never will be. */
const DEADLINE_MS = 60_000;

export interface RunOrder {
  readonly command: readonly string[];
  readonly load: Omit<LoadOrder, "paths">;
  /** Who reads standard output; "file": a file in memory, undefined: /dev/null. */
  readonly sink?: SinkPlan | "file" | undefined;
  /** Inputs that are named with --fifo; undefined: standard input. */
  readonly fifos?: number | undefined;
  /** The clock has started; @param pid the program's */
  readonly onStart?: (pid: number) => void;
}

/** Counters of Spillway's last report; nothing of other programs. */
export type Summary = Readonly<Record<string, unknown>>;

export interface Run {
  readonly load: Load;
  readonly taken: Taken | undefined;
  /** From the moment the clock starts until the last byte was written or came out. */
  readonly seconds: number;
  /** When the last write had returned. */
  readonly memory: Memory;
  /** From that moment until then. */
  readonly cpuSeconds: number;
  readonly summary: Summary | undefined;
}

export function megabytesPerSecond({ load, seconds }: Run): number {
  return load.measuredBytes / seconds / 1e6;
}

/** Megabytes that the writer got rid of in a second, whatever became of them. */
export function writtenPerSecond({ load }: Run): number {
  return load.measuredBytes / (load.writeEnds.at(-1) ?? NaN);
}

/** Runs with a folder of its own, in memory where there is such a file system. */
export async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({
    prefix: "spillway-bench-",
    dir: memoryFolder(),
  });
  try {
    return await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function memoryFolder(): string {
  try {
    return Deno.statSync("/dev/shm").isDirectory ? "/dev/shm" : "/tmp";
  } catch {
    return "/tmp";
  }
}

/** `FOLDER` in the command becomes a folder that is removed afterwards. */
export function run(order: RunOrder): Promise<Run> {
  return inFolder((folder) => runIn(folder, order));
}

async function runIn(folder: string, order: RunOrder): Promise<Run> {
  const paths = Array.from({ length: order.fifos ?? 1 }, (_, at) => `${folder}/in${at}`);
  const plan = order.sink === "file" ? undefined : order.sink;
  const out = order.sink === undefined ? "/dev/null" : `${folder}/out`;
  for (const path of plan === undefined ? paths : [...paths, out]) mkfifo(path, 0o600);
  const load = new Part<LoadMessage>("./load.ts", { order: { ...order.load, paths } });
  const sink = plan === undefined
    ? undefined
    : new Part<SinkMessage>("./sink.ts", { path: out, plan });
  const program = new ProgramProcess(folder, order, paths, out);
  const deadline = setTimeout(() => program.kill(), DEADLINE_MS);
  try {
    let startSeconds = 0;
    load.onStart = () => {
      startSeconds = cpuSecondsOf(program.pid);
      order.onStart?.(program.pid);
    };
    const done = await Promise.race([load.message.then(loadOf), tooEarly(program)]);
    const memory = memoryOf(program.pid);
    const cpuSeconds = cpuSecondsOf(program.pid) - startSeconds;
    load.release();
    sink?.release();
    const taken = sink === undefined ? undefined : takenOf(await sink.message);
    const summary = summaryIn(await program.ended);
    const seconds = Math.max(
      done.writeEnds.at(-1) ?? 0,
      (taken?.lastMicros ?? 0) - done.startMicros,
    ) / 1e6;
    return { load: done, taken, seconds, memory, cpuSeconds, summary };
  } catch (error) {
    program.kill();
    releaseOpens(paths, plan && out);
    throw new Error(`${order.command.join(" ")}: ${error}\n${await program.ended}`);
  } finally {
    clearTimeout(deadline);
    await Promise.all([load.end(), sink?.end()]);
  }
}

async function tooEarly(program: ProgramProcess): Promise<never> {
  await program.ended;
  throw new Error("it ended while the load generator was writing");
}

/** Threads that wait for the other end of a FIFO cannot be ended otherwise. */
function releaseOpens(inputs: readonly string[], output: string | undefined): void {
  for (const path of inputs) close(open(path, O_RDONLY | O_NONBLOCK));
  if (output !== undefined) close(open(output, O_WRONLY | O_NONBLOCK));
}

/** A thread of the bench with its last message and its control word. */
class Part<Message> {
  onStart = () => {};
  readonly message: Promise<Message>;
  readonly #worker: Worker;
  readonly #control = new SharedArrayBuffer(4);

  constructor(file: string, data: Record<string, unknown>) {
    this.#worker = new Worker(new URL(file, import.meta.url), {
      workerData: { ...data, control: this.#control },
    });
    this.message = new Promise((resolve, reject) => {
      this.#worker.on("message", (message: Message | typeof STARTED) => {
        if (message === STARTED) this.onStart();
        else resolve(message);
      });
      this.#worker.once("error", reject);
    });
    this.message.catch(() => {});
  }

  release(): void {
    const words = new Int32Array(this.#control);
    Atomics.store(words, 0, 1);
    Atomics.notify(words, 0);
  }

  async end(): Promise<void> {
    this.release();
    await this.#worker.terminate();
  }
}

function loadOf(message: LoadMessage): Load {
  if ("failure" in message) throw new Error(`load generator: ${message.failure}`);
  return message.load;
}

function takenOf(message: SinkMessage): Taken {
  if ("failure" in message) throw new Error(`sink: ${message.failure}`);
  return message.taken;
}

const SHELL = 'in=$1 out=$2; shift 2; exec "$@" <"$in" >"$out"';

class ProgramProcess {
  readonly pid: number;
  /** What it said on standard error, when it has ended. */
  readonly ended: Promise<string>;
  readonly #child: Deno.ChildProcess;

  constructor(
    folder: string,
    { command, fifos }: RunOrder,
    paths: readonly string[],
    out: string,
  ) {
    const named = fifos === undefined ? [] : paths.flatMap((path, at) => [
      "--fifo",
      `in${at}=${path}`,
    ]);
    const args = [...command, ...named].map((word) =>
      word === "FOLDER" ? `${folder}/log` : word
    );
    if (command.includes("FOLDER")) Deno.mkdirSync(`${folder}/log`);
    this.#child = new Deno.Command("sh", {
      args: [
        "-c",
        SHELL,
        "sh",
        fifos === undefined ? paths[0]! : "/dev/null",
        out,
        ...args,
      ],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.pid = this.#child.pid;
    this.ended = Promise.all([
      new Response(this.#child.stderr).text(),
      this.#child.status,
    ]).then(([stderr]) => stderr);
  }

  kill(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // It has ended already.
    }
  }
}

function summaryIn(stderr: string): Summary | undefined {
  const last = stderr.trimEnd().split("\n").at(-1) ?? "";
  return last.startsWith("{") ? JSON.parse(last) : undefined;
}
