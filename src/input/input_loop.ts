import { wallClockMicros } from "../system/clock.ts";
import { addressOfMemory } from "../system/memory.ts";
import type { Lane } from "../lane/lane.ts";
import type { Pace } from "./give_way.ts";
import type { LineFramer } from "./line_framer.ts";
import { ENDED, type PipeSource, WOULD_BLOCK } from "./pipe_source.ts";

/** A FIFO whose name leads elsewhere is noticed so soon; an idle reader wakes so often. */
export const LOOK_MS = 2000;
/**
 * A pipe of 64 KiB, the smallest usual one, of which less than this part came in one
 * read, is not full 100 µs later unless it is written to with 600 MB/s.
 */
const SPARSE_PARTS = 8;

/**
 * One input's way from open to closed:
 *
 *      reading ──stop──▶ last bytes ──▶ pushing the rest ──▶ ended
 *         └────────── end of input ────────▲
 */
type State = "reading" | "last bytes" | "pushing the rest" | "ended";

/** What is read; tests put a simulated pipe in its place. */
export type Source = Pick<PipeSource, keyof PipeSource>;

/** One input of the reader: its descriptor, its framer and its state. */
export class InputLoop {
  readonly source: Source;
  readonly framer: LineFramer;
  readonly pace: Pace;
  /**
   * Stops whatever watches the descriptor, which is about to be closed. Afterwards it would
   * be too late: epoll(7) goes on to report a pipe that another process has open as well,
   * as a shim has those of its container, and has no number any more to forget it by.
   */
  beforeClosing = () => {};
  readonly #address: number;
  readonly #waitsForNextWriter: boolean;
  #state: State = "reading";
  /** In "last bytes": what was in the pipe when the stop came and is not yet read. */
  #remainingBytes = 0;
  #nextLookMs = 0;
  /** Its name is to be looked at once. */
  #isToLook = false;
  #bytesRead = 0;
  #sparse = false;
  /** An unfinished line stays where it is, and the next run goes on with it. */
  #leavesRest = false;

  /** What is read is kept in a file: see `LineFramer.expect`. */
  readonly #kept: boolean;

  constructor(
    source: Source,
    framer: LineFramer,
    pace: Pace,
    { memory, kept = false }: Pick<Lane, "memory" | "kept">,
    waitsForNextWriter: boolean,
  ) {
    this.source = source;
    this.framer = framer;
    this.pace = pace;
    this.#address = addressOfMemory(memory);
    this.#waitsForNextWriter = waitsForNextWriter;
    this.#kept = kept;
    // There is nothing but what an earlier run has read.
    if (!source.isOpen) this.#state = "last bytes";
  }

  get ended(): boolean {
    return this.#state === "ended";
  }

