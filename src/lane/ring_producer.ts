import { type Kernels, kernels } from "../kernels/kernels.ts";
import { Count64 } from "./count64.ts";
import { FrameCheck } from "./frame_check.ts";
import { FrameSpace } from "./frame_space.ts";
import {
  END,
  FRAME_BYTES,
  FRAME_FIRST_BYTE,
  FRAME_FIRST_LINE,
  FRAME_FLAGS,
  FRAME_LINES,
  FRAME_TIME,
  frameLength,
  HEAD,
  HEADER_BYTES,
  NEXT_BYTE,
  NEXT_LINE,
  ROOM,
  TAIL,
  UNIT,
} from "./layout.ts";
import type { Lane } from "./lane.ts";

export type FullPolicy = "overwrite" | "drop-newest" | "block";

/**
 * The accesses that order the two sides, on the words of layout.ts; tests put a
 * scheduler in their place.
 */
export type RingAtomics = Pick<Kernels, "load" | "store" | "compareExchange">;

/** The ring was used after its producer closed it. */
export class RingClosedError extends Error {
  override readonly name = "RingClosedError";
  constructor() {
    super("the ring is closed");
  }
}

/** The ring holds what neither side can have put there. */
export class RingDamagedError extends Error {
  override readonly name = "RingDamagedError";
  constructor(position: number) {
    super(`the ring is damaged at position ${position}`);
  }
}

/** What became of a push. The producer returns the same object every time. */
export interface Pushed {
  /** `full` only under `block`: nothing was stored or counted; try again. */
  outcome: "stored" | "dropped" | "full";
  /** Lines that ended in frames overwritten by this push. */
  overwrittenLines: number;
  overwrittenBytes: number;
}

/**
 * The writing side of a ring. One per ring, in one thread. It never waits, and
 * calls nothing that could: under `overwrite` it is done after at most as many
 * exchanges as there are frames in the ring.
 */
