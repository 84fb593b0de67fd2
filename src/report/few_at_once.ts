import { coalesce, isCoalesced, MAX_TOLD } from "./coalesce.ts";
import type { ReportEvent } from "./events.ts";

/** So long after the first of a kind, what came after the first few is reported. */
const WINDOW_MS = 1000;

/**
 * Events that happen by themselves, but may happen to a thousand inputs or outputs in the
 * same moment, as when the server of all is down: the first few of a kind are reported at
 * once, and of those that follow within a second the worst, and how many others there
 * are. Control thread only.
 */
export class FewAtOnce {
  readonly #say: (event: ReportEvent) => void;
  /** Of each kind in this window. */
  readonly #said = new Map<ReportEvent["event"], number>();
  #held: ReportEvent[] = [];

  constructor(say: (event: ReportEvent) => void) {
    this.#say = say;
  }

  say(event: ReportEvent): void {
    const said = this.#said.get(event.event) ?? 0;
    if (this.#said.size === 0) setTimeout(() => this.flush(), WINDOW_MS);
    this.#said.set(event.event, said + 1);
    if (isCoalesced(event) && said >= MAX_TOLD) this.#held.push(event);
    else this.#say(event);
  }

  /** Reports what was held back. */
  flush(): void {
    const held = this.#held;
    this.#held = [];
    this.#said.clear();
    coalesce(held).forEach((event) => this.#say(event));
  }
}
