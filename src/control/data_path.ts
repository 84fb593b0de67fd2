import { type FoldersPlan, inputsOf, type Plan } from "../plan.ts";
import type { Reports } from "../report/reports.ts";
import { wallClockMicros } from "../system/clock.ts";
import { signal } from "../system/event_counter.ts";
import type { Board } from "../threads/board.ts";
import { Gate } from "../threads/gate.ts";
import { Arrivals } from "./arrivals.ts";
import { Keeping } from "./keeping.ts";
import { mailWay, type ReaderMail } from "./mail.ts";
import { roomForFolders } from "./preparation.ts";
import { type Loop, Routes } from "./routes.ts";
import type { NewcomersStart, ReaderStart, Shared, ThreadStart } from "./thread_start.ts";

interface DataPathContext {
  readonly plan: Plan;
  readonly board: Board;
  /** The counter that wakes the reader. */
  readonly wakeUps: number;
  readonly reports: Reports;
  start(thread: ThreadStart): void;
}

/**
 * All that lines go through: the routes, the threads that serve them and what these share,
 * and what makes more of it for named pipes that come later. Control thread only.
 */
export class DataPath {
  readonly keeping: Keeping;
  readonly routes: Routes;
  /** Where folders are read. */
  readonly arrivals: Arrivals | undefined;
  readonly #context: DataPathContext;
  readonly #shared: Shared;
  /** What the reader is to know of folders. */
  readonly #expected: Pick<ReaderStart, "newcomers" | "mail">;

  /**
   * @throws InputError when the system has not so much memory or so many descriptors,
   * KeepError where what earlier runs have left cannot be used.
   */
  constructor(context: DataPathContext) {
    const { plan, board, wakeUps, reports } = context;
    this.#context = context;
    const run = crypto.randomUUID();
    this.keeping = new Keeping(plan, run, (notice) => reports.notice(notice));
    this.routes = new Routes(this.keeping.routes, plan.folders);
    for (const route of this.routes.all) reports.add(route, board);
    this.#shared = {
      board: board.memory,
      wakeUps,
      outletsReady: Gate.create(this.routes.loops.length).memory,
      startTime: wallClockMicros(),
      run,
    };
    const { folders } = plan;
    if (folders === undefined) {
      this.#expected = { newcomers: undefined, mail: undefined };
      return;
    }
    const { sender, mail } = mailWay();
    this.#expected = { newcomers: newcomersIn(folders, plan), mail };
    this.arrivals = new Arrivals({
      folders,
      routes: this.routes,
      reports,
      board,
      startLoop: (loop) => this.#startLoop(loop),
      tellReader: (what: ReaderMail) => sender.postMessage(what),
      wakeReader: () => signal(wakeUps),
    });
  }

  start(): void {
    const { pipeSizeBytes, once, create } = this.#context.plan;
    // The reader last: it waits until the outlets can take what is read.
    for (const loop of this.routes.loops) this.#startLoop(loop);
    this.#context.start({
      role: "reader",
      shared: this.#shared,
      settings: { pipeSizeBytes, once, create },
      ...this.routes.readerLanes,
      ...this.#expected,
    });
  }

  #startLoop(loop: Loop): void {
    const start = this.routes.startOf(loop);
    this.#context.start({ role: "output", shared: this.#shared, ...start });
  }
}

function newcomersIn(folders: FoldersPlan, plan: Plan): NewcomersStart {
  const inputs = inputsOf(plan);
  return {
    folders: folders.paths,
    labels: inputs.map(({ label }) => label),
    ...roomForFolders(inputs, plan.routes, folders.perInput ? 2 : 1),
  };
}
