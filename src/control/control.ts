import process from "node:process";
import { VERSION } from "../cli/about.ts";
import { announceReady, openReports, refuseStart } from "../containerd/shim.ts";
import type { Command } from "../child/command.ts";
import { CommandError, messageOf } from "../errors.ts";
import { kindOf } from "../output/sinks.ts";
import { inputsOf, type Plan } from "../plan.ts";
import { serveMetrics } from "../report/metrics/metrics_server.ts";
import { Reports } from "../report/reports.ts";
import { Stderr } from "../report/stderr.ts";
import { eventCounter, signal } from "../system/event_counter.ts";
import { unblockAll } from "../system/signals.ts";
import { releaseStartPages } from "../system/start_pages.ts";
import { Board } from "../threads/board.ts";
import { LineTurn } from "../threads/line_turn.ts";
import { BoardWatch } from "./board_watch.ts";
import { Compression } from "./compression.ts";
import { DataPath } from "./data_path.ts";
import { Ending } from "./ending.ts";
import { mergedInputs, prepare } from "./preparation.ts";
import { Reopening } from "./reopening.ts";
import type { Route } from "./routes.ts";
import { ServiceManager } from "./service_manager.ts";
import { settleSignals } from "./signals.ts";
import type { RouteEnd, ThreadMessage } from "./thread_messages.ts";
import type { ThreadStart } from "./thread_start.ts";
import { nameOf, ThreadStarter } from "./thread_starter.ts";

/** A run that is shorter than this is not worth the 10 ms that it takes. */
const START_PAGES_MS = 1000;

/**
 * The control thread: starts the others, listens to them and to signals, and reports. It
 * needs nothing from a thread that is stuck: all it says comes from the board and the
 * lanes. `Ending` says how it comes to its end.
 */
