/**
 * A whole run in one thread: the real reader, framers, rings, outlet, its queue,
 * formats, delivery and board between simulated pipes, clock, signals and sink. While
 * the sink writes or the loop sleeps the others get their turns, as threads might.
 */

import { assert, assertEquals } from "@std/assert";
import type { Batch } from "../../src/lane/batch.ts";
import type { Format, Gap, Outgoing, Stream } from "../../src/formats/format.ts";
import { makeFormat, outputBytesFor } from "../../src/formats/formats.ts";
import { gapSentence } from "../../src/formats/gap_sentence.ts";
import type { InputLoop } from "../../src/input/input_loop.ts";
import { joinInput } from "../../src/input/joined_input.ts";
import { landingBytesFor } from "../../src/input/landing.ts";
import { LeftSource } from "../../src/input/left_source.ts";
import { type Readiness, ReadLoop, WAKE_UP } from "../../src/input/read_loop.ts";
import { Outlet } from "../../src/output/outlet.ts";
import { OutletQueue, type Place } from "../../src/output/outlet_queue.ts";
import { Doorbell } from "../../src/threads/doorbell.ts";
import { LaneCounters } from "../../src/lane/lane_counters.ts";
import { Board, READER } from "../../src/threads/board.ts";
import { type Counts, total } from "../../src/lane/counters.ts";
import { type Lane, MIN_CAPACITY } from "../../src/lane/lane.ts";
import { StoreWatch } from "../lane/store_watch.ts";
import { goOn, type KeptLane } from "./kept_lanes.ts";
import { emptyRing } from "./ring_pool.ts";
import type { Scenario, Turn } from "./scenario.ts";
import { Parked, SimulatedClock } from "./simulated_clock.ts";
import { SimulatedPipe } from "./simulated_pipe.ts";
import { Destination, SimulatedSink, type Surroundings } from "./simulated_sink.ts";
import { type Repeated, StreamTexts } from "./stream_texts.ts";
import { readBeside } from "./told_output.ts";

const START_MS = Date.UTC(2026, 10, 22);
const HAND_BYTES = 256 * 1024;
/** A run that has more turns than this does not end. */
const MAX_TURNS = 100_000;
/** Somebody ends a program whose writers have all gone for good. */
const PATIENCE_TURNS = 50;
const HOUR_MS = 3_600_000;
const LABELS = ["stdout", "stderr", "other"];

/** What happened in a run, to see that a thousand of them see everything. */
export interface Outcome {
  readonly overwrote: boolean;
  readonly dropped: boolean;
  readonly rejected: boolean;
  readonly failed: boolean;
  readonly stopped: boolean;
  /** There were several outputs. */
  readonly apart: boolean;
  readonly cut: boolean;
  /** There were several runs. */
  readonly killed: boolean;
}

/** Thrown in the place of what a process does no more. */
class Killed extends Error {}

/** Those that runs make whose rings are kept. */
const STORES = new StoreWatch();

function sentenceOf({ gapLines, gapBytes, gapFrom, gapTo }: Batch): string {
  const gap = { reason: "overwritten", lines: gapLines, bytes: gapBytes } as const;
  return gapSentence({ ...gap, from: gapFrom, to: gapTo });
}

/** One that wakes nobody but says that it would. */
function simulatedDoorbell(signal: () => void): Doorbell {
  const { load, store, or, and, exchange } = Atomics;
  const words = new SharedArrayBuffer(1024);
  return Doorbell.attach({ words, counter: -1 }, {
    load,
    store,
    or,
    and,
    exchange,
    signal,
  });
}

/** One output, and the inputs that go to it, by their numbers. */
interface Route {
  readonly inputs: readonly number[];
  readonly texts: StreamTexts;
  readonly destination: Destination;
  /** Of the run that goes on. */
  sink: SimulatedSink | undefined;
}

