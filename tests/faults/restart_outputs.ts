/**
 * Where runs that are killed write to, one after the other: each kind of output with a
 * peer that does not end with them, and that takes nothing while it is frozen.
 */

import { assert, assertEquals } from "@std/assert";
import { HttpReceiver } from "../end_to_end/http_receiver.ts";
import {
  allStored,
  makeStream,
  NatsServer,
  needingNats,
  withNats,
} from "../end_to_end/nats_servers.ts";
import { type Running, until } from "../end_to_end/run.ts";
import { Receiver } from "../end_to_end/stream_receiver.ts";
import { mkfifo } from "../../src/system/names.ts";
import {
  checkLines,
  checkSegments,
  NO_REPEATS,
  type Repeats,
  type Written,
} from "./joined_lines.ts";

/** Where writes that a killed process had under way may begin again. */
const MAX_REPEATED_BYTES = 256 * 1024 + 64 * 1024;

export abstract class RestartOutput {
  abstract readonly args: readonly string[];
  #thawed = Promise.withResolvers<void>();

  /** @param folder of its own */
  constructor(protected readonly folder: string) {}

  /** @param frozen it takes nothing until `thaw` */
  async start(frozen: boolean): Promise<void> {
    await this.open();
    if (frozen) this.freeze();
    else this.#thawed.resolve();
  }

  thaw(): void {
    this.#thawed.resolve();
    this.melt();
  }

  protected get thawed(): Promise<void> {
    return this.#thawed.promise;
  }

  protected async open(): Promise<void> {}
  protected freeze(): void {}
  protected melt(): void {}

  /** One of the runs, whose standard output has to be read. */
  async follow(run: Running): Promise<void> {
    await run.readAll();
  }

  /** When all runs have ended: everything that was written to one input, if only one. */
  abstract check(written: Written, kills: number): Promise<void>;
  async close(): Promise<void> {}
}

/** @param kills each of these may have had one write under way */
function repeatsOf(kills: number): Repeats {
  return { times: kills, bytes: MAX_REPEATED_BYTES };
}

function linesIn(text: string): string[] {
  const lines = text.split("\n");
  assertEquals(lines.pop(), "", "it ends with a whole line");
  return lines;
}

/** A line or, where a slow machine has kept its writer waiting for long, a piece of one. */
interface LogRecord {
  readonly message: string;
  readonly partial?: boolean;
}

function wholeLines(records: Iterable<LogRecord>): string[] {
  const lines: string[] = [];
  let line = "";
  for (const { message, partial = false } of records) {
    line += message;
    if (partial) continue;
    lines.push(line);
    line = "";
  }
  assertEquals(line, "", "it ends with a whole line");
  return lines;
}

