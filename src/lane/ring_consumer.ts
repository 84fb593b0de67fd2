import { kernels } from "../kernels/kernels.ts";
import type { Batch } from "./batch.ts";
import { Count64 } from "./count64.ts";
import { FrameSpace } from "./frame_space.ts";
import {
  END,
  ENDS_INSIDE,
  FRAME_BYTES,
  FRAME_FIRST_BYTE,
  FRAME_FIRST_LINE,
  FRAME_FLAGS,
  FRAME_LINES,
  FRAME_TIME,
  frameLength,
  HAND_FRAME_ENDS,
  HAND_FRAME_TIMES,
  HEAD,
  MAX_BATCH_FRAMES,
  ROOM,
  STARTS_INSIDE,
  TAIL,
  UNIT,
} from "./layout.ts";
import { HandJournal } from "./hand_journal.ts";
import type { Lane } from "./lane.ts";
import { Place } from "./place.ts";
import { Settled } from "./settled.ts";
import { type RingAtomics, RingDamagedError } from "./ring_producer.ts";

const EMPTY_BATCH = {
  bytes: 0,
  lines: 0,
  firstLine: 0,
  firstByte: 0,
  frames: 0,
  startsInside: false,
  end: false,
  gapLines: 0,
  gapBytes: 0,
  gapFrom: 0,
  gapTo: 0,
};

/**
 * The reading side of a ring. One per ring, in one thread. It never waits: what
 * it finds overtaken by the producer it throws away, and looks again.
 */
export class RingConsumer {
  readonly #ring: Lane;
  readonly #atomics: RingAtomics;
  readonly #space: FrameSpace;
  readonly #tailAt: number;
  readonly #headAt: number;
  readonly #roomAt: number;
  readonly #batch: Batch;
  readonly #journal: HandJournal | undefined;
  readonly #settled: Settled | undefined;
  /** Arrival of what an earlier run had taken last, in microseconds since 1970; or 0. */
  readonly lastTime: number;
  /** After the last frame that was taken. */
  #place = new Place();
  /** After the frames that are being copied: not true until they are claimed. */
  #walk = new Place();
  /** The numbers in the header of the frame that is being copied. */
  readonly #firstLine = new Count64();
  readonly #firstByte = new Count64();
  #ended = false;
  #frameLimit = MAX_BATCH_FRAMES;

