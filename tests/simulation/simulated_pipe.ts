import type { Source } from "../../src/input/input_loop.ts";
import { ENDED, WOULD_BLOCK } from "../../src/input/pipe_source.ts";
import { addressOfMemory } from "../../src/system/memory.ts";
import type { InputScenario } from "./scenario.ts";

/** Each input has letters of its own, so that no line of another looks the same. */
const LETTERS = ["ABCDEFGHIJKLM", "NOPQRSTUVWXYZ", "abcdefghijklm"];

/** All that is written, and where each write ends. */
function textOf({ writes }: InputScenario, letters: string) {
  const parts: string[] = [];
  const ends: number[] = [];
  let [length, line] = [0, 0];
  for (const { lineBytes, lines, ends: endsLine } of writes) {
    let part = "";
    for (let count = 0; count < lines; count++, line++) {
      const letter = letters[line % letters.length]!;
      part += `${line}`.padEnd(lineBytes, letter).slice(0, lineBytes) + "\n";
    }
    if (!endsLine) part = part.slice(0, -1);
    length += part.length;
    parts.push(part);
    ends.push(length);
  }
  return { text: parts.join(""), ends };
}

/** A kernel pipe with its writers, in the place of a `PipeSource`. */
export class SimulatedPipe implements Source {
  readonly name: string;
  readonly needsLooks: boolean;
  readonly leaves = false;
  readonly isNamed: boolean;
  readonly isOpen = true;
  readonly unpollable = false;
  readonly replaced = false;
  readonly pipeBytes = 64 * 1024;
  /** The most that a read finds. */
  readBytes = Infinity;
  readonly #scenario: InputScenario;
  readonly #text: string;
  readonly #bytes: Uint8Array;
  readonly #ends: readonly number[];
  #memory!: Uint8Array;
  #address = 0;
  #nextWrite = 0;
  #written = 0;
  #read = 0;
  #open = true;
  /** The last writer has left, and no one has waited for the next one since. */
  #hungUp = false;

  /** @param descriptor also says which letters it writes */
  constructor(scenario: InputScenario, readonly descriptor: number) {
    this.name = `the simulated input ${descriptor}`;
    this.needsLooks = this.isNamed = scenario.fifo;
    this.#scenario = scenario;
    const { text, ends } = textOf(scenario, LETTERS[descriptor]!);
    this.#text = text;
    this.#ends = ends;
    this.#bytes = new TextEncoder().encode(text);
  }

  /** What is read goes to that memory from now on. */
  readInto(memory: WebAssembly.Memory): void {
    this.#memory = new Uint8Array(memory.buffer);
    this.#address = addressOfMemory(memory);
  }

  /** Everything that has been read so far. */
  get readText(): string {
    return this.#text.slice(0, this.#read);
  }

  get written(): number {
    return this.#written;
  }

  /** Its writers have nothing more to write. */
  get done(): boolean {
    return !this.#open;
  }

  /** One write(2), or the part of it that there is room for. False: there is none. */
  write(): boolean {
    if (!this.#open) return false;
    const room = this.#read + this.#scenario.pipeBytes - this.#written;
    const end = this.#ends[this.#nextWrite];
    if (end === undefined) {
      this.#open = false;
      this.#hungUp = true;
      return true;
    }
    this.#hungUp = false;
    const length = Math.min(room, end - this.#written);
    this.#written += length;
    if (this.#written === end) {
      const { leaves } = this.#scenario.writes[this.#nextWrite]!;
      this.#nextWrite++;
      this.#hungUp = leaves && this.#scenario.fifo;
      return true;
    }
    return length > 0;
  }

  /** What poll(2) says. */
  get readable(): boolean {
    return this.#read < this.#written || this.#hungUp;
  }

  read(address: number, length: number): number {
    const rest = this.#written - this.#read;
    const count = Math.min(rest, length, this.readBytes);
    if (count === 0) return this.#hungUp ? ENDED : WOULD_BLOCK;
    const to = address - this.#address;
    this.#memory.set(this.#bytes.subarray(this.#read, this.#read + count), to);
    this.#read += count;
    return count;
  }

  probe(address: number, length: number): number {
    return this.read(address, length);
  }

  get pendingBytes(): number {
    return this.#written - this.#read;
  }

  get readableBytes(): number {
    return Math.min(this.pendingBytes, this.readBytes);
  }

  awaitNextWriter(): boolean {
    this.#hungUp = false;
    return true;
  }

  look(): void {}

  close(): void {}
}