export class Control {
  readonly #plan: Plan;
  readonly #startedAs: string;
  readonly #command: Command | undefined;
  readonly #board = Board.create();
  readonly #reports: Reports;
  readonly #watch: BoardWatch;
  readonly #wakeUps = eventCounter();
  readonly #manager: ServiceManager;
  readonly #ending: Ending;
  readonly #reopening: Reopening;
  readonly #threads: ThreadStarter;
  readonly #compression = new Compression((mail) =>
    this.#threads.start({ role: "compressor", mail })
  );
  #path: DataPath | undefined;
  #ready = false;

  /**
   * @param url the entry point, which is also what threads run
   * @param startedAs for people who look at it
   * @param command what is to be started, where the inputs are its streams
   */
  constructor(url: URL, plan: Plan, startedAs: string, command?: Command) {
    this.#threads = new ThreadStarter(url, {
      onMessage: (start, message) => this.#hear(start, message),
      onDeath: (start, why) => this.#threadDied(start, why),
      onDelay: (message) => this.#reports.notice({ event: "output_notice", message }),
    });
    this.#plan = plan;
    this.#startedAs = startedAs;
    this.#command = command;
    this.#manager = new ServiceManager(command !== undefined);
    const stderr = new Stderr(plan.container ? openReports() : undefined, turnOf(plan));
    this.#reports = new Reports(plan, stderr);
    this.#watch = new BoardWatch(this.#board, this.#reports);
    this.#reopening = new Reopening(this.#board, this.#manager);
    this.#ending = new Ending({
      plan,
      command,
      board: this.#board,
      wakeUps: this.#wakeUps,
      onDraining: (longestMs) => {
        this.#path?.arrivals?.end();
        this.#manager.stopping(longestMs);
      },
      lastReport: () => {
        this.#path?.keeping.end();
        return this.#reports.finish();
      },
    });
  }

  /** Starts everything. */
  start(): void {
    this.#settleSignals();
    unblockAll();
    for (const event of ["uncaughtException", "unhandledRejection"] as const) {
      process.on(event, (error: unknown) => {
        this.#fail(`the control thread failed: ${messageOf(error)}`);
      });
    }
    try {
      prepare(this.#plan);
      this.#path = new DataPath({
        plan: this.#plan,
        board: this.#board,
        wakeUps: this.#wakeUps,
        reports: this.#reports,
        start: (thread) => this.#threads.start(thread),
      });
      this.#sayWhatIsMerged();
      // The address may be in use.
      this.#serveMetrics();
      this.#path.start();
      this.#threads.becomePatient();
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
    const reopen = reopens
      ? () => this.#path && this.#reopening.request(this.#path.routes)
      : undefined;
    const end = () => this.#ending.stop();
    const hangUp = () => this.#ending.hangUp();
    if (this.#command !== undefined) {
      this.#command.listen({ ended: () => this.#commandEnded(), end, hangUp, reopen });
      return;
    }
    settleSignals({
      interrupt: () => this.#ending.interrupt(),
      hangUp,
      end,
      report: () => this.#reports.status(),
      reopen,
    });
  }

  #sayWhatIsMerged(): void {
    for (const message of mergedInputs(this.#plan)) {
      this.#reports.notice({ event: "output_notice", message });
    }
  }

  #serveMetrics(): void {
    const { metrics, container, quiet } = this.#plan;
    if (metrics === undefined) return;
    const snapshot = () => this.#reports.snapshot();
    const restsSinceMs = () => this.#watch.restsSinceMs;
    const identity = {
      version: VERSION,
      startedAs: this.#startedAs,
      container,
      command: this.#command,
    };
    const url = serveMetrics(metrics, identity, { snapshot, restsSinceMs });
    // Whoever named the port knows it.
    if (!quiet || metrics.port === 0) this.#reports.notice({ event: "listening", url });
  }

  #hear(start: ThreadStart, message: ThreadMessage): void {
    switch (message.kind) {
      case "reading":
        this.#ready = true;
        if (this.#plan.container) announceReady();
        this.#manager.ready();
        setTimeout(releaseStartPages, START_PAGES_MS);
        this.#path!.keeping.start();
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
        this.#reopening.done(message.route);
        break;
      case "fifos found":
        this.#path!.arrivals!.found(message.fifos);
        break;
      case "input let go":
        this.#path!.arrivals!.letGo(message.found);
        break;
      case "input flushed":
        this.#path!.arrivals!.flushed(message.found);
        break;
      case "outlets ready":
        this.#path!.arrivals?.loopReady(message.thread);
        break;
      case "plain files":
        this.#compression.request(message.files);
        break;
      case "compressed":
        this.#compression.done();
        this.#exitIfDone();
        break;
      case "route flushed":
      case "route failed":
        this.#endRoute(this.#path!.routes.at(message.route)!, message);
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
    if (role === "reader") this.#readerFinished();
    this.#exitIfDone();
  }

  #readerFinished(): void {
    if (this.#path!.arrivals !== undefined) {
      // What was read is in the rings, and nothing else tells outlets that stay.
      this.#board.declareReaderGone();
      this.#path!.routes.callAll();
    }
    this.#ending.endReader();
    // A command that has closed its streams may still have something to do.
    if (!this.#command?.running) this.#ending.drain();
  }

  #startCommand(): void {
    if (this.#command === undefined) return;
    const inputs = inputsOf(this.#plan).length;
    try {
      this.#command.start(inputs === 1 ? "together" : "apart");
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      this.#reports.notice({ event: "error", message: error.message });
      this.#ending.exit(error.exitCode);
    }
  }

  #commandEnded(): void {
    this.#ending.drain();
    this.#exitIfDone();
  }

  /** One output that is gone ends its own route, and the program only with the last. */
  #endRoute(route: Route, end: RouteEnd): void {
    this.#reopening.done(route.number);
    if (end.kind === "route failed") {
      if (end.cause === "fault") {
        this.#fail(`the output loop failed: ${end.message}`);
      }
      if (end.cause === "refused") this.#ending.failed();
      const { container } = this.#plan;
      this.#reports.notice({ event: "error", message: end.message });
      if (container && !this.#ready) refuseStart(container.id);
      this.#board.route(route.slot).declareGone();
      signal(this.#wakeUps);
    }
    route.ended = true;
    this.#path!.arrivals?.routeEnded(route);
    this.#exitIfDone();
  }

  #exitIfDone(): void {
    // What is not compressed when the deadline passes is so after the next start.
    const done = this.#path!.routes.ended && !this.#expectsMore &&
      !this.#compression.running;
    if (!done || this.#command?.running) return;
    // Said also where nothing is left to be drained.
    this.#ending.drain();
    this.#ending.exit();
  }

  /** Inputs may come that have outputs of their own. */
  get #expectsMore(): boolean {
    return this.#plan.folders?.perInput === true && !this.#ending.readerEnded;
  }

  /**
   * A fault of this program. What the reader has left in the ring can still be
   * written, and without the compressor all can.
   */
  #threadDied(start: ThreadStart, message: string): void {
    const text = `the ${nameOf(start)} thread died: ${message}`;
    if (start.role === "output") this.#fail(text);
    this.#sayFailed(text);
    if (start.role === "compressor") {
      this.#compression.died();
      this.#exitIfDone();
      return;
    }
    this.#ending.endReader();
    this.#board.declareReaderGone();
    this.#path!.routes.callAll();
    // No one reads what it writes any more: it would wait for ever.
    this.#command?.terminate();
    this.#ending.drain();
  }

  #sayFailed(message: string): void {
    this.#ending.failed();
    this.#reports.notice({ event: "error", message });
  }

  #fail(message: string): never {
    this.#sayFailed(message);
    const { container } = this.#plan;
    if (container && !this.#ready) refuseStart(container.id);
    this.#ending.exit();
  }
}

/** Of the output that writes to where reports go. */
function turnOf({ routes }: Plan): LineTurn | undefined {
  const turn = routes.map(({ output }) => output.turn).find((turn) => turn);
  return turn && LineTurn.attach(turn);
}
