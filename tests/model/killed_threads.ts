/**
 * The reader's side and the outlet of a lane that is kept, the real code of both, and
 * what a run that comes after them finds wherever both are killed: in every order of their
 * accesses, after each store that either has made since its last one.
 */

import { assert, assertEquals } from "@std/assert";
import type { Outgoing } from "../../src/formats/format.ts";
import { LineFramer } from "../../src/input/line_framer.ts";
import { FrameSpace } from "../../src/lane/frame_space.ts";
import { kernels } from "../../src/kernels/kernels.ts";
import type { Lane } from "../../src/lane/lane.ts";
import { LaneCounters } from "../../src/lane/lane_counters.ts";
import {
  FRAME_BYTES,
  HAND_FRAME_ENDS,
  HAND_FRAME_TIMES,
  HEAD,
  NEXT_LINE,
  OUTLET_COUNTERS,
  ROOM,
  TAIL,
  WORD,
} from "../../src/lane/layout.ts";
import { LeftLane } from "../../src/lane/left_lane.ts";
import { RingProducer } from "../../src/lane/ring_producer.ts";
import type { Sink } from "../../src/output/sink.ts";
import type { Wait } from "../../src/output/wait.ts";
import { follow, keptOutlet, recover } from "../lane/recovered_lane.ts";
import { StoreWatch } from "../lane/store_watch.ts";
import { type Perform, ringAtomics, type Words } from "./access.ts";
import {
  type Explored,
  type Garbage,
  Interleavings,
  type Model,
} from "./interleavings.ts";
import type { Recorder, Rest, Snapshot } from "./replayed_thread.ts";
import { ringMemory, type Scenario, TailSeen } from "./ring_threads.ts";

/** `frames` are what one read brings each, whatever lines that makes. */
export interface KilledScenario extends Scenario {
  readonly output: "file" | "pipe";
  /** How much each write takes at most, one after the other; then all. */
  readonly takes: readonly number[];
}

const MAX_LINE_BYTES = 40;
/** Longer than whole lines wait for company, and shorter than unfinished ones wait. */
const READ_EVERY_MS = 20;
/** Of one batch; so much of their words is looked at. */
const MAX_FRAMES = 16;
const MAX_STEPS = 200;
/** More than preparing a lane stores. */
const MAX_STORES_TO_PREPARE = 50;

/** Where one of the two stores, from and to. */
type Areas = readonly (readonly [number, number])[];

function areasOfReader({ landingAt, landingBytes, ringAt, ringBytes }: Lane): Areas {
  return [
    [NEXT_LINE, OUTLET_COUNTERS],
    [landingAt, landingAt + landingBytes],
    [ringAt, ringAt + ringBytes],
  ];
}

function areasOfOutlet({ handAt, handBytes }: Lane): Areas {
  return [
    [OUTLET_COUNTERS, HAND_FRAME_ENDS + 4 * MAX_FRAMES],
    [HAND_FRAME_TIMES, HAND_FRAME_TIMES + WORD * MAX_FRAMES],
    [handAt - WORD, handAt + handBytes],
  ];
}

/** Keeps a thread's own areas as they are before each store, and at the end. */
class Snapshots implements Recorder {
  /** What the thread has read, or its sink has taken, and what it has lost. */
  texts: string[] = [];
  lostBytes = 0;
  readonly #watch: StoreWatch;
  readonly #bytes: Uint8Array;
  readonly #areas: Areas;
  /** By what they hold, all that were ever made. */
  readonly #known = new Map<string, Snapshot>();
  #made: Snapshot[] | undefined;

  constructor(watch: StoreWatch, { memory }: Lane, areas: Areas) {
    this.#watch = watch;
    this.#bytes = new Uint8Array(memory.buffer);
    this.#areas = areas;
  }

  /** The thread begins from its beginning. */
  reset(): void {
    this.#bytes.fill(0);
    this.texts = [];
    this.lostBytes = 0;
  }

  begin(): void {
    this.#made = [];
    this.#watch.onStore = () => this.take();
  }

  end(): readonly Snapshot[] {
    this.take();
    this.#watch.onStore = undefined;
    const made = this.#made ?? [];
    this.#made = undefined;
    return made;
  }

