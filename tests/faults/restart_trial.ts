/**
 * One FIFO that is held open and written to all the time, and one run after the other
 * that reads it with --keep and is ended at a random moment, by SIGKILL or SIGTERM: what
 * all of them have written together is what was written to the FIFO. What is random
 * comes from a seed, but for what the machine adds.
 */

import { assert, assertEquals } from "@std/assert";
import { MARKER, numberedLines } from "../end_to_end/numbered_lines.ts";
import type { Program } from "../end_to_end/programs.ts";
import { type Running, start, summaryIn, until } from "../end_to_end/run.ts";
import { Receiver } from "../end_to_end/stream_receiver.ts";
import { HttpReceiver } from "../end_to_end/http_receiver.ts";
import { mkfifo } from "../../src/system/names.ts";
import { Random } from "./random.ts";

export const DESTINATIONS = [
  "file",
  "ndjson file",
  /** To which two inputs go. */
  "merged file",
  "pipe",
  "tcp",
  "bulk",
] as const;
export type DestinationKind = typeof DESTINATIONS[number];

/** Each takes the test some microseconds. */
const MAX_WRITES = 5000;
/** A document takes it longer. */
const MAX_DOCUMENTS = 20_000;
/** Where writes that a killed process had under way may begin again. */
const MAX_REPEATED_BYTES = 256 * 1024 + 64 * 1024;

export interface RestartTrial {
  readonly destination: DestinationKind;
  readonly args: readonly string[];
  readonly overwrites: boolean;
  readonly lineBytes: number;
  readonly lines: number;
  readonly maxWriteBytes: number;
  /** How each run but the last ends, and after how long. */
  readonly ends: readonly { readonly signal: Deno.Signal; readonly afterMs: number }[];
  /** The output takes nothing until the last run. */
  readonly frozen: boolean;
}

/** @param kind where it writes to; random where it is not given */
export function restartTrialOf(seed: number, kind?: DestinationKind): RestartTrial {
  const random = new Random(seed);
  const destination = kind ?? random.oneOf(DESTINATIONS);
  const overwrites = destination === "file" && random.next() < 0.5;
  const capacity = random.oneOf(["64KiB", "1MiB", "4MiB"]);
  const lineBytes = random.oneOf([20, 100, 1000, 5000]);
  const maxWriteBytes = random.oneOf([100, 4096, 100_000]);
  const bytes = Math.min(random.oneOf([2e6, 2e7]), MAX_WRITES * maxWriteBytes);
  return {
    destination,
    args: [
      ...["--capacity", capacity, "--when-full", overwrites ? "overwrite" : "block"],
      ...["--report", "json"],
    ],
    overwrites,
    lineBytes,
    lines: Math.min(
      Math.ceil(bytes / lineBytes),
      destination === "bulk" ? MAX_DOCUMENTS : Infinity,
    ),
    maxWriteBytes,
    ends: Array.from({ length: random.between(1, 3) }, () => ({
      signal: random.oneOf(["SIGKILL", "SIGKILL", "SIGTERM"]),
      afterMs: random.between(0, 400),
    })),
    frozen: !destination.endsWith("file") && random.next() < 0.3,
  };
}

