import { kernels } from "../kernels/kernels.ts";
import { FrameCheck } from "./frame_check.ts";
import { FrameSpace } from "./frame_space.ts";
import { type Lane, MAX_CAPACITY, MIN_CAPACITY } from "./lane.ts";
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
  HEAD,
  HEADER_BYTES,
  LANDING_END,
  LANDING_FROM,
  LANDING_GOAL,
  NEXT_BYTE,
  NEXT_LINE,
  STARTS_INSIDE,
  UNIT,
} from "./layout.ts";
import type { LeftAmount } from "./left_lane.ts";
import { Place } from "./place.ts";
import { Settled } from "./settled.ts";

/** A frame whose header is sound. */
interface Frame {
  /** Where it is in the memory that it was found in. */
  readonly at: number;
  readonly bytes: number;
  readonly lines: number;
  readonly firstLine: number;
  readonly firstByte: number;
  /** When it arrived, in microseconds since 1970. */
  readonly time: number;
  readonly flags: number;
  readonly isSound: boolean;
}

interface Numbers {
  readonly line: number;
  readonly byte: number;
}

/**
 * What can be trusted of a lane when the machine has failed: a disk has some of its pages
 * as they were then, and others as they had been. Nothing is believed but what has a
 * checksum: the frames, wherever in the ring they are, and up to where all was delivered.
 * What is missing shows in their numbers; of what came after the last of them nothing is
 * known. What had only landed is lost, and of what was in the hand that which is no
 * longer in the ring.
 */
export class SoundFrames {
  readonly #lane: Lane;
  /** In order. */
  readonly #frames: Frame[];
  /** The numbers that the first of them should have, and those after the last one known. */
  readonly #from: Numbers;
  readonly #to: Numbers;
  /** When the last one that is known had arrived, in microseconds since 1970; or 0. */
  readonly lastTime: number;

