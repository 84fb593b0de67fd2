import { assertEquals } from "@std/assert";
import type { ReportEvent } from "../../src/report/events.ts";
import { Reporter } from "../../src/report/reporter.ts";
import { countsOf, snapshot, START_MS } from "./snapshots.ts";

const INTERVAL_MS = 10_000;

/** A reporter with an interval of ten seconds, and what it says in few words. */
class TestReporter {
  readonly #reporter = new Reporter(
    "the output",
    "overwritten",
    INTERVAL_MS,
    START_MS,
  );

  /** So many lines of 10 bytes were lost until then. */
  lost(seconds: number, ...lines: readonly number[]): string[] {
    const inputs = lines.map((lines, index) =>
      countsOf({
        linesOverwritten: BigInt(lines),
        bytesOverwritten: BigInt(lines * 10),
      }, "abc"[index]!)
    );
    return this.#reporter.observe(snapshot(seconds, inputs)).map(inWords);
  }

  /** So many bytes are out, and since then the output is being written to. */
  writing(seconds: number, since: number | undefined, bytesOut = 0): string[] {
    const inputs = [countsOf({ bytesOut: BigInt(bytesOut) })];
    return this.#reporter.observe(snapshot(seconds, inputs, since)).map(inWords);
  }
}

function inWords(event: ReportEvent): string {
  const seconds = (ms: number) => (ms - START_MS) / 1000;
  switch (event.event) {
    case "loss":
    case "loss_end":
      assertEquals(event.bytes, event.lines * 10n);
      return `${event.event} ${event.input} ${event.lines} ${seconds(event.sinceMs)}-${
        seconds(event.untilMs)
      }`;
    case "stall":
    case "stall_end":
      assertEquals(event.output, "the output");
      return `${event.event} since ${seconds(event.sinceMs)}`;
    default:
      return event.event;
  }
}

Deno.test("nothing is said while nothing is lost", () => {
  const test = new TestReporter();
  for (let seconds = 1; seconds < 60; seconds++) {
    assertEquals(test.lost(seconds, 0), []);
  }
});

Deno.test("a loss is said at once, then once an interval while it goes on, then when it has ended", () => {
  const test = new TestReporter();
  const said: string[] = [];
  for (let seconds = 1; seconds <= 60; seconds++) {
    // From the fifth second to the thirtieth, a line each second.
    const lines = Math.min(26, Math.max(0, seconds - 4));
    said.push(...test.lost(seconds, lines).map((words) => `${seconds}: ${words}`));
  }
  assertEquals(said, [
    "5: loss a 1 4-5",
    "15: loss a 11 4-15",
    "25: loss a 21 4-25",
    "35: loss a 26 4-30",
    "40: loss_end a 26 4-30",
  ]);
});

Deno.test("a loss within one moment is said, and its end an interval later", () => {
  const test = new TestReporter();
  assertEquals(test.lost(1, 7), ["loss a 7 0-1"]);
  for (let seconds = 2; seconds < 11; seconds++) assertEquals(test.lost(seconds, 7), []);
  assertEquals(test.lost(11, 7), ["loss_end a 7 0-1"]);
  assertEquals(test.lost(12, 7), []);
});

Deno.test("a new loss after the end of another counts for itself", () => {
  const test = new TestReporter();
  test.lost(1, 7);
  test.lost(11, 7);
  assertEquals(test.lost(20, 9), ["loss a 2 11-20"]);
  assertEquals(test.lost(30, 9), ["loss_end a 2 11-20"]);
});

Deno.test("a loss that pauses for less than an interval is one", () => {
  const test = new TestReporter();
  assertEquals(test.lost(1, 1), ["loss a 1 0-1"]);
  assertEquals(test.lost(10, 2), []);
  assertEquals(test.lost(11, 2), ["loss a 2 0-10"]);
  assertEquals(test.lost(19, 3), []);
  assertEquals(test.lost(21, 3), ["loss a 3 0-19"]);
  assertEquals(test.lost(29, 3), ["loss_end a 3 0-19"]);
});

Deno.test("each input's losses are its own", () => {
  const test = new TestReporter();
  assertEquals(test.lost(1, 1, 0), ["loss a 1 0-1"]);
  assertEquals(test.lost(2, 1, 5), ["loss b 5 1-2"]);
  assertEquals(test.lost(11, 1, 5), ["loss_end a 1 0-1"]);
  assertEquals(test.lost(12, 1, 5), ["loss_end b 5 1-2"]);
});

Deno.test("an output that takes nothing for a second is said to stall, then once an interval", () => {
  const test = new TestReporter();
  assertEquals(test.writing(1.5, 1), []);
  assertEquals(test.writing(2, 1), ["stall since 1"]);
  assertEquals(test.writing(3, 1), []);
  assertEquals(test.writing(12, 1), ["stall since 1"]);
  assertEquals(test.writing(13, undefined), ["stall_end since 1"]);
  assertEquals(test.writing(14, undefined), []);
});

Deno.test("a stall has ended also when the next write is already under way", () => {
  const test = new TestReporter();
  assertEquals(test.writing(2, 1), ["stall since 1"]);
  assertEquals(test.writing(3, 2.9), ["stall_end since 1"]);
  assertEquals(test.writing(4, 2.9), ["stall since 2.9"]);
});

Deno.test("an output that is slow but takes something all the time does not stall", () => {
  const test = new TestReporter();
  for (let seconds = 1; seconds < 30; seconds++) {
    assertEquals(test.writing(seconds, 0, seconds), []);
  }
  // From the last time it took something on.
  assertEquals(test.writing(30, 0, 29), ["stall since 29"]);
  assertEquals(test.writing(31, 0, 30), ["stall_end since 29"]);
});

Deno.test("an output that has nothing to take does not stall", () => {
  const test = new TestReporter();
  for (let seconds = 1; seconds < 30; seconds++) {
    assertEquals(test.writing(seconds, undefined), []);
  }
});