  /** Also before what changes no memory of the lane. */
  take(): void {
    if (this.#made === undefined) return;
    const memory = this.content();
    const key = `${this.lostBytes} ${JSON.stringify(this.texts)}${latin1(memory)}`;
    let snapshot = this.#known.get(key);
    if (snapshot === undefined) {
      const { lostBytes } = this;
      snapshot = { id: this.#known.size, memory, texts: [...this.texts], lostBytes };
      this.#known.set(key, snapshot);
    }
    if (this.#made.at(-1) !== snapshot) this.#made.push(snapshot);
  }

  content(): Uint8Array {
    const content = new Uint8Array(
      this.#areas.reduce((sum, [from, to]) => sum + to - from, 0),
    );
    let at = 0;
    for (const [from, to] of this.#areas) {
      content.set(this.#bytes.subarray(from, to), at);
      at += to - from;
    }
    return content;
  }
}

function restore(bytes: Uint8Array, areas: Areas, content: Uint8Array): void {
  let at = 0;
  for (const [from, to] of areas) {
    bytes.set(content.subarray(at, at + to - from), from);
    at += to - from;
  }
}

/** An output that outlives those who write to it. */
class KeptOutput implements Sink {
  readonly #kind: KilledScenario["output"];
  readonly #takes: number[];
  readonly #texts: string[];
  readonly #onTake: () => void;
  #isAfterNewline: boolean;
  onAppending: Sink["onAppending"];

  /** @param texts what it has taken so far, piece by piece, to which it adds */
  constructor(
    { output, takes }: Pick<KilledScenario, "output" | "takes">,
    texts: string[],
    onTake = () => {},
  ) {
    this.#kind = output;
    this.#takes = [...takes];
    this.#texts = texts;
    this.#onTake = onTake;
    this.#isAfterNewline = /(^|\n)$/.test(texts.join(""));
  }

  get takesLeft(): number {
    return this.#takes.length;
  }

  write(piece: Outgoing, from: number, wait: Wait): number {
    const text = latin1(
      piece.bytes.slice(from, from + (this.#takes.shift() ?? Infinity)),
    );
    if (text === "") {
      wait.until(0);
      return 0;
    }
    if (this.#kind === "file") {
      // As a file that ends inside a line, which nobody goes on with.
      if (!this.#isAfterNewline) this.#texts.push("\n");
      this.#isAfterNewline = true;
      this.onAppending?.(FILE, this.#texts.join("").length);
    }
    this.#onTake();
    this.#texts.push(text);
    return text.length;
  }

  contentFrom(identity: string, bytes: number): Uint8Array | undefined {
    if (this.#kind !== "file" || identity !== FILE) return undefined;
    return new TextEncoder().encode(this.#texts.join("").slice(bytes));
  }

  goOn(): void {
    this.#isAfterNewline = true;
  }

  finish(): boolean {
    return true;
  }
}

const FILE = "8:1:4711";

/**
 * Kills and recovers in every state.
 *
 * @throws Error that shows the order of accesses after which something is lost, torn, or
 * comes again that must not.
 */
export function exploreKilled(
  scenario: KilledScenario,
  garbage: Garbage | undefined,
): Explored & { readonly kills: number } {
  const watch = new StoreWatch();
  const uninstall = watch.install();
  try {
    const { model, recovery } = killedModel(scenario, watch);
    const explored = new Interleavings(model, garbage).explore();
    return { ...explored, kills: recovery.kills };
  } finally {
    uninstall();
  }
}

function killedModel(scenario: KilledScenario, watch: StoreWatch) {
  const [mine, theirs, left] = [0, 1, 2].map((): Lane => ({
    ...ringMemory(scenario.ringBytes),
    kept: true,
  })) as [Lane, Lane, Lane];
  const input = scenario.frames.join("");
  const reader = new Snapshots(watch, mine, areasOfReader(mine));
  const outlet = new Snapshots(watch, theirs, areasOfOutlet(theirs));
  const recovery = new Recovery(scenario, input, left, watch);
  const model: Model<void, string> = {
    position: scenario.position,
    mine,
    theirs,
    recorders: { producer: reader, consumer: outlet },
    produce: (perform, rest) => read(scenario, mine, perform, rest, reader),
    consume: (perform, rest) => deliver(scenario, theirs, perform, rest, outlet, watch),
    atState: (read, delivered, words) => recovery.check(read, delivered, words),
    checkEnd: (_, output) => assertEquals(follow(input, output).inputAt, input.length),
  };
  return { model, recovery };
}

/** Reads all there is, rings after each read, and closes. */
function read(
  scenario: KilledScenario,
  lane: Lane,
  makeAccess: Perform,
  rest: Rest,
  snapshots: Snapshots,
): void {
  snapshots.reset();
  const seen = new TailSeen();
  const perform = seen.watch(losing(scenario, lane, makeAccess, snapshots));
  const producer = new RingProducer(lane, scenario.policy, ringAtomics(perform));
  const counters = new LaneCounters(lane);
  const framer = new LineFramer(lane, producer, counters, MAX_LINE_BYTES, () => {});
  const ring = () => void perform({ kind: "add", word: "bell", amount: 1 });
  let nowMs = 0;
  for (const text of scenario.frames) {
    rest(`${nowMs} ${seen.tail} ${latin1(snapshots.content())}`);
    // There was nothing to be read.
    framer.expect(text.length + 2);
    snapshots.take();
    framer.expect(text.length);
    snapshots.take();
    // What read(2) does, in one step.
    new Uint8Array(lane.memory.buffer).set(new TextEncoder().encode(text), framer.landAt);
    snapshots.texts.push(text);
    framer.landed(text.length, nowMs * 1000, nowMs);
    // Nor is there now, before what has come is pushed.
    framer.expect(1);
    framer.tick(nowMs += READ_EVERY_MS);
    ring();
  }
  framer.pushUnfinished();
  framer.close(nowMs * 1000);
  ring();
}

/** Notes how much of the ring the producer has given up, when it does. */
function losing(
  { policy }: KilledScenario,
  lane: Lane,
  makeAccess: Perform,
  snapshots: Snapshots,
): Perform {
  const space = new FrameSpace(lane);
  // What is dropped was never there.
  if (policy === "drop-newest") snapshots.lostBytes = Infinity;
  return (access) => {
    const found = makeAccess(access);
    if (access.kind === "compareExchange" && found === access.expected) {
      const frame = space.offsetOf(access.expected);
      snapshots.lostBytes += space.view.getUint32(
        space.advance(frame, FRAME_BYTES),
        true,
      );
    }
    return found;
  };
}

/** Delivers until the end, and returns all that it has delivered. */
function deliver(
  scenario: KilledScenario,
  lane: Lane,
  makeAccess: Perform,
  rest: Rest,
  snapshots: Snapshots,
  watch: StoreWatch,
): string {
  snapshots.reset();
  const seen = new TailSeen();
  const perform = seen.watch(makeAccess);
  watch.words = { ...ringAtomics(perform), isShared: (at) => SHARED.includes(at) };
  const sink = new KeptOutput(scenario, snapshots.texts, () => snapshots.take());
  const outlet = keptOutlet(lane, sink);
  let called = true;
  for (let step = 0; step < MAX_STEPS; step++) {
    const knows = `${seen.claimed} ${seen.claims} ${sink.takesLeft} ${called}`;
    rest(`${knows} ${snapshots.texts} ${latin1(snapshots.content())}`);
    if (!called) perform({ kind: "poll", word: "bell" });
    if (outlet.step(0) === "ended") return snapshots.texts.join("");
    called = !outlet.wantsLines;
  }
  throw new Error("the outlet does not end");
}

const SHARED = [TAIL, HEAD, ROOM];

/** The run after the one that was killed. */
class Recovery {
  readonly #scenario: KilledScenario;
  readonly #input: string;
  readonly #lane: Lane;
  readonly #bytes: Uint8Array;
  readonly #watch: StoreWatch;
  readonly #checked = new Set<string>();

  constructor(scenario: KilledScenario, input: string, lane: Lane, watch: StoreWatch) {
    this.#scenario = scenario;
    this.#input = input;
    this.#lane = lane;
    this.#bytes = new Uint8Array(lane.memory.buffer);
    this.#watch = watch;
  }

  /** After how many different kills it has recovered. */
  get kills(): number {
    return this.#checked.size;
  }

  check(read: readonly Snapshot[], delivered: readonly Snapshot[], words: Words): void {
    this.#watch.words = { isShared: () => false };
    for (const reader of read) {
      for (const outlet of delivered) {
        const key = `${reader.id} ${outlet.id} ${words.tail} ${words.head}`;
        if (this.#checked.has(key)) continue;
        this.#checked.add(key);
        this.#checkOne(reader, outlet, words);
      }
    }
  }

  #checkOne(reader: Snapshot, outlet: Snapshot, { tail, head, room }: Words): void {
    const lane = this.#lane;
    this.#bytes.fill(0, 0, NEXT_LINE);
    restore(this.#bytes, areasOfReader(lane), reader.memory);
    restore(this.#bytes, areasOfOutlet(lane), outlet.memory);
    const { store } = kernels(lane.memory);
    store(TAIL, tail);
    store(HEAD, head);
    store(ROOM, room);
    const first = outlet.texts;
    const second: string[] = this.#scenario.output === "file" ? [...first] : [];
    try {
      this.#prepareInPart(this.#checked.size % MAX_STORES_TO_PREPARE);
      recover(
        lane,
        new KeptOutput({ ...this.#scenario, takes: [] }, second),
        MAX_LINE_BYTES,
      );
      const all = this.#scenario.output === "file"
        ? second.join("")
        : joined(first, second.join(""));
      const { inputAt, missingBytes } = follow(this.#input, all);
      assertEquals(inputAt, reader.texts.join("").length);
      assert(missingBytes <= reader.lostBytes, "what was not lost is missing");
    } catch (cause) {
      const [was, is] = [first, second].map((texts) => JSON.stringify(texts));
      throw new Error(
        `${JSON.stringify(reader.texts)} was read, ${was} delivered, then ${is}`,
        { cause },
      );
    }
  }

  /** A run that is killed itself, after so many of the stores that prepare the lane. */
  #prepareInPart(stores: number): void {
    const killed = new Error("killed");
    this.#watch.onStore = () => {
      if (stores-- === 0) throw killed;
    };
    try {
      new LeftLane(this.#lane, true).prepare(1);
    } catch (error) {
      if (error !== killed) throw error;
    } finally {
      this.#watch.onStore = undefined;
    }
  }
}

/** The second begins where the first has ended, or a write earlier. */
function joined(first: readonly string[], second: string): string {
  const last = first.at(-1) ?? "";
  return first.slice(0, -1).join("") + (second.startsWith(last) ? "" : last) + second;
}

const decoder = new TextDecoder("latin1");

function latin1(bytes: Uint8Array): string {
  // Shared memory cannot be decoded from.
  return decoder.decode(bytes.slice());
}
