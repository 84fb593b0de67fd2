import { lost } from "../lane/counters.ts";
import { type ReportEvent, totalOf } from "./events.ts";

/**
 * True for what need not be said in the middle of what a command says itself, whose
 * standard error reports share: nothing is lost, and nothing is stuck.
 */
export function isGoodNews(event: ReportEvent): boolean {
  switch (event.event) {
    case "input_notice":
    case "recovered":
      return true;
    case "summary": {
      const all = totalOf(event.snapshot);
      return lost(all).lines === 0n &&
        all.bytesIn + all.bytesRecovered === all.bytesOut &&
        all.linesIn + all.linesRecovered === all.linesOut;
    }
    default:
      return false;
  }
}
