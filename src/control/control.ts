import process from "node:process";
import { VERSION } from "../cli/about.ts";
import type { Options } from "../cli/options.ts";
import {
  announceReady,
  checkPipes,
  openReports,
  refuseStart,
} from "../containerd/shim.ts";
import { ExitCode, messageOf } from "../errors.ts";
import { refuseOwnOutput } from "../input/own_output.ts";
import { kindOf } from "../output/sinks.ts";
import { Doorbell } from "../threads/doorbell.ts";
import { Gate } from "../threads/gate.ts";
import { napMicros, wallClockMicros } from "../system/clock.ts";
import { pipe } from "../system/pipes.ts";
import { releaseStartPages } from "../system/start_pages.ts";
import { Board } from "../threads/board.ts";
import { wakeReader } from "../threads/wake_pipe.ts";
import { lost, total } from "../lane/counts.ts";
import type { Snapshot } from "../report/events.ts";
import { serveMetrics } from "../report/metrics/metrics_server.ts";
import { Reports } from "../report/reports.ts";
import { Stderr } from "../report/stderr.ts";
import type { RingMemory } from "../lane/ring_memory.ts";
import { ServiceManager } from "./service_manager.ts";
import { BoardWatch } from "./board_watch.ts";
import { Compression } from "./compression.ts";
import {
  allocateRings,
  checkOpenFilesLimit,
  createFifos,
  makeFolder,
} from "./preparation.ts";
import { hearOut, settleSignals } from "./signals.ts";
import type { ThreadMessage } from "./thread_messages.ts";
import { type Role, startThread, type ThreadStart } from "./thread_start.ts";

/** How long a read or write that is under way is waited for at the end, and how often. */
const LAST_STEP_MS = 50;
const NAP_MICROS = 200;
/** A run that is shorter than this is not worth the 10 ms that it takes. */
const START_PAGES_MS = 1000;

/**
 * The control thread: starts the others, listens to signals, reports, and is
 * the only one that ends the program. It needs nothing from a thread that is
 * stuck: all it says comes from the board.
 *
 *      running ──signal, or all inputs ended──▶ draining ──flushed, or deadline──▶ exit
 */