export class RingProducer {
  readonly #ring: Lane;
  readonly #policy: FullPolicy;
  readonly #atomics: RingAtomics;
  readonly #space: FrameSpace;
  readonly #check: FrameCheck | undefined;
  readonly #pushed: Pushed = {
    outcome: "stored",
    overwrittenLines: 0,
    overwrittenBytes: 0,
  };
  #head: number;
  /** The tail as it was last seen: the ring is never fuller than it says. */
  #tail: number;
  #headOffset: number;
  /** Numbers of the next line and byte that come in. */
  readonly #nextLine = new Count64();
  readonly #nextByte = new Count64();
  readonly #tailAt: number;
  readonly #headAt: number;
  #shortfallBytes = 0;
  #closed = false;

  constructor(
    ring: Lane,
    policy: FullPolicy,
    atomics: RingAtomics = kernels(ring.memory),
  ) {
    this.#ring = ring;
    this.#policy = policy;
    this.#atomics = atomics;
    this.#space = new FrameSpace(ring);
    const { checkSeed } = ring;
    this.#check = checkSeed === undefined ? undefined : new FrameCheck(ring, checkSeed);
    this.#tailAt = ring.at + TAIL;
    this.#headAt = ring.at + HEAD;
    this.#head = atomics.load(this.#headAt);
    this.#tail = atomics.load(this.#tailAt);
    this.#nextLine.readFrom(this.#space.view, ring.at + NEXT_LINE);
    this.#nextByte.readFrom(this.#space.view, ring.at + NEXT_BYTE);
    this.#headOffset = this.#space.offsetOf(this.#head);
  }

  /** The largest payload that one frame may have: the consumer's hand must hold it. */
  get maxPayloadBytes(): number {
    const { handBytes, ringBytes } = this.#ring;
    // One header's room always stays free, for the frame that says END.
    return Math.min(handBytes, ringBytes - 2 * HEADER_BYTES);
  }

  /** Bytes of the ring that everything lost so far would have taken, headers included. */
  get shortfallBytes(): number {
    return this.#shortfallBytes;
  }

  /** True while the consumer has frames to fetch; may be stale by the time it is read. */
  get backlogged(): boolean {
    return this.#atomics.load(this.#tailAt) !== this.#head;
  }

  /** True when the ring is more than half full; may be stale by the time it is read. */
  get crowded(): boolean {
    if (2 * this.#free >= this.#ring.ringBytes) return false;
    this.#moveTail(this.#atomics.load(this.#tailAt));
    return 2 * this.#free < this.#ring.ringBytes;
  }

  /**
   * Stores `bytes` bytes that are at offset `from` of the shared memory as one
   * frame that ends `lines` lines.
   *
   * @param time arrival in microseconds since 1970
   * @throws RingClosedError after `close`; RangeError when no frame can be that large.
   */
  push(from: number, bytes: number, lines: number, flags: number, time: number): Pushed {
    if (this.#closed) throw new RingClosedError();
    if (bytes > this.maxPayloadBytes) {
      throw new RangeError(`a frame of ${bytes} bytes does not fit the ring`);
    }
    const pushed = this.#pushed;
    pushed.overwrittenLines = 0;
    pushed.overwrittenBytes = 0;
    if (!this.#makeRoom(frameLength(bytes) + HEADER_BYTES)) {
      if (this.#policy === "block") {
        pushed.outcome = "full";
        return pushed;
      }
      // The frame's numbers are used up; the next frame's tell the consumer.
      this.#count(bytes, lines);
      // An empty frame only carries numbers; nothing is lost without it.
      if (bytes > 0) this.#shortfallBytes += frameLength(bytes);
      pushed.outcome = "dropped";
      return pushed;
    }
    this.#write(from, bytes, lines, flags, time);
    pushed.outcome = "stored";
    return pushed;
  }

  /**
   * Ends the stream. What is in the ring stays there for the consumer; there is
   * always room for the last frame, whose numbers show what was dropped before.
   *
   * @param unfinishedLines 1 when the input ended inside a line, else 0
   * @throws RingClosedError when closed before.
   */
  close(unfinishedLines: number, flags: number, time: number): void {
    if (this.#closed) throw new RingClosedError();
    this.#closed = true;
    this.#write(0, 0, unfinishedLines, flags | END, time);
  }

  /** Under `block`: asks the consumer to say when it has freed space. */
  requestRoom(): void {
    this.#atomics.store(this.#ring.at + ROOM, 1);
  }

  #makeRoom(needed: number): boolean {
    if (this.#free >= needed) return true;
    this.#moveTail(this.#atomics.load(this.#tailAt));
    while (this.#free < needed) {
      if (this.#policy !== "overwrite") return false;
      this.#overwriteOldest();
    }
    return true;
  }

  get #free(): number {
    return this.#ring.ringBytes - (this.#head - this.#tail) * UNIT;
  }

  #overwriteOldest(): void {
    const tail = this.#tail;
    const { view } = this.#space;
    const frame = this.#space.offsetOf(tail);
    const bytes = view.getUint32(this.#space.advance(frame, FRAME_BYTES), true);
    const lines = view.getUint32(this.#space.advance(frame, FRAME_LINES), true);
    const next = tail + frameLength(bytes) / UNIT;
    if (next > this.#head) throw new RingDamagedError(tail);
    // Moved before a byte of the frame is written over: a consumer that is
    // copying it will fail its own exchange and throw the copy away.
    const found = this.#atomics.compareExchange(this.#tailAt, tail, next);
    if (found === tail) {
      this.#tail = next;
      this.#pushed.overwrittenLines += lines;
      this.#pushed.overwrittenBytes += bytes;
      this.#shortfallBytes += frameLength(bytes);
    } else {
      // The consumer has taken frames in the meantime, and so made room itself.
      this.#moveTail(found);
    }
  }

  /** Both sides move the tail, and only forwards, up to the head. */
  #moveTail(tail: number): void {
    if (tail < this.#tail || tail > this.#head) throw new RingDamagedError(tail);
    this.#tail = tail;
  }

  #count(bytes: number, lines: number): void {
    const { view } = this.#space;
    this.#nextLine.add(lines);
    this.#nextLine.writeTo(view, this.#ring.at + NEXT_LINE);
    this.#nextByte.add(bytes);
    this.#nextByte.writeTo(view, this.#ring.at + NEXT_BYTE);
  }

  #write(from: number, bytes: number, lines: number, flags: number, time: number): void {
    const frame = this.#headOffset;
    const { view } = this.#space;
    this.#space.copyIn(frame, from, bytes);
    view.setUint32(this.#space.advance(frame, FRAME_BYTES), bytes, true);
    view.setUint32(this.#space.advance(frame, FRAME_LINES), lines, true);
    this.#nextLine.writeTo(view, this.#space.advance(frame, FRAME_FIRST_LINE));
    this.#nextByte.writeTo(view, this.#space.advance(frame, FRAME_FIRST_BYTE));
    view.setFloat64(this.#space.advance(frame, FRAME_TIME), time, true);
    view.setUint32(this.#space.advance(frame, FRAME_FLAGS), flags, true);
    this.#check?.write(frame);
    const length = frameLength(bytes);
    this.#headOffset = this.#space.advance(frame, length);
    this.#head += length / UNIT;
    // Last of the frame: whoever sees this head sees the whole frame before it.
    this.#atomics.store(this.#headAt, this.#head);
    // After it, or what is counted and not in the ring would be missing after a crash.
    this.#count(bytes, lines);
  }
}
