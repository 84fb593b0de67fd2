import process from "node:process";
import type { MessagePort } from "node:worker_threads";
import { VERSION } from "../cli/about.ts";
import {
  announceReady,
  checkPipes,
  openReports,
  refuseStart,
} from "../containerd/shim.ts";
import type { Command } from "../child/command.ts";
import { CommandError, ExitCode, messageOf } from "../errors.ts";
import { refuseOwnOutput } from "../input/own_output.ts";
import { lost } from "../lane/counters.ts";
import { kindOf } from "../output/sinks.ts";
import { inputsOf, type Plan } from "../plan.ts";
import { type Snapshot, totalOf } from "../report/events.ts";
import { serveMetrics } from "../report/metrics/metrics_server.ts";
import { Reports } from "../report/reports.ts";
import { Stderr } from "../report/stderr.ts";
import { napMicros, wallClockMicros } from "../system/clock.ts";
import { eventCounter, signal } from "../system/event_counter.ts";
import { releaseStartPages } from "../system/start_pages.ts";
import { Board } from "../threads/board.ts";
import { Gate } from "../threads/gate.ts";
import { LineTurn } from "../threads/line_turn.ts";
import { ServiceManager } from "./service_manager.ts";
import { BoardWatch } from "./board_watch.ts";
import { Keeping } from "./keeping.ts";
import { Compression } from "./compression.ts";
import { Arrivals } from "./arrivals.ts";
import { mailWay, type ReaderMail } from "./mail.ts";
import {
  checkOpenFilesLimit,
  createInputs,
  makeFolder,
  roomForFolders,
} from "./preparation.ts";
import { type Loop, type Route, Routes } from "./routes.ts";
import { hearOut, settleSignals } from "./signals.ts";
import type { RouteEnd, ThreadMessage } from "./thread_messages.ts";
import {
  type NewcomersStart,
  type Shared,
  startThread,
  type ThreadStart,
} from "./thread_start.ts";

/** How long a read or write that is under way is waited for at the end, and how often. */
const LAST_STEP_MS = 50;
const NAP_MICROS = 200;
/** How long what is in the pipes is waited for when the deadline has passed. */
const LAST_READ_MS = 1000;
/** A run that is shorter than this is not worth the 10 ms that it takes. */
const START_PAGES_MS = 1000;

/**
 * The control thread: starts the others, listens to signals, reports, and is
 * the only one that ends the program. It needs nothing from a thread that is
 * stuck: all it says comes from the board and the lanes.
 *
 *      running ──signal, or all inputs ended──▶ draining ──flushed, or deadline──▶ exit
 *
 * With a command it is not the signal or the inputs that count, but the command's end.
 */