export class Control {
  readonly #program: URL;
  readonly #options: Options;
  readonly #board: Board;
  readonly #reports: Reports;
  readonly #watch: BoardWatch;
  readonly #doorbell = Doorbell.create();
  readonly #wakePipe = pipe();
  readonly #manager = new ServiceManager();
  #deadline: ReturnType<typeof setTimeout> | undefined;
  readonly #compression = new Compression((files) =>
    this.#start({ role: "compressor", files })
  );
  /** The flusher has done all it had to do. */
  #flushed = false;
  #failed = false;
  #stopping = false;
  #ready = false;

  /** @param program the entry point, which is also what threads run */
  constructor(program: URL, options: Options) {
    this.#program = program;
    this.#options = options;
    this.#board = Board.create(options.inputs.length);
    const stderr = new Stderr(options.container ? openReports() : undefined);
    this.#reports = new Reports(options, this.#board, stderr);
    this.#watch = new BoardWatch(this.#board, this.#reports);
  }

  /** Starts everything; the program ends in `#exit`. */
  start(): void {
    settleSignals({
      interrupt: () => this.#interrupt(),
      end: () => this.#stop(),
      report: () => this.#reports.status(),
      reopen: kindOf(this.#options.output).reopens ? () => this.#reopen() : undefined,
    });
    for (const event of ["uncaughtException", "unhandledRejection"] as const) {
      process.on(event, (error: unknown) => {
        this.#fail(`the control thread failed: ${messageOf(error)}`);
      });
    }
    try {
      checkOpenFilesLimit(this.#options.inputs);
      if (this.#options.container) checkPipes();
      this.#options.outputFolders.forEach(makeFolder);
      if (this.#options.create) createFifos(this.#options.inputs);
      // Now, since it may be a FIFO that was missing.
      refuseOwnOutput(this.#options.inputs, this.#options.output);
      // Before any input is read: the address may be in use.
      this.#serveMetrics();
      this.#startThreads(allocateRings(this.#options));
    } catch (error) {
      this.#fail(messageOf(error));
    }
    this.#watch.wake();
    if (this.#options.progress) this.#reports.startMeter();
  }

  #serveMetrics(): void {
    const { metrics, container } = this.#options;
    if (metrics === undefined) return;
    const snapshot = () => this.#reports.snapshot();
    const url = serveMetrics(metrics, VERSION, container, snapshot);
    this.#reports.notice({ event: "listening", url });
  }

  #startThreads(rings: readonly RingMemory[]): void {
    const start = {
      options: this.#options,
      rings,
      board: this.#board.memory,
      doorbell: this.#doorbell.memory,
      flusherReady: Gate.create().memory,
      wakePipe: this.#wakePipe,
      startTime: wallClockMicros(),
    };
    // The flusher first: the reader waits until it can take what is read.
    for (const role of ["flusher", "reader"] as const) {
      this.#start({ ...start, role });
    }
  }

  #start(start: ThreadStart): void {
    startThread(this.#program, start, {
      onMessage: (message) => this.#hear(start.role, message),
      onDeath: (why) => this.#threadDied(start.role, why),
    });
  }

  #hear(role: Role, message: ThreadMessage): void {
    switch (message.kind) {
      case "reading":
        this.#ready = true;
        if (this.#options.container) announceReady();
        this.#manager.ready();
        setTimeout(releaseStartPages, START_PAGES_MS);
        break;
      case "busy":
        this.#watch.wake();
        break;
      case "loss":
        this.#reports.observe();
        break;
      case "notice":
        this.#reports.notice(message.notice);
        break;
      case "input failed":
        this.#failed = true;
        this.#reports.notice({ event: "error", message: message.message });
        break;
      case "sink failing":
        this.#reports.sinkFailing(message.message);
        break;
      case "sink recovered":
        this.#reports.sinkRecovered();
        break;
      case "reopened":
        this.#manager.ready();
        break;
      case "plain files":
        this.#compression.request(message.files);
        break;
      case "finished":
        this.#finished(role);
        break;
      case "failed":
        if (message.cause === "sink closed") {
          this.#reports.notice({ event: "error", message: message.message });
          this.#exit();
        } else if (message.cause === "refused") {
          this.#fail(message.message);
        } else {
          this.#threadDied(role, message.message);
        }
    }
  }

  #finished(role: Role): void {
    if (role === "compressor") this.#compression.ended();
    else this.#drain();
    if (role === "flusher") this.#flushed = true;
    // What is not compressed when the deadline passes is so after the next start.
    if (this.#flushed && !this.#compression.running) this.#exit();
  }

  /**
   * A fault of this program. What the reader has left in the ring can still be
   * written, and without the compressor all can.
   */
  #threadDied(role: Role, message: string): void {
    const text = `the ${role} thread died: ${message}`;
    if (role === "flusher") {
      this.#fail(text);
      return;
    }
    this.#failed = true;
    this.#reports.notice({ event: "error", message: text });
    if (role === "compressor") {
      this.#finished(role);
      return;
    }
    this.#board.declareReaderGone();
    this.#doorbell.ringAll();
    this.#drain();
  }

  #fail(message: string): void {
    this.#failed = true;
    this.#reports.notice({ event: "error", message });
    const { container } = this.#options;
    if (container && !this.#ready) refuseStart(container.id);
    this.#exit();
  }

  /** As `#stop`, but what the writers of a pipeline have still to say is read, too. */
  #interrupt(): void {
    if (this.#stopping || !hearOut(this.#options.inputs, this.#wakePipe[0])) {
      this.#stop();
      return;
    }
    this.#stopping = true;
    this.#drain();
  }

  /** The first signal ends in order, the second at once. */
  #stop(): void {
    if (this.#stopping) {
      this.#exit();
      return;
    }
    this.#stopping = true;
    this.#board.requestStop();
    wakeReader(this.#wakePipe);
    this.#drain();
  }

  /** From now on there is a deadline. */
  #drain(): void {
    if (this.#deadline !== undefined) return;
    const { drainTimeoutMs } = this.#options;
    this.#deadline = setTimeout(() => this.#exit(), drainTimeoutMs);
    this.#manager.stopping(drainTimeoutMs);
  }

  #reopen(): void {
    this.#manager.reloading();
    this.#board.requestReopen();
    this.#doorbell.ringAll();
  }

  #exit(): never {
    this.#halt();
    process.exit(this.#exitCode(this.#reports.finish()));
  }

  /**
   * A write that the kernel has just taken is counted before the counters are
   * read for the last time, unless it is one that does not return.
   */
  #halt(): void {
    this.#board.halt();
    const deadline = performance.now() + LAST_STEP_MS;
    while (this.#board.stepping && performance.now() < deadline) napMicros(NAP_MICROS);
  }

  #exitCode({ inputs }: Snapshot): ExitCode {
    const counts = total(inputs);
    if (this.#failed) return ExitCode.failed;
    if (counts.bytesBuffered > 0n || counts.linesBuffered > 0n) return ExitCode.unflushed;
    const { bytes } = lost(counts);
    return bytes > 0n && this.#options.failOnLoss ? ExitCode.loss : ExitCode.flushed;
  }
}
