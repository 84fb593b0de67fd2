/** A whole host: a thousand named pipes that come and go while all else happens. */

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
import { checkConservation, numberedLines } from "./numbered_lines.ts";
import { testExecutables } from "./programs.ts";
import { inFolder, type Report, startInShell, summaryIn, until } from "./run.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A service with a named pipe, whose lines are numbered. */
class Service {
  readonly #path: string;
  #descriptor = -1;
  lines = 0;

  constructor(readonly name: string, pipes: string) {
    this.#path = `${pipes}/${name}`;
  }

  makePipe(): void {
    assertEquals(mkfifo(this.#path, 0o600), 0);
  }

  removePipe(): void {
    Deno.removeSync(this.#path);
  }

  /** Waits until somebody reads. */
  async open(): Promise<void> {
    await until(`a reader of ${this.#path}`, () => {
      this.#descriptor = open(this.#path, O_WRONLY | O_NONBLOCK);
      if (this.#descriptor !== -ENXIO) assert(this.#descriptor >= 0, this.#path);
      return this.#descriptor >= 0;
    });
  }

  /** No more than the pipe and the ring hold. */
  write(count: number): void {
    const bytes = encoder.encode(numberedLines(this.lines, count));
    assertEquals(write(this.#descriptor, addressOf(bytes), bytes.length), bytes.length);
    this.lines += count;
  }

  close(): void {
    close(this.#descriptor);
  }

  get text(): string {
    return numberedLines(0, this.lines);
  }
}

/** Its file and those that it was rotated to, the oldest first. */
function rotatedText(path: string): string {
  let text = "";
  for (let number = 1;; number++) {
    try {
      text = Deno.readTextFileSync(`${path}.${number}`) + text;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      return text + Deno.readTextFileSync(path);
    }
  }
}

/** What was counted of those that are there and of those that have gone is all. */
function checkAll(summary: Report): void {
  checkConservation(summary);
  // None has gone where each pipe was back before the program had looked.
  const gone = summary.inputs_gone as Report | undefined;
  if (gone) checkConservation(gone);
  for (const counter of ["lines_in", "bytes_in", "lines_out", "lines_unflushed"]) {
    const there = summary.inputs!.reduce((sum, input) => sum + Number(input[counter]), 0);
    assertEquals(there + Number(gone?.[counter] ?? 0), summary[counter], counter);
  }
}

function descriptorsOf(pid: number): number {
  return Array.from(Deno.readDirSync(`/proc/${pid}/fd`)).length;
}

/** How far it has come: its descriptors, and what is in its files. */
function stateOf(pid: number, folder: string): string {
  let [files, bytes] = [0, 0];
  for (const { name, isFile } of Deno.readDirSync(folder)) {
    if (!isFile) continue;
    files++;
    try {
      bytes += Deno.statSync(`${folder}/${name}`).size;
    } catch (error) {
      // Files are renamed meanwhile.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return `${descriptorsOf(pid)} descriptors, ${bytes} bytes in ${files} files`;
}

/** What the program may have open beyond one for each input and one for each file. */
const OWN_DESCRIPTORS = 64;
const SERVICES = 1000;
const ROUNDS = 5;
const LINES = 8;
/** In each round every so-manieth pipe is removed, and made again. */
const COMES_AND_GOES = 10;

testExecutables(
  "a thousand FIFOs come and go while files rotate and are reopened, and nothing is lost",
  (program) =>
    inFolder(async (folder) => {
      const pipes = `${folder}/pipes`;
      Deno.mkdirSync(pipes);
      const services = Array.from(
        { length: SERVICES },
        (_, index) => new Service(`s${index}`, pipes),
      );
      services.slice(0, SERVICES / 2).forEach((service) => service.makePipe());
      const spillway = startInShell(program, 'ulimit -n 4096; exec "$@"', [
        ...["--fifo", pipes, "--output", `${folder}/{input}.log`],
        ...["--max-size", "2KiB", "--max-files", "20", "--capacity", "64KiB"],
        ...["--report", "json"],
      ]);
      const output = spillway.readAll();
      spillway.enlargeStderr();
      services.slice(SERVICES / 2).forEach((service) => service.makePipe());
      for (const service of services) await service.open();
      for (let round = 0; round < ROUNDS; round++) {
        const going = services.filter((_, index) =>
          index % COMES_AND_GOES === round % COMES_AND_GOES
        );
        for (const service of services) service.write(LINES);
        for (const service of going) service.removePipe();
        await spillway.kill("SIGHUP");
        for (const service of going) {
          // Its writer goes on, and so does what follows it under its name.
          service.write(LINES);
          service.close();
          service.makePipe();
          await service.open();
        }
      }
      for (const service of services) service.write(LINES);
      const last = services.filter((_, index) => index % 2 === 0);
      for (const service of last) {
        service.removePipe();
        service.close();
      }
      const stay = services.filter((service) => !last.includes(service));
      // How long a thousand files take, the disk and the others on this machine say.
      const enough = 2 * stay.length + OWN_DESCRIPTORS;
      while (descriptorsOf(spillway.pid) > enough) {
        const before = stateOf(spillway.pid, folder);
        await until(
          `a descriptor to be let go, or a file to be written: ${before}`,
          () =>
            descriptorsOf(spillway.pid) <= enough ||
            stateOf(spillway.pid, folder) !== before,
          200,
        );
      }
      await spillway.kill("SIGTERM");
      assertEquals(await spillway.code, 0, spillway.stderrSoFar);
      await output;
      const summary = summaryIn(await spillway.stderr);
      checkAll(summary);
      const lines = linesOf(services);
      assertEquals([summary.lines_in, summary.lines_out], [lines, lines]);
      for (const { name, text } of services) {
        assertEquals(rotatedText(`${folder}/${name}.log`), text, name);
      }
      stay.forEach((service) => service.close());
    }),
);

function linesOf(services: readonly Service[]): number {
  return services.reduce((sum, { lines }) => sum + lines, 0);
}

/** Of the outputs, every so-manieth is frozen in one of two ways. */
const FROZEN = 10;

testExecutables(
  "FIFOs come and go while readers of some outputs freeze, and the others get all",
  (program) =>
    inFolder(async (folder) => {
      const [pipes, outputs] = [`${folder}/pipes`, `${folder}/outputs`];
      [pipes, outputs].forEach((path) => Deno.mkdirSync(path));
      const services = Array.from(
        { length: 100 },
        (_, index) => new Service(`s${index}`, pipes),
      );
      const readers = services.map((service, index) => {
        const reader = new SlowReader(`${outputs}/${service.name}`);
        // Without a reader, or with one that never reads.
        if (index % FROZEN !== 0 || index % (2 * FROZEN) === 0) reader.open();
        return reader;
      });
      const flows = (index: number) => index % FROZEN !== 0;
      services.forEach((service) => service.makePipe());
      const spillway = startInShell(program, 'exec "$@"', [
        ...["--fifo", pipes, "--output", `fifo:${outputs}/{input}`],
        ...["--capacity", "64KiB", "--report", "json", "--drain-timeout", "200ms"],
      ]);
      const output = spillway.readAll();
      for (const service of services) await service.open();
      for (let round = 0; round < ROUNDS; round++) {
        for (const service of services) service.write(LINES);
        for (const [index, service] of services.entries()) {
          if (index % 5 !== round) continue;
          service.removePipe();
          service.close();
          service.makePipe();
          await service.open();
        }
      }
      await until("all others to arrive", () => {
        const flowing = readers.filter((_, index) => flows(index));
        flowing.forEach((reader) => reader.read());
        return flowing.every(({ text }, at) =>
          text === services.filter((_, index) => flows(index))[at]!.text
        );
      });
      const all = linesOf(services);
      const written = linesOf(services.filter((_, index) => !flows(index)));
      // What was read is out only when the program has seen that.
      await spillway.counted(
        "all that has arrived",
        (s) => s.lines_in === all && s.lines_out === all - written,
      );
      await spillway.kill("SIGTERM");
      assertEquals(await spillway.code, 4);
      await output;
      const summary = summaryIn(await spillway.stderr);
      checkAll(summary);
      assertEquals(Number(summary.lines_unflushed), written, "what nobody has read");
      readers.forEach((reader) => reader.close());
      services.forEach((service) => service.close());
    }),
);

/** Whoever reads the output of one service. */
class SlowReader {
  readonly #path: string;
  #descriptor = -1;
  readonly #bytes = new Uint8Array(8192);
  text = "";

  constructor(path: string) {
    this.#path = path;
    assertEquals(mkfifo(path, 0o600), 0);
  }

  open(): void {
    this.#descriptor = open(this.#path, O_RDONLY | O_NONBLOCK);
  }

  /** What is there now. */
  read(): void {
    const { length } = this.#bytes;
    const count = read(this.#descriptor, addressOf(this.#bytes), length);
    if (count !== -EAGAIN) assert(count >= 0, this.#path);
    if (count > 0) this.text += decoder.decode(this.#bytes.subarray(0, count));
  }

  close(): void {
    if (this.#descriptor >= 0) close(this.#descriptor);
  }
}
