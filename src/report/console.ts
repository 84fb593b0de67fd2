import type { Container } from "../containerd/container.ts";
import type { ReportEvent } from "./events.ts";
import { toJson } from "./json.ts";
import type { Stderr } from "./stderr.ts";
import { toText } from "./text.ts";

export type ReportStyle = "text" | "json" | "none";

/** How long the last words may wait for a standard error that nobody reads. */
const LAST_WORDS_MS = 250;

/** What people see on standard error. Control thread only; it never waits. */
export class Console {
  readonly #stderr: Stderr;
  readonly #style: ReportStyle;
  readonly #container: Container | undefined;

  constructor(stderr: Stderr, style: ReportStyle, container: Container | undefined) {
    this.#stderr = stderr;
    this.#style = style;
    this.#container = container;
  }

  report(event: ReportEvent): void {
    // Why the program failed is said in any case.
    if (this.#style === "none" && event.event !== "error") return;
    const toWords = this.#style === "json" ? toJson : toText;
    const text = toWords(event, this.#container);
    this.#stderr.print(`${text}\n`);
  }

  /** Writes what standard error has not taken yet, without waiting. */
  flush(): void {
    this.#stderr.flush(0);
  }

  /** Waits a little for a standard error that is slow. Nothing is said after it. */
  finish(): void {
    this.#stderr.flush(LAST_WORDS_MS);
  }
}