  /** @param startTime what `gapFrom` says when the very first lines are missing */
  constructor(
    ring: Lane,
    startTime: number,
    atomics: RingAtomics = kernels(ring.memory),
  ) {
    this.#ring = ring;
    this.#atomics = atomics;
    this.#tailAt = ring.at + TAIL;
    this.#headAt = ring.at + HEAD;
    this.#roomAt = ring.at + ROOM;
    this.#space = new FrameSpace(ring);
    this.#journal = ring.kept ? new HandJournal(ring) : undefined;
    const { checkSeed } = ring;
    this.#settled = checkSeed === undefined ? undefined : new Settled(ring, checkSeed);
    this.#place.readFrom(this.#space.view, ring.at);
    this.lastTime = this.#place.lastTime;
    this.#place.lastTime ||= startTime;
    const { buffer } = ring.memory;
    this.#batch = {
      ...EMPTY_BATCH,
      frameEnds: new Uint32Array(buffer, ring.at + HAND_FRAME_ENDS, MAX_BATCH_FRAMES),
      frameTimes: new Float64Array(buffer, ring.at + HAND_FRAME_TIMES, MAX_BATCH_FRAMES),
    };
  }

  /** Where it is written down what is in the hand, in a lane that is kept. */
  get journal(): HandJournal | undefined {
    return this.#journal;
  }

  /** The batch that an earlier run has left in the hand, if there is one. */
  resume(): Batch | undefined {
    if (!this.#journal?.isHeld) return undefined;
    this.#journal.readInto(this.#batch);
    // Within a batch nothing is missing, and its place is after it.
    this.#batch.firstByte = this.#place.byte.value - this.#batch.bytes;
    this.#ended = this.#batch.end;
    return this.#batch.end || this.#batch.frames > 0 ? this.#batch : undefined;
  }

  /** True after the batch whose `end` is set. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Bytes that were still in the ring when they were given up, because
   * the beginning of their line was lost. They are part of a gap.
   */
  get discardedBytes(): number {
    return this.#place.discardedBytes;
  }

  /** The lines of `discardedBytes`. */
  get discardedLines(): number {
    return this.#place.discardedLines;
  }

  /**
   * Arrival of the oldest frame, or undefined when the ring is empty. A hint: the
   * producer may be overwriting that frame at this moment.
   */
  peekTime(): number | undefined {
    const frame = this.#oldest();
    return frame === undefined
      ? undefined
      : this.#space.view.getFloat64(this.#space.advance(frame, FRAME_TIME), true);
  }

  /** Payload of the oldest frame, 0 when the ring is empty. A hint, as `peekTime`. */
  peekBytes(): number {
    const frame = this.#oldest();
    return frame === undefined
      ? 0
      : this.#space.view.getUint32(this.#space.advance(frame, FRAME_BYTES), true);
  }

  #oldest(): number | undefined {
    const tail = this.#atomics.load(this.#tailAt);
    return tail === this.#atomics.load(this.#headAt)
      ? undefined
      : this.#space.offsetOf(tail);
  }

  /**
   * Takes the oldest frames, as many as the hand holds, up to the next gap and
   * not past `untilTime` (but at least one), and copies them into the hand.
   * Undefined when there is nothing to deliver at this moment.
   */
  drain(maxFrames = MAX_BATCH_FRAMES, untilTime = Infinity): Batch | undefined {
    for (;;) {
      this.#release();
      const tail = this.#atomics.load(this.#tailAt);
      const head = this.#atomics.load(this.#headAt);
      if (tail === head) return undefined;
      // More than the ring holds: overtaken between the two loads. What is
      // there then leads the walk anywhere, but not further than once round.
      const available = Math.min((head - tail) * UNIT, this.#ring.ringBytes);
      const frames = Math.min(maxFrames, this.#frameLimit);
      const length = this.#copyFrames(tail, available, frames, untilTime);
      const next = tail + length / UNIT;
      if (length > 0 && this.#hold(tail, next) && this.#claim(tail, next)) {
        this.#frameLimit = Math.min(MAX_BATCH_FRAMES, this.#frameLimit * 2);
        if (this.#commit()) return this.#batch;
      } else {
        // The producer is overwriting what was copied. The less is copied, the
        // less likely it is to come in between.
        this.#frameLimit = 1;
        this.#assertOvertaken(tail);
      }
    }
  }

  /** What is in the hand has been delivered. */
  #release(): void {
    if (this.#journal?.isHeld) this.#settled?.note(this.#place);
    this.#journal?.release();
  }

  /** True once after the producer has asked for room and space was freed since. */
  takeRoomRequest(): boolean {
    return this.#atomics.load(this.#roomAt) === 1 &&
      this.#atomics.compareExchange(this.#roomAt, 1, 0) === 1;
  }

  /**
   * Copies frames into the hand without owning them, and moves `#walk` past them;
   * stops at what looks torn. Returns how many bytes of the ring they take.
   */
  #copyFrames(
    tail: number,
    available: number,
    maxFrames: number,
    untilTime: number,
  ): number {
    const batch = this.#batch;
    const walk = this.#walk;
    walk.copyFrom(this.#place);
    batch.bytes = batch.lines = batch.frames = 0;
    batch.startsInside = batch.end = false;
    let frame = this.#space.offsetOf(tail);
    let walked = 0;
    while (walked < available && batch.frames < maxFrames) {
      const length = this.#copyFrame(frame, available - walked, untilTime);
      if (length === 0) break;
      walked += length;
      frame = this.#space.advance(frame, length);
    }
    // The stream may end with a gap that no frame comes after.
    if (batch.end && batch.frames === 0) this.#startBatch();
    return walked;
  }

  /** One frame of `#copyFrames`; 0 when it must not or cannot be part of this batch. */
  #copyFrame(frame: number, available: number, untilTime: number): number {
    const batch = this.#batch;
    const walk = this.#walk;
    const { view } = this.#space;
    const bytes = view.getUint32(this.#space.advance(frame, FRAME_BYTES), true);
    const length = frameLength(bytes);
    if (length > available || batch.bytes + bytes > this.#ring.handBytes) return 0;
    const lines = view.getUint32(this.#space.advance(frame, FRAME_LINES), true);
    const time = view.getFloat64(this.#space.advance(frame, FRAME_TIME), true);
    const flags = view.getUint32(this.#space.advance(frame, FRAME_FLAGS), true);
    this.#firstLine.readFrom(view, this.#space.advance(frame, FRAME_FIRST_LINE));
    this.#firstByte.readFrom(view, this.#space.advance(frame, FRAME_FIRST_BYTE));
    const missing = this.#firstByte.minus(walk.byte);
    const missingLines = this.#firstLine.minus(walk.line);
    // Numbers only grow.
    if (missing < 0 || missingLines < 0) return 0;
    const isNext = missing === 0 && missingLines === 0;
    if (batch.frames > 0 && (!isNext || time > untilTime)) return 0;

    walk.gapBytes += missing;
    walk.gapLines += missingLines;
    walk.byte.copyFrom(this.#firstByte);
    walk.byte.add(bytes);
    walk.line.copyFrom(this.#firstLine);
    walk.line.add(lines);
    batch.end = (flags & END) !== 0;
    walk.inside = (flags & ENDS_INSIDE) !== 0;
    const startsInside = (flags & STARTS_INSIDE) !== 0;
    if (batch.frames === 0) {
      batch.gapTo = time;
      batch.startsInside = startsInside;
      batch.firstLine = this.#firstLine.value;
      batch.firstByte = this.#firstByte.value;
    }
    if (startsInside && walk.gapBytes > 0) {
      // The beginning of this line is lost, so the rest goes with it.
      walk.gapBytes += bytes;
      walk.gapLines += lines;
      walk.discardedBytes += bytes;
      walk.discardedLines += lines;
      return length;
    }
    if (batch.frames === 0) this.#startBatch();
    this.#space.copyOut(this.#ring.handAt + batch.bytes, frame, bytes);
    batch.bytes += bytes;
    batch.lines += lines;
    batch.frameEnds[batch.frames] = batch.bytes;
    batch.frameTimes[batch.frames] = time;
    batch.frames++;
    walk.lastTime = time;
    return length;
  }

  /** The gap before the batch is known now, and is the batch's to tell. */
  #startBatch(): void {
    const batch = this.#batch;
    const walk = this.#walk;
    batch.gapFrom = walk.lastTime;
    batch.gapLines = walk.gapLines;
    batch.gapBytes = walk.gapBytes;
    walk.gapLines = walk.gapBytes = 0;
  }

  /**
   * Writes down what is in the hand, before it leaves the ring. The copy is sound if the
   * producer had not come so far after it; then it may be delivered whatever comes of the
   * claim.
   */
  #hold(tail: number, position: number): boolean {
    if (this.#journal === undefined) return true;
    if (this.#atomics.load(this.#tailAt) !== tail) return false;
    this.#journal.hold(this.#batch, this.#walk, position);
    return true;
  }

  /**
   * Frees the frames up to `position`, unless the producer has overwritten one.
   * If it succeeds the copy is sound: the producer writes over these bytes only
   * after it has seen a tail that comes after this exchange.
   */
  #claim(tail: number, position: number): boolean {
    return this.#atomics.compareExchange(this.#tailAt, tail, position) === tail;
  }

  /** Makes the walk true; false when it held nothing but discarded pieces. */
  #commit(): boolean {
    const batch = this.#batch;
    [this.#place, this.#walk] = [this.#walk, this.#place];
    this.#place.writeTo(this.#space.view, this.#ring.at);
    this.#ended = batch.end;
    return batch.end || batch.frames > 0;
  }

  /** Frames that look torn while nobody has overtaken them: the ring is broken. */
  #assertOvertaken(tail: number): void {
    // An exchange and not a load: it is ordered after the reads that looked torn.
    if (this.#claim(tail, tail)) throw new RingDamagedError(tail);
  }
}
