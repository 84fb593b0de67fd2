/**
 * A thread that can be stopped at every access to a shared word and gone on with
 * from any point it was ever at. It is run again from its beginning each time,
 * with the answers it got before, up to the access that it has no answer for.
 */

import type { Access, Perform } from "./access.ts";

/**
 * Called by a program where it is about to make an access that starts something
 * new. The text says all that it still knows at that moment: two ways to the same
 * text go on as one.
 */
export type Rest = (knows: string) => void;

/** Where a thread is: what it has seen so far. */
export interface Point {
  readonly id: number;
  readonly before: Point | undefined;
  /** What it saw of the ring up to the access, as a key of `Memories`; its own: undefined. */
  readonly memory: number | undefined;
  /** What the access found. */
  readonly found: number;
  readonly access: Access | undefined;
  readonly depth: number;
}

/** No memory: for what a thread does while it does not look at the ring. */
export const UNSEEN = 0;

/** What a thread does next, and what the ring looks like to it at that moment. */
export type Next<Result> =
  & {
    readonly ring: Uint8Array;
    /** Where a recorder is there: what it has seen since the last access. */
    readonly seen: readonly Snapshot[];
    /** What it said in `Rest` since its last access. */
    readonly knows: string | undefined;
  }
  & (
    | { readonly kind: "access"; readonly access: Access }
    | { readonly kind: "ended"; readonly result: Result }
  );

/** The memory of the ring at different times, each kept once. */
export class Memories {
  readonly #keys = new Map<string, number>();
  readonly #contents: Uint8Array[] = [];

  keyOf(content: Uint8Array): number {
    const text = content.join();
    const known = this.#keys.get(text);
    if (known !== undefined) return known;
    this.#keys.set(text, this.#contents.length);
    return this.#contents.push(content.slice()) - 1;
  }

  content(key: number): Uint8Array {
    return this.#contents[key]!;
  }
}

/** Thrown out of the access that has no answer yet; nothing under test catches it. */
class Suspended {
  constructor(readonly access: Access) {}
}

/** No thread makes as many accesses in a scenario; one that does runs in circles. */
const MAX_DEPTH = 400;

/** A thread's own memory at one moment. */
export interface Snapshot {
  readonly id: number;
  readonly memory: Uint8Array;
  /** What it has read or written by then, and how many bytes it has lost. */
  readonly texts: readonly string[];
  readonly lostBytes: number;
}

/** Watches what a thread does between two accesses. */
export interface Recorder {
  begin(): void;
  /** What it has seen since `begin`, the last at the very end. */
  end(): readonly Snapshot[];
}

const NO_RECORDER: Recorder = { begin() {}, end: () => [] };

export class ReplayedThread<Result> {
  readonly beginning: Point;
  /** How often the code under test was run. */
  runs = 0;
  readonly #memories: Memories;
  readonly #ring: Uint8Array;
  readonly #program: (perform: Perform, rest: Rest) => Result;
  readonly #recorder: Recorder;
  readonly #resting = new Map<string, Point>();
  readonly #points = new Map<string, Point>();
  readonly #nexts = new Map<string, Next<Result>>();

  /**
   * @param ring the thread's own copy of the ring's memory
   * @param program runs the code under test from its beginning
   */
  constructor(
    memories: Memories,
    ring: Uint8Array,
    program: (perform: Perform, rest: Rest) => Result,
    recorder = NO_RECORDER,
  ) {
    this.#memories = memories;
    this.#ring = ring;
    this.#program = program;
    this.#recorder = recorder;
    memories.keyOf(new Uint8Array(ring.length));
    const nothing = { before: undefined, memory: undefined, access: undefined };
    this.beginning = { id: 0, ...nothing, found: 0, depth: 0 };
  }

  /**
   * What it does next when it now sees this memory.
   *
   * @param memory undefined for what it has written itself
   */
  next(point: Point, memory?: number): Next<Result> {
    const key = `${point.id} ${memory}`;
    let next = this.#nexts.get(key);
    if (next === undefined) {
      next = this.#replay(point, memory);
      this.#nexts.set(key, next);
    }
    return next;
  }

  /** Where it is after an access at `point`. */
  after(point: Point, access: Access, found: number, memory?: number): Point {
    const key = `${point.id} ${memory} ${found}`;
    let after = this.#points.get(key);
    if (after === undefined) {
      const id = this.#points.size + 1;
      after = { id, before: point, memory, found, access, depth: point.depth + 1 };
      if (after.depth > MAX_DEPTH) throw new Error("a thread runs in circles");
      after = this.#merged(after);
      this.#points.set(key, after);
    }
    return after;
  }

  /** The point that was reached first of all where the thread knows the same. */
  #merged(point: Point): Point {
    const { knows } = this.next(point, point.memory === undefined ? undefined : UNSEEN);
    if (knows === undefined) return point;
    const first = this.#resting.get(knows);
    if (first !== undefined) return first;
    this.#resting.set(knows, point);
    return point;
  }

  #replay(point: Point, memory: number | undefined): Next<Result> {
    const history: Point[] = [];
    for (let at = point; at.before !== undefined; at = at.before) history.unshift(at);
    const seen = [...history.map((point) => point.memory), memory];
    const show = (index: number) => {
      if (memory === undefined) return;
      this.#ring.set(this.#memories.content(seen[index] ?? UNSEEN));
    };
    this.runs++;
    this.#ring.fill(0);
    show(0);
    let made = 0;
    if (history.length === 0) this.#recorder.begin();
    let knows: string | undefined;
    const rest = (text: string) => {
      if (made === history.length) knows = text;
    };
    const perform = (access: Access): number => {
      const answer = history[made];
      if (answer === undefined) throw new Suspended(access);
      made++;
      show(made);
      if (made === history.length) this.#recorder.begin();
      return answer.found;
    };
    try {
      const result = this.#program(perform, rest);
      return { kind: "ended", result, ...this.#met(knows) };
    } catch (thrown) {
      if (!(thrown instanceof Suspended)) throw thrown;
      const { access } = thrown;
      return { kind: "access", access, ...this.#met(knows) };
    }
  }

  #met(knows: string | undefined) {
    return { knows, ring: this.#ring.slice(), seen: this.#recorder.end() };
  }
}
