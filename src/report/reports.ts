import process from "node:process";
import { inputsOf, type Plan } from "../plan.ts";
import type { Lane } from "../lane/lane.ts";
import { STDOUT } from "../system/descriptors.ts";
import type { Board } from "../threads/board.ts";
import { Console, meterFits } from "./console.ts";
import { coalesce } from "./coalesce.ts";
import { type Notice, type ReportEvent, type Snapshot, totalOf } from "./events.ts";
import { FewAtOnce } from "./few_at_once.ts";
import { isGoodNews } from "./good_news.ts";
import { type ObservedRoute, Observer } from "./observer.ts";
import { Reporter } from "./reporter.ts";
import type { Stderr } from "./stderr.ts";

/** How often the meter is drawn. */
const METER_MS = 100;

type ReportsPlan = Pick<
  Plan,
  "routes" | "folders" | "report" | "quiet" | "reportIntervalMs" | "container"
>;

/**
 * All that is said to people while the program runs: looks at the board, decides
 * what is worth saying, and says it. Control thread only.
 */
export class Reports {
  readonly #plan: ReportsPlan;
  readonly #stderr: Stderr;
  readonly #observer: Observer;
  readonly #reporter: Reporter;
  readonly #console: Console;
  readonly #few = new FewAtOnce((event) => this.#say(event));

  constructor(plan: ReportsPlan, stderr: Stderr) {
    const { whenFull } = plan.folders?.like ?? plan.routes[0]!;
    this.#plan = plan;
    this.#stderr = stderr;
    this.#observer = new Observer(plan.folders?.perInput === true);
    this.#reporter = new Reporter(
      whenFull === "drop-newest" ? "dropped" : "overwritten",
      plan.reportIntervalMs,
    );
    const onlyInput = plan.folders === undefined && inputsOf(plan).length === 1;
    this.#console = new Console(stderr, plan.report, plan.container, onlyInput);
  }

  /** From now on the route is part of what is reported. */
  add(route: ObservedRoute, board: Board): void {
    this.#observer.add(route, board);
  }

  /** An input that has come to a route: see `Observer.addLane`. */
  addInput(route: number, label: string, lane: Lane): void {
    this.#observer.addLane(route, label, lane);
  }

  /** It has gone, and all of it is written or lost; it may have come back meanwhile. */
  removeInput(route: number, label: string, lane: Lane): void {
    const last = this.#observer.snapshotOf(route, label)!;
    const hasGone = this.#observer.removeLane(route, lane);
    if (!hasGone) return;
    const events = this.#reporter.forgetInput(last, route, label);
    events.forEach((event) => this.#few.say(event));
  }

  /** Its inputs have gone. */
  remove(route: number): void {
    this.#observer.remove(route);
  }

  snapshot(): Snapshot {
    return this.#observer.snapshot();
  }

  /** Says what has become worth saying. */
  observe(): void {
    coalesce(this.#reporter.observe(this.snapshot())).forEach((event) =>
      this.#say(event)
    );
    this.#stderr.flush();
  }

  /** True if nothing will be worth saying as long as nothing comes in. */
  get settled(): boolean {
    const snapshot = this.snapshot();
    return this.#reporter.settled && !this.#stderr.behind &&
      snapshot.routes.every(({ output }) => output.takesNothingSinceMs === undefined) &&
      totalOf(snapshot).bytesBuffered === 0n;
  }

  status(): void {
    const snapshot = this.snapshot();
    this.#say({ timeMs: snapshot.timeMs, event: "status", snapshot });
  }

  notice(notice: Notice): void {
    this.#few.say({ timeMs: Date.now(), ...notice });
  }

  /** The output of that route fails; its outlet says so once until it recovers. */
  sinkFailing(route: number, message: string): void {
    this.#observer.noteError(route, message);
    const snapshot = this.#observer.snapshotOf(route);
    if (snapshot === undefined) return;
    this.#few.say(this.#reporter.sinkFailing(snapshot, route, message));
  }

  sinkRecovered(route: number): void {
    const snapshot = this.#observer.snapshotOf(route);
    if (snapshot === undefined) return;
    this.#few.say(this.#reporter.sinkRecovered(snapshot, route));
  }

  sinkRejecting(route: number, message: string): void {
    this.#observer.noteError(route, message);
    this.notice({ event: "sink_rejecting", message });
  }

  /** `--progress`, where the terminal allows it. */
  startMeter(): void {
    if (
      !meterFits(this.#plan.routes.some(({ output }) => output.readableAt === STDOUT))
    ) return;
    process.on("SIGCONT", () => this.#console.resume());
    setInterval(() => this.#console.show(this.snapshot()), METER_MS);
  }

  /** The last words. @returns what they were made from */
  finish(): Snapshot {
    this.#few.flush();
    this.#console.close();
    // What waits there could be so much that the last words would be left out.
    this.#stderr.finish();
    const snapshot = this.snapshot();
    coalesce(this.#reporter.finish(snapshot)).forEach((event) => this.#say(event));
    this.#say({ timeMs: snapshot.timeMs, event: "summary", snapshot });
    this.#stderr.finish();
    return snapshot;
  }

  #say(event: ReportEvent): void {
    if (this.#plan.quiet && isGoodNews(event)) return;
    this.#console.report(event);
  }
}