  /** @param lane it is only read, and has a `checkSeed` */
  constructor(lane: Lane) {
    this.#lane = lane;
    const seed = lane.checkSeed!;
    const found = findFrames(lane, seed);
    const settled = new Settled(lane, seed).place;
    this.#from = settled ?? firstOf(found) ?? { line: 0, byte: 0 };
    this.#frames = chosen(found, this.#from);
    // The end of the stream takes room, too.
    while (lengthOf(this.#frames) + HEADER_BYTES > lane.ringBytes) this.#frames.shift();
    this.#to = endOf([...this.#frames, ...found.slice(-1)], this.#from);
    this.lastTime = found.reduce((last, { time }) => Math.max(last, time), 0);
  }

  /** What is delivered of it. */
  get sound(): LeftAmount {
    return {
      lines: this.#frames.reduce((sum, { lines }) => sum + lines, 0),
      bytes: this.#frames.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  /** What is not there, up to the last that is known. */
  get missing(): LeftAmount {
    const { lines, bytes } = this.sound;
    return {
      lines: this.#to.line - this.#from.line - lines,
      bytes: this.#to.byte - this.#from.byte - bytes,
    };
  }

  /** The capacity of a lane that holds all of it. */
  get capacityBytes(): number {
    const bytes = lengthOf(this.#frames) + 2 * HEADER_BYTES;
    return Math.min(MAX_CAPACITY, Math.max(MIN_CAPACITY, bytes));
  }

  /**
   * Puts them into the ring of another lane, which nobody has used, and ends its stream
   * there.
   *
   * @param startTime when the run began whose lines they are, in microseconds since 1970
   */
  copyTo(lane: Lane, startTime: number): void {
    const space = new FrameSpace(lane);
    const check = new FrameCheck(lane, lane.checkSeed!);
    const from = new Uint8Array(this.#lane.memory.buffer);
    const to = new Uint8Array(lane.memory.buffer);
    let position = 0;
    const append = (frame: Frame, payload: readonly Uint8Array[]) => {
      const at = space.offsetOf(position);
      const { view } = space;
      view.setUint32(at + FRAME_BYTES, frame.bytes, true);
      view.setUint32(at + FRAME_LINES, frame.lines, true);
      view.setBigUint64(at + FRAME_FIRST_LINE, BigInt(frame.firstLine), true);
      view.setBigUint64(at + FRAME_FIRST_BYTE, BigInt(frame.firstByte), true);
      view.setFloat64(at + FRAME_TIME, frame.time, true);
      view.setUint32(at + FRAME_FLAGS, frame.flags, true);
      let payloadAt = at + HEADER_BYTES;
      for (const part of payload) {
        to.set(part, payloadAt);
        payloadAt += part.length;
      }
      check.write(at);
      position += frameLength(frame.bytes) / UNIT;
    };
    const { ringAt, ringBytes } = this.#lane;
    for (const frame of this.#frames) {
      const start = ringAt + (frame.at - ringAt + HEADER_BYTES) % ringBytes;
      const first = Math.min(frame.bytes, ringAt + ringBytes - start);
      append(frame, [
        from.subarray(start, start + first),
        from.subarray(ringAt, ringAt + frame.bytes - first),
      ]);
    }
    if (!this.#isEnded) append(this.#endFrame, []);
    this.#writeWords(lane, position, startTime);
  }

  get #isEnded(): boolean {
    return ((this.#frames.at(-1)?.flags ?? 0) & END) !== 0;
  }

  get #endFrame(): Frame {
    return {
      at: 0,
      bytes: 0,
      lines: 0,
      firstLine: this.#to.line,
      firstByte: this.#to.byte,
      time: this.lastTime,
      flags: END,
      isSound: true,
    };
  }

  /** As they are when all of this was pushed, and nothing of it was taken. */
  #writeWords(lane: Lane, head: number, startTime: number): void {
    const { store } = kernels(lane.memory);
    store(lane.at + HEAD, head);
    store(lane.at + NEXT_LINE, this.#to.line);
    store(lane.at + NEXT_BYTE, this.#to.byte);
    for (const word of [LANDING_FROM, LANDING_END, LANDING_GOAL]) {
      store(lane.at + word, this.#to.byte);
    }
    const place = new Place();
    place.line.add(this.#from.line);
    place.byte.add(this.#from.byte);
    place.lastTime = startTime;
    place.writeTo(new DataView(lane.memory.buffer), lane.at);
    new Settled(lane, lane.checkSeed!).note(place);
  }
}

/** All frames whose headers are sound, in the order of their numbers. */
function findFrames(lane: Lane, seed: number): Frame[] {
  const space = new FrameSpace(lane);
  const check = new FrameCheck(lane, seed);
  const frames: Frame[] = [];
  for (let at = lane.ringAt; at < lane.ringAt + lane.ringBytes;) {
    if (!mayBeHeader(space, at, lane.handBytes) || !check.isHeaderSound(at)) {
      at += UNIT;
      continue;
    }
    const frame = frameAt(space, at, check.isPayloadSound(at));
    frames.push(frame);
    // What is in a sound frame needs no look.
    at += frame.isSound ? frameLength(frame.bytes) : UNIT;
  }
  // The end of the stream comes after what ends there.
  return frames.sort((one, other) =>
    endsOf(one).byte - endsOf(other).byte || one.flags - other.flags
  );
}

/** At first sight; text and zeros are none. */
function mayBeHeader(space: FrameSpace, at: number, maxBytes: number): boolean {
  return space.view.getUint32(at, true) <= maxBytes &&
    space.view.getFloat64(space.advance(at, FRAME_TIME), true) > 0;
}

function frameAt(space: FrameSpace, at: number, isSound: boolean): Frame {
  const { view } = space;
  const word = (offset: number) => view.getUint32(space.advance(at, offset), true);
  const number = (offset: number) =>
    Number(view.getBigUint64(space.advance(at, offset), true));
  return {
    at,
    bytes: word(FRAME_BYTES),
    lines: word(FRAME_LINES),
    firstLine: number(FRAME_FIRST_LINE),
    firstByte: number(FRAME_FIRST_BYTE),
    time: view.getFloat64(space.advance(at, FRAME_TIME), true),
    flags: word(FRAME_FLAGS),
    isSound,
  };
}

/** Where nothing else is known, the first line that has its beginning. */
function firstOf(frames: readonly Frame[]): Numbers | undefined {
  const first = frames.find(({ isSound, flags }) =>
    isSound && (flags & STARTS_INSIDE) === 0
  );
  return first && { line: first.firstLine, byte: first.firstByte };
}

/** What is to be delivered from a place on: no rest of a line that is not there. */
function chosen(frames: readonly Frame[], from: Numbers): Frame[] {
  const chosen: Frame[] = [];
  let next = from;
  for (const frame of frames) {
    const { isSound, bytes, flags, firstByte, firstLine } = frame;
    const isEnd = (flags & END) !== 0 && frame === frames.at(-1);
    if (!isSound || bytes === 0 && !isEnd) continue;
    if (firstByte < next.byte || firstLine < next.line) continue;
    const isNext = firstByte === next.byte && firstLine === next.line;
    if (!isNext && (flags & STARTS_INSIDE) !== 0) continue;
    chosen.push(frame);
    next = endsOf(frame);
  }
  return chosen;
}

/** The numbers after the last of them, and of a line that was begun there and not ended. */
function endOf(frames: readonly Frame[], from: Numbers): Numbers {
  let end = from;
  let isOpen = false;
  for (const frame of frames) {
    const next = endsOf(frame);
    if (next.byte <= from.byte && next.line <= from.line) continue;
    end = next;
    isOpen = (frame.flags & (ENDS_INSIDE | END)) === ENDS_INSIDE;
  }
  return isOpen ? { line: end.line + 1, byte: end.byte } : end;
}

function lengthOf(frames: readonly Frame[]): number {
  return frames.reduce((sum, { bytes }) => sum + frameLength(bytes), 0);
}

function endsOf({ firstLine, firstByte, lines, bytes }: Frame): Numbers {
  return { line: firstLine + lines, byte: firstByte + bytes };
}