export class SimulatedRun {
  readonly #scenario: Scenario;
  readonly #clock = new SimulatedClock(START_MS);
  #board!: Board;
  #doorbell!: Doorbell;
  readonly #pipes: readonly SimulatedPipe[];
  #lanes: readonly KeptLane[] = [];
  #loop!: ReadLoop;
  #queue!: OutletQueue;
  readonly #routes: readonly Route[];
  /** How many runs have been killed. */
  #kills = 0;
  #killed = false;
  #turns = 0;
  #turnsWithoutWriters = 0;
  #nextWriter = 0;
  /**
   * What the reader's poll(2) watches, with the token of each pipe, what it says, and until
   * when it waits.
   */
  readonly #watched = new Map<number, number>();
  #ready: readonly number[] = [];
  #woken = false;
  #readerWakesAtMs = 0;
  #readerParked = false;
  #stopAtTurn: number;
  /** What had been written when the first signal came. */
  #writtenAtStop: readonly number[] | undefined;
  #deadlineMs = Infinity;
  #cut = false;
  /** The doorbell rang while the output loop slept. */
  #rung = false;
  #failure: unknown;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#stopAtTurn = scenario.stop?.atTurn ?? Infinity;
    this.#routes = this.#makeRoutes();
    this.#pipes = scenario.inputs.map((input, index) => new SimulatedPipe(input, index));
  }

  get #isKept(): boolean {
    return this.#scenario.kills.length > 0;
  }

  get #isLast(): boolean {
    return this.#kills === this.#scenario.kills.length;
  }

  /** A process starts, and finds what the one before has left. */
  #start(): void {
    this.#board = Board.create();
    this.#doorbell = simulatedDoorbell(() => this.#rung = true);
    this.#queue = new OutletQueue(this.#doorbell);
    this.#watched.clear();
    this.#woken = this.#readerParked = this.#killed = false;
    this.#readerWakesAtMs = 0;
    this.#deadlineMs = Infinity;
    this.#failure = undefined;
    const { inputs } = this.#scenario;
    const fresh = inputs.map((_, index) => this.#emptyRing(index));
    const run = `run ${this.#kills}`;
    this.#lanes = goOn(this.#lanes, fresh, run, this.#scenario.maxLineBytes);
    this.#loop = new ReadLoop(this.#readiness(), {
      board: this.#board,
      steps: this.#board.steps(READER),
      takeWakeUp: () => this.#woken = false,
      onNames: () => {},
      isGone: () => false,
      onBusy: () => {},
      onInputFailed: (message) => assert(false, message),
    });
    for (const [number, route] of this.#routes.entries()) {
      const ring = () => this.#doorbell.ring(number);
      const lanes = this.#lanes.filter(({ index }) => route.inputs.includes(index));
      for (const kept of lanes) {
        if (!kept.ended) this.#loop.add(this.#inputOf(kept), number, ring);
      }
      this.#queue.add(number, this.#outletOf(number, route, lanes, run), {
        onEnded: () => {},
        onFailed: (error) => this.#failure = error,
      });
    }
  }

  #emptyRing(index: number): Lane {
    const { maxLineBytes, extraCapacityBytes, smallHand, format } = this.#scenario;
    const lane = emptyRing(
      // Those that are kept have kernels that are watched.
      this.#isKept ? 10 + 10 * this.#kills + index : index,
      MIN_CAPACITY + extraCapacityBytes,
      landingBytesFor(maxLineBytes),
      smallHand ? Math.max(4096, maxLineBytes + 1) : HAND_BYTES,
      outputBytesFor(format, maxLineBytes),
    );
    return { ...lane, kept: this.#isKept };
  }

  #inputOf({ index, lane, isLeft }: KeptLane): InputLoop {
    const { maxLineBytes, policy, inputs } = this.#scenario;
    const pipe = this.#pipes[index]!;
    if (!isLeft) pipe.readInto(lane.memory);
    return joinInput({
      source: isLeft ? new LeftSource("what was left") : pipe,
      lane,
      maxLineBytes,
      whenFull: policy,
      waitsForNextWriter: inputs[index]!.fifo,
      activity: () => undefined,
      onLoss: () => {},
    });
  }

  /** One for all inputs, or one for each. */
  #makeRoutes(): Route[] {
    const { inputs, apart, format } = this.#scenario;
    const all = inputs.map((_, index) => index);
    return (apart ? all.map((index) => [index]) : [all]).map((inputs) => ({
      inputs,
      texts: new StreamTexts(format, this.#repeated),
      destination: new Destination(),
      sink: undefined,
    }));
  }

  /** What a kill may make come again. */
  get #repeated(): Repeated {
    const { custody, isFile } = this.#scenario;
    if (custody) return "a batch";
    return isFile ? "nothing" : "a write";
  }

  #makeSink(number: number, { texts, destination }: Route): SimulatedSink {
    const exiting = () => this.exiting;
    const surroundings: Surroundings = {
      texts,
      get exiting() {
        return exiting();
      },
      turn: () => this.turn(),
      sleep: (ms) => this.sleep(ms),
    };
    const count = this.#routes.length;
    return new SimulatedSink(this.#scenario, surroundings, destination, number, count);
  }

  #outletOf(
    number: number,
    route: Route,
    lanes: readonly KeptLane[],
    run: string,
  ): Outlet {
    const { markers, policy } = this.#scenario;
    const sink = this.#makeSink(number, route);
    route.sink = sink;
    return new Outlet({
      run,
      lanes: lanes.map(({ index, lane, isLeft, run }) => ({
        label: LABELS[index]!,
        lane,
        run: isLeft ? run : undefined,
      })),
      stays: false,
      board: this.#board,
      slot: number,
      thread: 1,
      sink,
      sinkEvents: {
        onSinkFailing: () => {},
        onSinkRecovered: () => {},
        onReopened: () => {},
        onSinkRejecting: () => {},
      },
      format: this.#watchedFormat(route.texts),
      markers,
      whenFull: policy,
      startTime: START_MS * 1000,
      onRoom: () => this.#wakeReader(),
      onFlushed: () => {},
    });
  }

  /** The real format; it is only noted which input each piece is of. */
  #watchedFormat(texts: StreamTexts): Format {
    const { format, maxLineBytes, markers } = this.#scenario;
    const real = makeFormat(format, {
      maxLineBytes,
      host: "",
    });
    return {
      get atLineStart() {
        return real.atLineStart;
      },
      begin(batch: Batch, stream: Stream): void {
        texts.begin({
          label: stream.label,
          kind: "batch",
          hand: `${stream.label} ${stream.run} ${batch.firstByte}`,
          untold: markers || batch.gapBytes === 0 ? undefined : sentenceOf(batch),
        });
        real.begin(batch, stream);
      },
      next(): Outgoing | undefined {
        const piece = real.next();
        texts.beginPiece(piece?.length ?? 0);
        return piece;
      },
      forget: (stream: Stream) => real.forget(stream),
      marker(gap: Gap, stream: Stream): Outgoing {
        const hand = `${stream.label} ${stream.run} ${gap.nextByte}`;
        texts.begin({ label: stream.label, kind: "marker", hand });
        const piece = real.marker(gap, stream);
        texts.beginPiece(piece.length);
        return piece;
      },
      state: (stream) => real.state(stream),
      resume: (stream, state) => real.resume(stream, state),
    };
  }

  /** @throws AssertionError when anything is not as it must be. */
  async run(): Promise<Outcome> {
    this.#clock.install((untilMs) => this.#sleepOrDie(untilMs));
    const uninstall = this.#isKept ? STORES.install() : undefined;
    try {
      while (!this.#isLast) {
        await this.#runUntilKilled(this.#scenario.kills[this.#kills]!);
        this.#kills++;
        for (const { texts } of this.#routes) texts.killed();
      }
      await this.#runToTheEnd();
    } finally {
      uninstall?.();
      this.#clock.uninstall();
    }
    return this.#check();
  }

  /** It may end before that. */
  async #runUntilKilled(stores: number): Promise<void> {
    this.#start();
    STORES.onStore = () => {
      if (stores-- <= 0) this.#kill();
    };
    try {
      await this.#flush();
    } catch (error) {
      if (!(error instanceof Killed || error instanceof Parked)) throw error;
    } finally {
      STORES.onStore = undefined;
    }
  }

  #kill(): never {
    this.#killed = true;
    throw new Killed();
  }

  async #runToTheEnd(): Promise<void> {
    this.#start();
    try {
      await this.#flush();
      const finished = this.#routes.every(({ sink }) => sink!.finished);
      assert(this.#loop.ended && finished, "it ended before its input");
    } catch (error) {
      if (!(error instanceof Parked)) throw error;
      this.#cut = true;
    }
  }

  /** The output loop. */
  async #flush(): Promise<void> {
    const queue = this.#queue;
    while (!queue.ended) {
      const { nowMs } = this.#clock;
      if (!queue.gather(nowMs)) this.#sleepInLoop(nowMs + queue.restMs(nowMs));
      const waiting: Place[] = [];
      queue.step(this.#clock.nowMs, (place: Place) => {
        if (place.outlet.wait.promise !== undefined) waiting.push(place);
      });
      for (const { plate, outlet } of waiting) {
        await outlet.wait.promise;
        queue.call(plate);
      }
      if (this.#failure !== undefined) throw this.#failure;
    }
  }

  #sleepInLoop(untilMs: number): void {
    this.#rung = false;
    if (this.#doorbell.beginSleep(this.#queue.plates)) {
      this.#sleepOrDie(untilMs, () => this.#rung);
    }
    this.#doorbell.endSleep();
  }

  get exiting(): boolean {
    return this.#clock.nowMs >= this.#deadlineMs;
  }

  sleep(ms: number): void {
    this.#sleep(this.#clock.nowMs + ms);
  }

  /** Lets turns go by until the time is over, something happens, or the program exits. */
  #sleep(untilMs: number, woken = () => false): void {
    while (!woken() && this.#clock.nowMs < untilMs && !this.exiting) {
      if (!this.turn()) this.#skipTo(untilMs);
    }
  }

  /** The flusher sleeps; the exit takes its thread along. */
  #sleepOrDie(untilMs: number, woken = () => false): void {
    this.#sleep(untilMs, woken);
    if (this.exiting && !woken()) throw new Parked();
  }

  /** Nothing can happen before one of these. */
  #skipTo(untilMs: number): void {
    const nextMs = Math.min(untilMs, this.#readerWakesAtMs, this.#deadlineMs);
    if (nextMs === Infinity && !this.#isLast) this.#kill();
    assert(nextMs < Infinity, "everybody sleeps, and nobody will ever wake them");
    this.#clock.pass(Math.max(0, nextMs - this.#clock.nowMs));
  }

  /** Everybody but the flusher does something, or has nothing to do: false. */
  turn(): boolean {
    if (this.#killed) throw new Killed();
    assert(this.#turns++ < MAX_TURNS, "the run does not end");
    const turn = this.#scenario.turns[this.#turns - 1];
    const ms = turn?.ms ?? 0;
    this.#clock.pass(Math.min(ms, Math.max(0, this.#deadlineMs - this.#clock.nowMs)));
    if (turn !== undefined) this.#happens(turn);
    const wrote = this.#write(turn?.writes ?? 1);
    this.#control();
    for (const pipe of this.#pipes) pipe.readBytes = turn?.readBytes ?? Infinity;
    const served = this.#serveReader();
    return turn !== undefined || wrote || served;
  }

  #happens({ event }: Turn): void {
    if (event === "clock set back") this.#clock.setBack(HOUR_MS);
    if (event !== "hang-up") return;
    this.#board.requestReopen();
    this.#doorbell.ringAll();
  }

  /** The writers take turns; those that have to wait are passed over. */
  #write(writes: number): boolean {
    let wrote = false;
    for (let tries = writes * this.#pipes.length; tries > 0 && writes > 0; tries--) {
      if (!this.#pipes[this.#nextWriter++ % this.#pipes.length]!.write()) continue;
      wrote = true;
      writes--;
    }
    return wrote;
  }

  /** The control thread: signals and the deadline. */
  #control(): void {
    const { drainTimeoutMs, stop } = this.#scenario;
    if (!this.#isLast) return;
    if (this.#pipes.every((pipe) => pipe.done) && !this.#loop.ended) {
      if (this.#turnsWithoutWriters++ >= PATIENCE_TURNS && this.#hasFifo) {
        this.#stopAtTurn = Math.min(this.#stopAtTurn, this.#turns);
      }
    }
    if (this.#turns >= this.#stopAtTurn && this.#writtenAtStop === undefined) {
      this.#writtenAtStop = this.#pipes.map((pipe) => pipe.written);
      this.#board.requestStop();
      this.#wakeReader();
      this.#drain(drainTimeoutMs);
    }
    const secondTurn = this.#stopAtTurn + (stop?.againAfterTurns ?? Infinity);
    if (this.#turns >= secondTurn) this.#deadlineMs = this.#clock.nowMs;
    if (this.#loop.ended) this.#drain(drainTimeoutMs);
    if (this.exiting) this.#board.halt();
  }

  get #hasFifo(): boolean {
    return this.#scenario.inputs.some((input) => input.fifo);
  }

  #drain(ms: number): void {
    if (this.#deadlineMs === Infinity) this.#deadlineMs = this.#clock.nowMs + ms;
  }

  /** What the reader waits in: the pipes that it watches, by their tokens. */
  #readiness(): Readiness {
    const tokens = () => this.#ready;
    return {
      add: (descriptor, _, token) => {
        this.#watched.set(descriptor, token);
        return 0;
      },
      forget: (descriptor) => void this.#watched.delete(descriptor),
      get ready(): number {
        return tokens().length;
      },
      token: (index) => tokens()[index]!,
    };
  }

  #findReady(): number[] {
    const ready = [...this.#watched].filter(([pipe]) => this.#pipes[pipe]!.readable)
      .map(([, token]) => token);
    return this.#woken ? [...ready, WAKE_UP] : ready;
  }

  #wakeReader(): void {
    this.#woken = true;
  }

  /** The reader thread, if its poll(2) returns. */
  #serveReader(): boolean {
    if (this.#readerParked || this.#loop.ended) return false;
    this.#ready = this.#findReady();
    if (this.#ready.length === 0 && this.#clock.nowMs < this.#readerWakesAtMs) {
      return false;
    }
    try {
      this.#loop.serve(this.#clock.nowMs);
    } catch (error) {
      if (!(error instanceof Parked)) throw error;
      this.#readerParked = true;
      return false;
    }
    const timeoutMs = this.#loop.ended ? -1 : this.#loop.timeoutMs(this.#clock.nowMs);
    this.#readerWakesAtMs = timeoutMs < 0 ? Infinity : this.#clock.nowMs + timeoutMs;
    return true;
  }

  #check(): Outcome {
    const seen = { overwritten: 0n, dropped: 0n, rejected: 0n };
    for (const { texts } of this.#routes) texts.end();
    for (const [index, pipe] of this.#pipes.entries()) {
      const counts = this.#lanes.filter((kept) => kept.index === index).map(({ lane }) =>
        new LaneCounters(lane).read(this.#scenario.policy === "drop-newest")
      );
      const all = total(counts);
      if (this.#isKept) this.#checkKept(index, pipe, all);
      else this.#checkInput(index, pipe, all);
      seen.overwritten += all.bytesOverwritten;
      seen.dropped += all.bytesDropped;
      seen.rejected += all.bytesRejected;
    }
    const destinations = this.#routes.map(({ destination }) => destination);
    assertEquals(
      Number(seen.rejected),
      destinations.reduce((sum, { rejectedBytes }) => sum + rejectedBytes, 0),
    );
    return {
      overwrote: seen.overwritten > 0n,
      dropped: seen.dropped > 0n,
      rejected: seen.rejected > 0n,
      failed: destinations.some(({ failures }) => failures > 0),
      apart: this.#routes.length > 1,
      stopped: this.#writtenAtStop !== undefined,
      cut: this.#cut,
      killed: this.#isKept,
    };
  }

  /** All runs together have written what all of them have read, or said what is missing. */
  #checkKept(index: number, pipe: SimulatedPipe, counts: Counts): void {
    const input = pipe.readText;
    const { texts } = this.#routes.find(({ inputs }) => inputs.includes(index))!;
    const told = readBeside(input, texts.of(LABELS[index]!));
    if (this.#scenario.policy === "block") assertEquals(told.missingBytes, 0);
    assert(counts.bytesBuffered >= 0n && counts.linesBuffered >= 0n);
    if (this.#cut) return;
    // The next run would go on with a line that a stop has come in the middle of.
    const rest = input.slice(told.inputAt);
    if (rest !== "") assert(pipe.isNamed && !rest.includes("\n"), "all of it is out");
    const kept = [BigInt(rest.length), rest === "" ? 0n : 1n];
    assertEquals([counts.bytesBuffered, counts.linesBuffered], kept);
    const atStop = this.#writtenAtStop?.[index] ?? pipe.written;
    assertEquals(input.length, atStop, "what was written before the signal is read");
  }

  #checkInput(index: number, pipe: SimulatedPipe, counts: Counts): void {
    const input = pipe.readText;
    const lost = {
      bytes: Number(counts.bytesOverwritten + counts.bytesDropped),
      lines: Number(counts.linesOverwritten + counts.linesDropped),
    };
    assertEquals(Number(counts.bytesIn), input.length);
    assert(counts.bytesBuffered >= 0n && counts.linesBuffered >= 0n);
    if (this.#scenario.policy === "block") assertEquals(lost, { bytes: 0, lines: 0 });
    const { texts } = this.#routes.find(({ inputs }) => inputs.includes(index))!;
    const told = readBeside(input, texts.of(LABELS[index]!));
    const atStop = this.#writtenAtStop?.[index] ?? pipe.written;
    const gone = Number(counts.bytesOut + counts.bytesRejected);
    if (this.#cut) {
      if (this.#scenario.custody) assert(gone <= told.bytes, "only what came out is out");
      else assertEquals(gone, told.bytes);
      assert(told.missingBytes <= lost.bytes && told.missingLines <= lost.lines);
      assert(input.length <= atStop, "what is written after the signal is not read");
      return;
    }
    assertEquals(gone, told.bytes);
    assertEquals([counts.bytesBuffered, counts.linesBuffered], [0n, 0n]);
    assertEquals(told.missingBytes, lost.bytes);
    assertEquals(told.missingLines, lost.lines);
    assertEquals(told.inputAt, input.length);
    const rejected = this.#scenario.markers ? Number(counts.bytesRejected) : 0;
    assertEquals(told.rejectedBytes, rejected, "what is rejected is announced");
    assertEquals(input.length, atStop, "what was written before the signal is read");
  }
}
