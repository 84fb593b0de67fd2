import process from "node:process";
import type { Container } from "../containerd/container.ts";
import type { FullPolicy } from "../lane/ring_producer.ts";
import type { Board } from "../threads/board.ts";
import { Console, meterFits, type ReportStyle } from "./console.ts";
import { total } from "../lane/counts.ts";
import type { Notice, ReportEvent, Snapshot } from "./events.ts";
import { Observer } from "./observer.ts";
import { Reporter } from "./reporter.ts";
import type { Stderr } from "./stderr.ts";

/** How often the meter is drawn. */
const METER_MS = 100;

export interface ReportsOptions {
  readonly inputs: readonly { readonly label: string }[];
  readonly capacityBytes: number;
  readonly whenFull: FullPolicy;
  readonly output: { readonly kind: string; readonly name: string };
  readonly report: ReportStyle;
  readonly reportIntervalMs: number;
  readonly container: Container | undefined;
}

/**
 * All that is said to people while the program runs: looks at the board, decides
 * what is worth saying, and says it. Control thread only.
 */
export class Reports {
  readonly #options: ReportsOptions;
  readonly #observer: Observer;
  readonly #reporter: Reporter;
  readonly #console: Console;

  constructor(options: ReportsOptions, board: Board, stderr: Stderr) {
    const dropNewest = options.whenFull === "drop-newest";
    this.#options = options;
    this.#observer = new Observer(board, {
      labels: options.inputs.map(({ label }) => label),
      capacityBytes: options.capacityBytes,
      outputName: options.output.name,
      dropNewest,
    });
    this.#reporter = new Reporter(
      dropNewest ? "dropped" : "overwritten",
      options.reportIntervalMs,
      Date.now(),
    );
    this.#console = new Console(
      stderr,
      options.report,
      options.container,
      () => options.inputs.length === 1,
    );
  }

  snapshot(): Snapshot {
    return this.#observer.snapshot();
  }

  /** Says what has become worth saying. */
  observe(): void {
    this.#reporter.observe(this.snapshot()).forEach((event) => this.#say(event));
    this.#console.flush();
  }

  /** True if nothing will be worth saying as long as nothing comes in. */
  get settled(): boolean {
    const { inputs, output } = this.snapshot();
    return this.#reporter.settled && !this.#console.behind &&
      output.takesNothingSinceMs === undefined && total(inputs).bytesBuffered === 0n;
  }

  status(): void {
    const snapshot = this.snapshot();
    this.#say({ timeMs: snapshot.timeMs, event: "status", snapshot });
  }

  notice(notice: Notice): void {
    if (notice.event === "sink_rejecting") this.#observer.noteError(notice.message);
    this.#say({ timeMs: Date.now(), ...notice });
  }

  sinkFailing(message: string): void {
    this.#observer.noteError(message);
    this.#say(this.#reporter.sinkFailing(this.snapshot(), message));
  }

  sinkRecovered(): void {
    this.#say(this.#reporter.sinkRecovered(this.snapshot()));
  }

  /** `--progress`, where the terminal allows it. */
  startMeter(): void {
    if (!meterFits(this.#options.output.kind === "stdout")) return;
    process.on("SIGCONT", () => this.#console.resume());
    setInterval(() => this.#console.show(this.snapshot()), METER_MS);
  }

  /** The last words. @returns what they were made from */
  finish(): Snapshot {
    this.#console.close();
    const snapshot = this.snapshot();
    this.#reporter.finish(snapshot).forEach((event) => this.#say(event));
    this.#say({ timeMs: snapshot.timeMs, event: "summary", snapshot });
    this.#console.finish();
    return snapshot;
  }

  #say(event: ReportEvent): void {
    this.#console.report(event);
  }
}