/** @throws Error that names the seed when anything is not as it must be. */
export async function runRestartTrial(
  program: Program,
  seed: number,
  trial = restartTrialOf(seed),
): Promise<void> {
  const folder = await Deno.makeTempDir({ dir: "/dev/shm", prefix: "spillway-test-" });
  try {
    await new Restarts(program, trial, folder, seed).run();
  } catch (error) {
    const how = JSON.stringify(trial);
    throw new Error(`${program.name}, seed ${seed}: ${how}`, { cause: error });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

class Restarts {
  readonly #program: Program;
  readonly #trial: RestartTrial;
  readonly #folder: string;
  readonly #random: Random;
  readonly #startMs = Date.now() - 1;
  readonly #tcp = Receiver.tcp();
  readonly #http = new HttpReceiver();
  readonly #outputs: Promise<Uint8Array>[] = [];
  #thawed = Promise.withResolvers<void>();
  /** By `_id`, what was first stored. */
  readonly #documents = new Map<string, string>();

  constructor(program: Program, trial: RestartTrial, folder: string, seed: number) {
    this.#program = program;
    this.#trial = trial;
    this.#folder = folder;
    this.#random = new Random(seed + 1);
    this.#http.answer = async ({ body }) => {
      await this.#thawed.promise;
      return this.#store(body);
    };
  }

  async run(): Promise<void> {
    const { ends, frozen } = this.#trial;
    using fifo = await this.#makeFifo("fifo");
    using other = await this.#makeFifo("other");
    this.#tcp.start();
    this.#http.start();
    if (frozen) this.#tcp.reads = false;
    else this.#thawed.resolve();
    try {
      const written = Promise.all(
        (this.#isMerged ? [fifo, other] : [fifo]).map((file) => this.#write(file)),
      );
      for (const { signal, afterMs } of ends) {
        const spillway = this.#start("0s");
        await new Promise((resolve) => setTimeout(resolve, afterMs));
        if (signal === "SIGKILL") Deno.kill(spillway.pid, signal);
        else await spillway.kill(signal);
        this.#checkEnd(signal, await spillway.code, await spillway.stderr);
      }
      this.#tcp.reads = true;
      this.#thawed.resolve();
      const last = this.#start("30s");
      await written;
      await last.counted("that it runs", () => true);
      await last.kill("SIGTERM");
      const [code, stderr] = [await last.code, await last.stderr];
      assertEquals(code, 0, stderr);
      assertEquals(summaryIn(stderr).bytes_kept, 0, stderr);
      assertEquals(
        [...Deno.readDirSync(`${this.#folder}/kept`)].length,
        0,
        "all is removed",
      );
      await this.#check();
    } finally {
      this.#tcp.stop();
      await this.#http.stop();
    }
  }

  #checkEnd(signal: Deno.Signal, code: number, stderr: string): void {
    if (signal === "SIGKILL") {
      assertEquals(code, 128 + 9, stderr);
      return;
    }
    // `deno run` catches the signal itself while it loads the program, and ends.
    if (code === 128 + 15 && stderr === "") return;
    assertEquals(code, 0, stderr);
    const summary = summaryIn(stderr);
    const of = (name: string) => Number(summary[name]);
    for (const unit of ["lines", "bytes"]) {
      assertEquals(
        of(`${unit}_in`) + of(`${unit}_recovered`),
        of(`${unit}_out`) + of(`${unit}_overwritten`) + of(`${unit}_kept`),
        stderr,
      );
    }
  }

  async #makeFifo(name: string): Promise<Deno.FsFile> {
    mkfifo(`${this.#folder}/${name}`, 0o600);
    return await Deno.open(`${this.#folder}/${name}`, { read: true, write: true });
  }

  get #isMerged(): boolean {
    return this.#trial.destination === "merged file";
  }

  #start(drainTimeout: string): Running {
    const { args } = this.#trial;
    const spillway = start(this.#program, [
      ...["--fifo", `${this.#folder}/fifo`, "--keep", `${this.#folder}/kept`],
      ...(this.#isMerged ? ["--fifo", `other=${this.#folder}/other`] : []),
      ...["--drain-timeout", drainTimeout, ...this.#outputArgs(), ...args],
    ]);
    this.#outputs.push(this.#read(spillway));
    return spillway;
  }

  #outputArgs(): string[] {
    switch (this.#trial.destination) {
      case "pipe":
        return [];
      case "file":
        return ["--output", `${this.#folder}/log`];
      case "ndjson file":
      case "merged file":
        return ["--output", `${this.#folder}/log`, "--format", "ndjson"];
      case "tcp":
        return ["--output", this.#tcp.destination];
      case "bulk":
        return [
          ...["--output", `http://127.0.0.1:${this.#http.port}/_bulk`],
          ...["--format", "elasticsearch-bulk"],
        ];
    }
  }

  /** In pieces that have nothing to do with lines. */
  async #write(fifo: Deno.FsFile): Promise<void> {
    const { lines, lineBytes, maxWriteBytes } = this.#trial;
    const text = new TextEncoder().encode(numberedLines(0, lines, lineBytes));
    for (let at = 0; at < text.length;) {
      const end = at + this.#random.between(1, maxWriteBytes);
      at += await fifo.write(text.subarray(at, end));
    }
  }

  async #read(spillway: Running): Promise<Uint8Array> {
    if (this.#trial.destination === "pipe") {
      await Promise.race([
        this.#thawed.promise,
        spillway.code,
      ]);
    }
    return await spillway.readAll();
  }

  #store(body: string): Response {
    const lines = body.split("\n").slice(0, -1);
    const items = [];
    for (let at = 0; at < lines.length; at += 2) {
      const id: string = JSON.parse(lines[at]!).create._id;
      const known = this.#documents.has(id);
      if (!known) this.#documents.set(id, JSON.parse(lines[at + 1]!).message);
      items.push({ create: { _id: id, status: known ? 409 : 201 } });
    }
    return Response.json({ errors: false, items });
  }

  async #check(): Promise<void> {
    const outputs = await Promise.all(this.#outputs);
    switch (this.#trial.destination) {
      case "file":
        this.#checkOnce(Deno.readTextFileSync(`${this.#folder}/log`).split("\n"));
        break;
      case "ndjson file":
      case "merged file": {
        const records = Deno.readTextFileSync(`${this.#folder}/log`).split("\n");
        const last = records.pop();
        assertEquals(last, "");
        const parsed = records.map((record) => JSON.parse(record));
        for (const { time } of parsed) assert(Date.parse(time) > this.#startMs, time);
        const streams = Object.values(Object.groupBy(parsed, ({ stream }) => stream));
        assertEquals(streams.length, this.#isMerged ? 2 : 1);
        for (const own of streams) {
          this.#checkOnce([...own!.map(({ message }) => message), ""]);
        }
        break;
      }
      case "pipe":
        this.#checkSegments(outputs.map((bytes) => new TextDecoder().decode(bytes)));
        break;
      case "tcp":
        await this.#checkTcp();
        break;
      case "bulk":
        this.#checkDocuments();
    }
  }

  /** Every line, in order, or a marker that says how many are missing. */
  #checkOnce(lines: readonly string[]): void {
    const { lineBytes } = this.#trial;
    assertEquals(lines.at(-1), "", "it ends with a whole line");
    let expected = 0;
    for (const line of lines.slice(0, -1)) {
      const marker = MARKER.exec(line);
      if (marker !== null) {
        assert(this.#trial.overwrites, line);
        assertEquals(Number(marker[2]), Number(marker[1]) * lineBytes, line);
        expected += Number(marker[1]);
        continue;
      }
      if (line !== this.#line(expected)) assertEquals(line, this.#line(expected));
      expected++;
    }
    assertEquals(expected, this.#trial.lines);
  }

  #line(number: number): string {
    return numberedLines(number, 1, this.#trial.lineBytes).slice(0, -1);
  }

  /** What each run has written goes on where the last one was, or a write before that. */
  #checkSegments(segments: readonly string[]): void {
    const { lineBytes, lines } = this.#trial;
    const input = numberedLines(0, lines, lineBytes);
    let end = 0;
    for (const segment of segments) {
      if (segment === "") continue;
      const from = this.#positionOf(segment);
      assert(from <= end, `${end - from} bytes are missing before ${from}`);
      assert(end - from <= MAX_REPEATED_BYTES, `${end - from} bytes come again`);
      assert(input.startsWith(segment, from), `not what was written from ${from} on`);
      end = Math.max(end, from + segment.length);
    }
    assertEquals(end, input.length);
  }

  /** Where in the input it begins: after its first newline a number says so. */
  #positionOf(segment: string): number {
    const { lineBytes } = this.#trial;
    const newline = segment.indexOf("\n");
    const next = /^\d+ /.exec(segment.slice(newline + 1))?.[0];
    if (next !== undefined) return Number(next) * lineBytes - newline - 1;
    const only = /^(\d+) /.exec(segment)?.[1];
    assert(only !== undefined, `nothing says where this begins: ${segment}`);
    return Number(only) * lineBytes;
  }

  async #checkTcp(): Promise<void> {
    const all = () => new Set(this.#tcp.wholeLines());
    await until("every line to arrive", () => all().size === this.#trial.lines);
    const lines = all();
    for (let number = 0; number < this.#trial.lines; number++) {
      assert(lines.has(this.#line(number)), `line ${number} is missing`);
    }
  }

  #checkDocuments(): void {
    const messages = [...this.#documents.values()];
    assertEquals(messages.length, this.#trial.lines, "each line is stored once");
    messages.forEach((message, number) => {
      if (message !== this.#line(number)) assertEquals(message, this.#line(number));
    });
  }
}