export class Control {
  readonly #url: URL;
  readonly #plan: Plan;
  readonly #command: Command | undefined;
  readonly #board = Board.create();
  readonly #reports: Reports;
  readonly #watch: BoardWatch;
  readonly #wakeUps = eventCounter();
  /** Names this run among those of all machines. */
  readonly #run = crypto.randomUUID();
  #keeping: Keeping | undefined;
  #routes: Routes | undefined;
  /** Where folders are read. */
  #arrivals: Arrivals | undefined;
  readonly #manager: ServiceManager;
  #deadline: ReturnType<typeof setTimeout> | undefined;
  readonly #compression = new Compression((files) =>
    this.#start({ role: "compressor", files })
  );
  /** Outputs that were asked to be opened again, and have not been yet. */
  readonly #reopening = new Set<number>();
  /** All that will be read has been. */
  #readerEnded = false;
  #failed = false;
  #stopping = false;
  #deadlinePassed = false;
  #ready = false;

  /**
   * @param url the entry point, which is also what threads run
   * @param command what is to be started, where the inputs are its streams
   */
  constructor(url: URL, plan: Plan, command?: Command) {
    this.#url = url;
    this.#plan = plan;
    this.#command = command;
    this.#manager = new ServiceManager(command !== undefined);
    const stderr = new Stderr(plan.container ? openReports() : undefined, turnOf(plan));
    this.#reports = new Reports(plan, stderr);
    this.#watch = new BoardWatch(this.#board, this.#reports);
  }

  /** Starts everything; the program ends in `#exit`. */
  start(): void {
    this.#settleSignals();
    for (const event of ["uncaughtException", "unhandledRejection"] as const) {
      process.on(event, (error: unknown) => {
        this.#fail(`the control thread failed: ${messageOf(error)}`);
      });
    }
    try {
      this.#prepare();
      this.#startThreads();
    } catch (error) {
      this.#fail(messageOf(error));
    }
    this.#watch.wake();
    if (this.#plan.progress) this.#reports.startMeter();
  }

  #settleSignals(): void {
    const { routes, folders } = this.#plan;
    const plans = folders ? [...routes, folders.like] : routes;
    const reopens = plans.some(({ output }) => kindOf(output).reopens);
    const reopen = reopens ? () => this.#reopen() : undefined;
    const end = () => this.#stop();
    if (this.#command !== undefined) {
      this.#command.listen({ ended: () => this.#commandEnded(), end, reopen });
      return;
    }
    settleSignals({
      interrupt: () => this.#interrupt(),
      end,
      report: () => this.#reports.status(),
      reopen,
    });
  }

  /** What can go wrong, before any input is read. */
  #prepare(): void {
    const { routes, folders, container, create } = this.#plan;
    const inputs = inputsOf(this.#plan);
    checkOpenFilesLimit(inputs, routes);
    if (container) checkPipes();
    routes.forEach(({ outputFolders }) => outputFolders.forEach(makeFolder));
    if (create) createInputs(inputs, folders?.paths ?? []);
    // Now, since it may be a FIFO that was missing.
    refuseOwnOutput(inputs, routes.map(({ output }) => output));
    this.#keeping = new Keeping(
      this.#plan,
      this.#run,
      (notice) => this.#reports.notice(notice),
    );
    this.#routes = new Routes(this.#keeping.routes, folders);
    for (const route of this.#routes.all) this.#reports.add(route, this.#board);
    this.#sayWhatIsMerged();
    // The address may be in use.
    this.#serveMetrics();
  }

  /** Both streams of a container in one file are what everybody expects. */
  #sayWhatIsMerged(): void {
    if (this.#plan.container) return;
    const { routes, folders } = this.#plan;
    for (const { format, inputs, output } of routes) {
      const merges = inputs.length > 1 || folders?.perInput === false;
      if (format !== "raw" || !merges) continue;
      const count = folders ? "all" : inputs.length;
      this.#reports.notice({
        event: "output_notice",
        message:
          `the lines of ${count} inputs go to ${output.name} as they are, and do not show whose they are; a --format such as ndjson names the input, and {input} in --output gives each a file of its own`,
      });
    }
  }

  #serveMetrics(): void {
    const { metrics, container, quiet } = this.#plan;
    if (metrics === undefined) return;
    const snapshot = () => this.#reports.snapshot();
    const origin = { container, command: this.#command };
    const url = serveMetrics(metrics, VERSION, origin, snapshot);
    // Whoever named the port knows it.
    if (!quiet || metrics.port === 0) this.#reports.notice({ event: "listening", url });
  }

  #startThreads(): void {
    const routes = this.#routes!;
    const shared = {
      board: this.#board.memory,
      wakeUps: this.#wakeUps,
      outletsReady: Gate.create(routes.loops.length).memory,
      startTime: wallClockMicros(),
      run: this.#run,
    };
    const { pipeSizeBytes, once, create } = this.#plan;
    const settings = { pipeSizeBytes, once, create };
    const newcomers = this.#expectArrivals(shared);
    // The reader last: it waits until the outlets can take what is read.
    for (const loop of routes.loops) this.#startLoop(shared, loop);
    this.#start({
      role: "reader",
      shared,
      settings,
      ...routes.readerLanes,
      ...newcomers,
    });
  }

  #startLoop(shared: Shared, loop: Loop): void {
    this.#start({ role: "output", shared, ...this.#routes!.startOf(loop) });
  }

  /** What the reader is to know of folders. */
  #expectArrivals(
    shared: Shared,
  ): { newcomers: NewcomersStart | undefined; mail: MessagePort | undefined } {
    const { routes, folders } = this.#plan;
    if (folders === undefined) return { newcomers: undefined, mail: undefined };
    const inputs = inputsOf(this.#plan);
    const { sender, mail } = mailWay();
    this.#arrivals = new Arrivals({
      folders,
      routes: this.#routes!,
      reports: this.#reports,
      board: this.#board,
      startLoop: (loop) => this.#startLoop(shared, loop),
      tellReader: (what: ReaderMail) => sender.postMessage(what),
      wakeReader: () => signal(this.#wakeUps),
    });
    const newcomers = {
      folders: folders.paths,
      labels: inputs.map(({ label }) => label),
      ...roomForFolders(inputs, routes, folders.perInput ? 2 : 1),
    };
    return { newcomers, mail };
  }

  #start(start: ThreadStart): void {
    startThread(this.#url, start, {
      onMessage: (message) => this.#hear(start, message),
      onDeath: (why) => this.#threadDied(start, why),
    });
  }

  #hear(start: ThreadStart, message: ThreadMessage): void {
    switch (message.kind) {
      case "reading":
        this.#ready = true;
        if (this.#plan.container) announceReady();
        this.#manager.ready();
        setTimeout(releaseStartPages, START_PAGES_MS);
        this.#keeping!.start();
        this.#startCommand();
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
        this.#sayFailed(message.message);
        break;
      case "sink failing":
        this.#reports.sinkFailing(message.route, message.message);
        break;
      case "sink recovered":
        this.#reports.sinkRecovered(message.route);
        break;
      case "sink rejecting":
        this.#reports.sinkRejecting(message.route, message.message);
        break;
      case "reopened":
        this.#reopened(message.route);
        break;
      case "fifos found":
        this.#arrivals!.found(message.fifos);
        break;
      case "input let go":
        this.#arrivals!.letGo(message.found);
        break;
      case "input flushed":
        this.#arrivals!.flushed(message.found);
        break;
      case "outlets ready":
        this.#arrivals?.loopReady(message.thread);
        break;
      case "plain files":
        this.#compression.request(message.files);
        break;
      case "route flushed":
      case "route failed":
        this.#endRoute(this.#routes!.at(message.route)!, message);
        break;
      case "finished":
        this.#finished(start);
        break;
      case "failed":
        if (message.cause === "refused") this.#fail(message.message);
        else this.#threadDied(start, message.message);
    }
  }

  #finished({ role }: ThreadStart): void {
    if (role === "compressor") this.#compression.ended();
    if (role === "reader") this.#readerFinished();
    this.#exitIfDone();
  }

  #readerFinished(): void {
    this.#readerEnded = true;
    if (this.#arrivals !== undefined) {
      // What was read is in the rings, and nothing else tells outlets that stay.
      this.#board.declareReaderGone();
      this.#routes!.callAll();
    }
    if (this.#deadlinePassed) this.#exit();
    // A command that has closed its streams may still have something to do.
    if (!this.#command?.running) this.#drain();
  }

  #startCommand(): void {
    if (this.#command === undefined) return;
    const inputs = inputsOf(this.#plan).length;
    try {
      this.#command.start(inputs === 1 ? "together" : "apart");
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      this.#reports.notice({ event: "error", message: error.message });
      this.#exit(error.exitCode);
    }
  }

  #commandEnded(): void {
    this.#drain();
    this.#exitIfDone();
  }

  /** One output that is gone ends its own route, and the program only with the last. */
  #endRoute(route: Route, end: RouteEnd): void {
    this.#reopened(route.number);
    if (end.kind === "route failed") {
      if (end.cause === "fault") {
        this.#fail(`the output loop failed: ${end.message}`);
      }
      if (end.cause === "refused") this.#failed = true;
      const { container } = this.#plan;
      this.#reports.notice({ event: "error", message: end.message });
      if (container && !this.#ready) refuseStart(container.id);
      this.#board.route(route.slot).declareGone();
      signal(this.#wakeUps);
    }
    route.ended = true;
    this.#arrivals?.routeEnded(route);
    this.#exitIfDone();
  }

  #exitIfDone(): void {
    // What is not compressed when the deadline passes is so after the next start.
    const done = this.#routes!.ended && !this.#expectsMore && !this.#compression.running;
    if (done && !this.#command?.running) this.#exit();
  }

  /** Inputs may come that have outputs of their own. */
  get #expectsMore(): boolean {
    return this.#plan.folders?.perInput === true && !this.#readerEnded;
  }

  /**
   * A fault of this program. What the reader has left in the ring can still be
   * written, and without the compressor all can.
   */
  #threadDied(start: ThreadStart, message: string): void {
    const name = start.role === "output" ? `output (${start.loop})` : start.role;
    const text = `the ${name} thread died: ${message}`;
    if (start.role === "output") this.#fail(text);
    this.#sayFailed(text);
    if (start.role === "compressor") {
      this.#finished(start);
      return;
    }
    this.#readerEnded = true;
    this.#board.declareReaderGone();
    this.#routes!.callAll();
    // No one reads what it writes any more: it would wait for ever.
    this.#command?.terminate();
    this.#drain();
  }

  #sayFailed(message: string): void {
    this.#failed = true;
    this.#reports.notice({ event: "error", message });
  }

  #fail(message: string): never {
    this.#sayFailed(message);
    const { container } = this.#plan;
    if (container && !this.#ready) refuseStart(container.id);
    this.#exit();
  }

  /** As `#stop`, but what the writers of a pipeline have still to say is read, too. */
  #interrupt(): void {
    if (this.#stopping || !hearOut(inputsOf(this.#plan))) {
      this.#stop();
      return;
    }
    this.#stopping = true;
    this.#drain();
  }

  /** The first signal ends in order, the second at once. */
  #stop(): void {
    if (this.#stopping) this.#exit();
    this.#stopping = true;
    this.#stopReading();
    this.#drain();
  }

  /** What is in the pipes is read, and what comes after that is not. */
  #stopReading(): void {
    this.#board.requestStop();
    signal(this.#wakeUps);
  }

  /** From now on there is a deadline. */
  #drain(): void {
    if (this.#deadline !== undefined) return;
    this.#arrivals?.end();
    const { drainTimeoutMs } = this.#plan;
    this.#deadline = setTimeout(() => this.#overdue(), drainTimeoutMs);
    this.#manager.stopping(drainTimeoutMs);
  }

  /** What is in the pipes is at least to be counted among what is not written. */
  #overdue(): void {
    if (this.#readerEnded) this.#exit();
    this.#deadlinePassed = true;
    this.#stopReading();
    setTimeout(() => this.#exit(), LAST_READ_MS);
  }

  #reopen(): void {
    if (this.#routes === undefined) return;
    this.#manager.reloading();
    for (const { number, ended } of this.#routes.all) {
      if (!ended) this.#reopening.add(number);
    }
    this.#board.requestReopen();
    this.#routes.callAll();
  }

  /** Several requests may be done at once: an output says so for all of them together. */
  #reopened(route: number): void {
    if (this.#reopening.delete(route) && this.#reopening.size === 0) {
      this.#manager.ready();
    }
  }

  /** @param code where it is known already */
  #exit(code?: ExitCode): never {
    if (this.#command?.running) this.#command.terminate();
    this.#halt();
    this.#keeping?.end();
    const own = this.#exitCode(this.#reports.finish());
    process.exit(code ?? this.#withCommand(own));
  }

  /** The command's own status comes first, unless that says that all was well. */
  #withCommand(own: ExitCode): number {
    if (this.#command === undefined) return own;
    if (this.#command.exitStatus) return this.#command.exitStatus;
    return own === ExitCode.failed ? ExitCode.failedBesideCommand : own;
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

  #exitCode(snapshot: Snapshot): ExitCode {
    const counts = totalOf(snapshot);
    if (this.#failed) return ExitCode.failed;
    if (counts.bytesBuffered > 0n || counts.linesBuffered > 0n) return ExitCode.unflushed;
    const { bytes } = lost(counts);
    return bytes > 0n && this.#plan.failOnLoss ? ExitCode.loss : ExitCode.flushed;
  }
}

/** Of the output that writes to where reports go. */
function turnOf({ routes }: Plan): LineTurn | undefined {
  const turn = routes.map(({ output }) => output.turn).find((turn) => turn);
  return turn && LineTurn.attach(turn);
}