class RawFile extends RestartOutput {
  readonly #path = `${this.folder}/log`;
  readonly args = ["--output", this.#path];

  override check(written: Written): Promise<void> {
    checkLines(linesIn(Deno.readTextFileSync(this.#path)), written);
    return Promise.resolve();
  }
}

/** A route for each of two inputs. */
class OwnFiles extends RestartOutput {
  readonly args = ["--output", `${this.folder}/log-{input}`];

  override check(written: Written): Promise<void> {
    for (const label of ["fifo", "other"]) {
      const text = Deno.readTextFileSync(`${this.folder}/log-${label}`);
      checkLines(linesIn(text), written);
    }
    return Promise.resolve();
  }
}

class RecordFile extends RestartOutput {
  readonly #path = `${this.folder}/log`;
  readonly #startMs = Date.now() - 1;
  readonly args = ["--output", this.#path, "--format", "ndjson"];

  constructor(folder: string, readonly inputs: number) {
    super(folder);
  }

  override check(written: Written): Promise<void> {
    const records = linesIn(Deno.readTextFileSync(this.#path))
      .map((record) => JSON.parse(record));
    for (const { time } of records) assert(Date.parse(time) > this.#startMs, time);
    const streams = Object.values(Object.groupBy(records, ({ stream }) => stream));
    assertEquals(streams.length, this.inputs);
    for (const own of streams) checkLines(wholeLines(own!), written);
    return Promise.resolve();
  }
}

/** Each run has one of its own. */
class Pipe extends RestartOutput {
  readonly args = [];
  readonly #segments: Promise<Uint8Array>[] = [];

  override async follow(run: Running): Promise<void> {
    await Promise.race([this.thawed, run.code]);
    const segment = run.readAll();
    this.#segments.push(segment);
    await segment;
  }

  override async check(written: Written, kills: number): Promise<void> {
    const segments = await Promise.all(this.#segments);
    const texts = segments.map((bytes) => new TextDecoder().decode(bytes));
    checkSegments(texts, written, repeatsOf(kills));
  }
}

/** No line of the input looks like it. */
const LAST_WORDS = "that was all\n";

/** Whoever reads it stays, and does not notice that its writers are others. */
class Fifo extends RestartOutput {
  readonly #path = `${this.folder}/output`;
  readonly args = ["--output", `fifo:${this.#path}`];
  #file!: Deno.FsFile;
  #text!: Promise<string>;

  override async open(): Promise<void> {
    mkfifo(this.#path, 0o600);
    this.#file = await Deno.open(this.#path, { read: true, write: true });
    this.#text = this.#read();
  }

  async #read(): Promise<string> {
    await this.thawed;
    const chunk = new Uint8Array(64 * 1024);
    const decoder = new TextDecoder();
    const texts: string[] = [];
    for (let end = ""; end !== LAST_WORDS;) {
      const count = await this.#file.read(chunk);
      const text = decoder.decode(chunk.subarray(0, count!));
      texts.push(text);
      end = (end + text).slice(-LAST_WORDS.length);
    }
    return texts.join("").slice(0, -LAST_WORDS.length);
  }

  override async check(written: Written, kills: number): Promise<void> {
    await Deno.writeTextFile(this.#path, LAST_WORDS);
    const lines = linesIn(await this.#text);
    let begunTwice = 0;
    const whole = lines.map((line) => {
      const excess = line.length - (written.lineBytes - 1);
      if (excess <= 0 || !/^\d/.test(line)) return line;
      // Longer than what such a pipe takes at once: its reader has got the beginning.
      assert(written.lineBytes > 4096, line);
      begunTwice++;
      assert(line.slice(excess).startsWith(line.slice(0, excess)), line);
      return line.slice(excess);
    });
    assert(begunTwice <= kills, `${begunTwice} lines are begun twice`);
    checkLines(whole, written, repeatsOf(kills));
  }

  override close(): Promise<void> {
    this.#file.close();
    return Promise.resolve();
  }
}

class Tcp extends RestartOutput {
  readonly #receiver = Receiver.tcp();
  readonly args = ["--output", this.#receiver.destination];

  override open(): Promise<void> {
    this.#receiver.start();
    return Promise.resolve();
  }

  override freeze(): void {
    this.#receiver.reads = false;
  }

  override melt(): void {
    this.#receiver.reads = true;
  }

  override async check(written: Written, kills: number): Promise<void> {
    // What the last run has sent may still be on its way.
    const last = ` ${written.lines - 1}`.slice(1);
    await until("the last line", () => {
      const line = this.#receiver.wholeLines().at(-1);
      return line !== undefined && line.startsWith(`${last} `);
    });
    checkLines(this.#receiver.wholeLines(), written, repeatsOf(kills));
  }

  override close(): Promise<void> {
    this.#receiver.stop();
    return Promise.resolve();
  }
}

/** What was sent has arrived, though its sender may not hear of it. */
class Http extends RestartOutput {
  readonly #receiver = new HttpReceiver();
  readonly args = ["--output", `http://127.0.0.1:${this.#receiver.port}/logs`];

  override async open(): Promise<void> {
    this.#receiver.answer = async () => {
      await this.thawed;
      return new Response();
    };
    await this.#receiver.start();
  }

  override check(written: Written, kills: number): Promise<void> {
    const records = this.#receiver.requests.flatMap(({ body }) => linesIn(body))
      .map((record) => JSON.parse(record));
    checkLines(wholeLines(records), written, repeatsOf(kills));
    return Promise.resolve();
  }

  override async close(): Promise<void> {
    await this.#receiver.stop();
  }
}

class Bulk extends RestartOutput {
  readonly #receiver = new HttpReceiver();
  readonly args = [
    ...["--output", `http://127.0.0.1:${this.#receiver.port}/_bulk`],
    ...["--format", "elasticsearch-bulk"],
  ];
  /** By `_id`, what was first stored. */
  readonly #documents = new Map<string, LogRecord>();

  override async open(): Promise<void> {
    this.#receiver.answer = async ({ body }) => {
      const response = this.#store(body);
      await this.thawed;
      return response;
    };
    await this.#receiver.start();
  }

  #store(body: string): Response {
    const lines = linesIn(body);
    const items = [];
    for (let at = 0; at < lines.length; at += 2) {
      const id: string = JSON.parse(lines[at]!).create._id;
      const known = this.#documents.has(id);
      if (!known) this.#documents.set(id, JSON.parse(lines[at + 1]!));
      items.push({ create: { _id: id, status: known ? 409 : 201 } });
    }
    return Response.json({ errors: false, items });
  }

  override check(written: Written): Promise<void> {
    checkLines(wholeLines(this.#documents.values()), written, NO_REPEATS);
    return Promise.resolve();
  }

  override async close(): Promise<void> {
    await this.#receiver.stop();
  }
}

/** A real server, which stores a message with the same id once. */
class Nats extends RestartOutput {
  readonly #server = new NatsServer(this.folder, "nats");
  readonly args = [
    ...["--output", `nats://${this.#server.address}/logs`, "--format", "raw"],
  ];

  override async open(): Promise<void> {
    await this.#server.server.start();
    await withNats(this.#server.address, (nats) => makeStream(nats, "LOGS", ["logs"]));
  }

  override freeze(): void {
    Deno.kill(this.#server.server.pid, "SIGSTOP");
  }

  override melt(): void {
    Deno.kill(this.#server.server.pid, "SIGCONT");
  }

  override async check(written: Written): Promise<void> {
    const messages = await allStored(this.#server.address, "LOGS");
    checkLines(linesIn(messages.map(({ text }) => text).join("")), written, NO_REPEATS);
  }

  override async close(): Promise<void> {
    this.melt();
    await this.#server.server.stop();
  }
}

interface RestartKind {
  readonly open: (folder: string) => RestartOutput;
  /** Two inputs are read, and not one. */
  readonly two?: true;
  /** It waits for nobody, and so is never frozen. */
  readonly isFile?: true;
  /** It takes time: a line costs the test more than some microseconds, a page a wake-up. */
  readonly maxLines?: number;
  readonly maxBytes?: number;
  /** In what it gets, markers cannot be told from what else is missing. */
  readonly unmarked?: true;
}

export const RESTART_KINDS = {
  "file": { open: (folder) => new RawFile(folder), isFile: true },
  "ndjson file": { open: (folder) => new RecordFile(folder, 1), isFile: true },
  "merged file": { open: (folder) => new RecordFile(folder, 2), two: true, isFile: true },
  "own files": { open: (folder) => new OwnFiles(folder), two: true, isFile: true },
  "pipe": { open: (folder) => new Pipe(folder), unmarked: true },
  "fifo": { open: (folder) => new Fifo(folder), maxBytes: 1e6 },
  "tcp": { open: (folder) => new Tcp(folder) },
  "http": { open: (folder) => new Http(folder), maxLines: 50_000 },
  "bulk": { open: (folder) => new Bulk(folder), maxLines: 20_000 },
  "nats": { open: (folder) => new Nats(folder) },
} as const satisfies Record<string, RestartKind>;

export type RestartKindName = keyof typeof RESTART_KINDS;

export function kindOf(name: RestartKindName): RestartKind {
  return RESTART_KINDS[name];
}

/** Those that can be tried here. */
export const RESTART_KIND_NAMES = (Object.keys(RESTART_KINDS) as RestartKindName[])
  .filter((name) => name !== "nats" || !needingNats("").ignore);