  get wantsInput(): boolean {
    return !this.framer.blocked &&
      (this.#state === "reading" && !this.source.unpollable ||
        this.#state === "last bytes");
  }

  /** How many bytes were read in the last round. */
  get bytesRead(): number {
    return this.ended ? 0 : this.#bytesRead;
  }

  /** That was all there was, and little of what the pipe can hold: no hurry to read on. */
  get sparse(): boolean {
    return this.#sparse;
  }

  /** Monotonic time at which `serve` has something to do, in ms; Infinity: never. */
  get deadlineMs(): number {
    const { deadlineMs, discardMs } = this.framer;
    return Math.min(deadlineMs, discardMs, this.#looks ? this.#nextLookMs : Infinity);
  }

  /** Something has happened to its name. */
  lookSoon(): void {
    this.#isToLook = true;
    this.#nextLookMs = 0;
  }

  /**
   * What it waits for is there already, unless somebody else has read it. That it is not
   * reported says nothing: one wait reports only so many.
   */
  get hurries(): boolean {
    return this.#state === "last bytes" && !this.framer.blocked;
  }

  /**
   * What is due after one poll(2).
   *
   * @param ready there was something to read, or an end; only if `wantsInput`
   * @param stopping nothing that is written from now on is wanted
   * @param nowMs monotonic
   * @throws InputError when the input cannot be read; call `finish` then.
   */
  serve(ready: boolean, stopping: boolean, nowMs: number): void {
    this.#bytesRead = 0;
    // While blocked it was not polled, so nothing is known of what it has.
    if (this.framer.blocked) this.#resume(nowMs);
    else if (ready) this.#read(nowMs);
    else if (this.hurries && this.source.pendingBytes === 0) this.finish();
    if (stopping) this.#stop();
    if (!this.ended) this.#tick(nowMs);
  }

  /** Reads once, and hands it to the framer. */
  #read(nowMs: number): void {
    const room = this.#expectLanding(
      this.#state === "last bytes"
        ? Math.min(this.framer.room, this.#remainingBytes)
        : this.framer.room,
    );
    const count = this.source.read(this.#address + this.framer.landAt, room);
    if (count === WOULD_BLOCK) return;
    if (count === ENDED) {
      if (this.#waitsForNextWriter && this.#state === "reading") this.#awaitNextWriter();
      else this.finish();
      return;
    }
    this.#bytesRead = count;
    this.#sparse = count < room && count < this.source.pipeBytes / SPARSE_PARTS;
    this.framer.landed(count, wallClockMicros(), nowMs);
    if (this.#state === "last bytes") {
      this.#remainingBytes -= count;
      if (this.#remainingBytes === 0) this.finish();
    }
  }

  /** The last writer has closed the pipe, and there may be another. */
  #awaitNextWriter(): void {
    this.framer.pushUnfinished();
    this.beforeClosing();
    if (!this.source.awaitNextWriter()) this.finish();
  }

  /** How much of `room` is to be read: what is kept has to know it before. */
  #expectLanding(room: number): number {
    if (!this.#kept) return room;
    // With nothing to be read it is the end, or a byte that has come since.
    const bytes = Math.min(room, Math.max(1, this.source.readableBytes));
    this.framer.expect(bytes);
    return bytes;
  }

  /** Does what has become due. */
  #tick(nowMs: number): void {
    this.framer.tick(nowMs);
    this.framer.discardUnused(nowMs);
    if (!this.#looks || nowMs < this.#nextLookMs) return;
    // Together with all others, so that a thousand inputs do not wake a thousand times.
    this.#nextLookMs = (Math.floor(nowMs / LOOK_MS) + 1) * LOOK_MS;
    this.#isToLook = false;
    this.source.look();
    const { replaced, leaves, unpollable } = this.source;
    if (!replaced && !leaves && !unpollable) return;
    const room = this.#expectLanding(this.framer.room);
    const count = this.source.probe(this.#address + this.framer.landAt, room);
    if (count > 0) {
      this.framer.landed(count, wallClockMicros(), nowMs);
      // Nothing else may tell when it has been read to its end.
      this.lookSoon();
    } else if (count === ENDED) {
      this.#awaitNextWriter();
    }
  }

  /** While the framer is blocked there is no room for what a look may find. */
  get #looks(): boolean {
    return (this.#isToLook || this.source.needsLooks) && this.#state === "reading" &&
      !this.framer.blocked;
  }

  /** From here on only what was written before this moment is read. */
  #stop(): void {
    if (this.#state !== "reading") return;
    this.#state = "last bytes";
    this.#remainingBytes = this.source.pendingBytes;
    // Its writers go on, and the rest of the line is still to come.
    this.#leavesRest = this.#kept && this.source.isNamed;
    if (this.#remainingBytes === 0) this.finish();
  }

  /** Nothing more is read; what has landed is pushed as soon as there is room. */
  finish(): void {
    this.#state = "pushing the rest";
    if (this.#leavesRest && this.framer.endsBetweenPieces) this.framer.pushLines();
    else this.framer.pushUnfinished();
    if (this.framer.blocked) return;
    this.framer.close(wallClockMicros());
    this.#close();
  }

  /** No one will ever take what is read: its writers find out from the pipe that ends. */
  abandon(): void {
    this.#close();
  }

  #close(): void {
    this.#state = "ended";
    this.beforeClosing();
    this.source.close();
  }

  /** The flusher may have freed room. */
  #resume(nowMs: number): void {
    this.framer.unblock(nowMs);
    if (this.#state === "pushing the rest") this.finish();
  }
}
