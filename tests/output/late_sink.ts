import { ARRIVED, type Custody, type Sink, type Verdict } from "../../src/output/sink.ts";
import { FakeSink } from "./fake_sink.ts";

/** What becomes of what it has taken is known when a test says so. */
export class LateSink extends FakeSink implements Sink {
  #underway = 0;
  readonly #verdicts: Verdict[] = [];
  readonly custody: Custody = {
    takeVerdict: () => this.#verdicts.shift(),
    settled: false,
    tend: () => {},
  };

  override write(...args: Parameters<FakeSink["write"]>): number {
    const taken = super.write(...args);
    if (taken > 0) this.#underway++;
    return taken;
  }

  /** Of all that is under way, or of so many of the oldest writes. */
  decide(verdict = ARRIVED, writes = this.#underway): void {
    for (let write = 0; write < writes; write++) this.#verdicts.push(verdict);
    this.#underway -= writes;
  }
}
