import { assertEquals } from "@std/assert";
import type { ReportEvent, Snapshot } from "../../src/report/events.ts";
import { Reporter } from "../../src/report/reporter.ts";
import { CAPACITY_BYTES, inputOf, snapshot, START_MS } from "./snapshots.ts";

const INTERVAL_MS = 10_000;

/** A reporter with an interval of ten seconds, and what it says in few words. */
class TestReporter {
  readonly #reporter = new Reporter("overwritten", INTERVAL_MS);

  /** So many lines of 10 bytes were lost until then. */
  lost(seconds: number, ...lines: readonly number[]): string[] {
    const inputs = lines.map((lines, index) =>
      inputOf({
        linesOverwritten: BigInt(lines),
        bytesOverwritten: BigInt(lines * 10),
      }, "abc"[index]!)
    );
    return this.#reporter.observe(snapshot(seconds, inputs)).map(inWords);
  }

  /** The output has taken nothing since then. */
  stalled(seconds: number, since: number | undefined): string[] {
    const takesNothingSinceMs = since === undefined ? undefined : START_MS + since * 1000;
    return this.#reporter.observe(snapshot(seconds, [], { takesNothingSinceMs }))
      .map(inWords);
  }

  get settled(): boolean {
    return this.#reporter.settled;
  }
}

function inWords(event: ReportEvent): string {
  const seconds = (ms: number) => (ms - START_MS) / 1000;
  switch (event.event) {
    case "loss":
    case "loss_end":
      assertEquals(event.bytes, event.lines * 10n);
      return `${event.event} ${event.input.label} ${event.lines} ${
        seconds(event.sinceMs)
      }-${seconds(event.untilMs)}`;
    case "stall":
    case "stall_end":
      return `${event.event} since ${seconds(event.sinceMs)}`;
    default:
      return event.event;
  }
}

/** What is seen when the clock was set by so many seconds since the start. */
function setBy(seconds: number, seen: Snapshot): Snapshot {
  const setByMs = seconds * 1000;
  return {
    ...seen,
    timeMs: seen.timeMs + setByMs,
    startMs: seen.startMs + setByMs,
    routes: seen.routes.map((route) => {
      const since = route.output.takesNothingSinceMs;
      const takesNothingSinceMs = since === undefined ? undefined : since + setByMs;
      return { ...route, output: { ...route.output, takesNothingSinceMs } };
    }),
  };
}

for (const clock of [-3600, 3600]) {
  Deno.test(`a clock that is set by ${clock} s neither ends a stall nor hides one`, () => {
    const reporter = new Reporter("overwritten", INTERVAL_MS);
    const observed = (seconds: number, since: number | undefined, by: number) => {
      const takesNothingSinceMs = since && START_MS + since * 1000;
      return reporter.observe(setBy(by, snapshot(seconds, [], { takesNothingSinceMs })))
        .map(({ event }) => event);
    };
    assertEquals(observed(7001, 7000, 0), ["stall"]);
    assertEquals(observed(7002, 7000, clock), []);
    assertEquals(observed(7010, 7000, clock), []);
    assertEquals(observed(7011, 7000, clock), ["stall"]);
    assertEquals(observed(7013, 7000, clock), []);
    assertEquals(observed(7014, 7013.5, clock), ["stall_end"]);
    assertEquals(observed(7015, 7013.5, clock), ["stall"]);
    assertEquals(observed(7016, undefined, clock), ["stall_end"]);
  });

  Deno.test(`a clock that is set by ${clock} s makes a loss neither longer nor shorter`, () => {
    const reporter = new Reporter("overwritten", INTERVAL_MS);
    const observed = (seconds: number, lines: bigint, by: number) => {
      const counts = { linesOverwritten: lines, bytesOverwritten: 10n * lines };
      return reporter.observe(setBy(by, snapshot(seconds, [inputOf(counts)])))
        .map((event) => {
          if (event.event !== "loss" && event.event !== "loss_end") return event.event;
          const { lines, sinceMs, untilMs } = event;
          return `${event.event} ${lines} in ${(untilMs - sinceMs) / 1000} s`;
        });
    };
    assertEquals(observed(4000, 0n, 0), []);
    assertEquals(observed(4001, 5n, 0), ["loss 5 in 1 s"]);
    assertEquals(observed(4002, 6n, clock), []);
    assertEquals(observed(4011, 8n, clock), ["loss 8 in 11 s"]);
    assertEquals(observed(4021, 8n, clock), ["loss_end 8 in 11 s"]);
  });
}

Deno.test("it is settled when neither a loss nor a stall goes on", () => {
  const test = new TestReporter();
  assertEquals([test.lost(1, 0), test.settled], [[], true]);
  test.lost(2, 5);
  assertEquals(test.settled, false);
  test.lost(12, 5);
  assertEquals(test.settled, true);
  test.stalled(15, 13);
  assertEquals(test.settled, false);
  test.stalled(16, undefined);
  assertEquals(test.settled, true);
});

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
  assertEquals(test.stalled(1.5, 1), []);
  assertEquals(test.stalled(2, 1), ["stall since 1"]);
  assertEquals(test.stalled(3, 1), []);
  assertEquals(test.stalled(12, 1), ["stall since 1"]);
  assertEquals(test.stalled(13, undefined), ["stall_end since 1"]);
  assertEquals(test.stalled(14, undefined), []);
});

Deno.test("a stall has ended also when the next write is already under way", () => {
  const test = new TestReporter();
  assertEquals(test.stalled(2, 1), ["stall since 1"]);
  assertEquals(test.stalled(3, 2.9), ["stall_end since 1"]);
  assertEquals(test.stalled(4, 2.9), ["stall since 2.9"]);
});

Deno.test("an output that has nothing to take does not stall", () => {
  const test = new TestReporter();
  for (let seconds = 1; seconds < 30; seconds++) {
    assertEquals(test.stalled(seconds, undefined), []);
  }
});

/** A ring that was too small for bursts, as it is seen at certain moments. */
class Bursts {
  readonly #reporter = new Reporter("overwritten", INTERVAL_MS);
  #lost = 0n;

  /** @returns the capacity beyond the present one that the reports ask for */
  lacked(seconds: number, totalBytes: number, beforeBurstBytes: number): number[] {
    this.#lost += 1n;
    return this.#look(seconds, totalBytes, beforeBurstBytes);
  }

  quiet(seconds: number, totalBytes: number, beforeBurstBytes: number): number[] {
    return this.#look(seconds, totalBytes, beforeBurstBytes);
  }

  #look(seconds: number, totalBytes: number, beforeBurstBytes: number): number[] {
    const shortfall = { totalBytes, beforeBurstBytes };
    const input = inputOf({ bytesOverwritten: this.#lost, shortfall });
    return this.#reporter.observe(snapshot(seconds, [input])).map((event) =>
      event.event === "loss" || event.event === "loss_end"
        ? event.capacityNeededBytes - CAPACITY_BYTES
        : NaN
    );
  }
}

Deno.test("a loss asks for the capacity that would have held the worst burst", () => {
  const bursts = new Bursts();
  assertEquals(bursts.lacked(1, 100, 0), [100]);
  assertEquals(bursts.lacked(2, 700, 0), []);
  // A second burst, smaller than the first.
  assertEquals(bursts.lacked(3, 900, 700), []);
  assertEquals(bursts.quiet(13, 900, 900), [700]);
});

Deno.test("a burst that began and ended between two looks counts", () => {
  const bursts = new Bursts();
  assertEquals(bursts.lacked(1, 100, 0), [100]);
  assertEquals(bursts.lacked(2, 650, 600), []);
  assertEquals(bursts.quiet(12, 650, 600), [600]);
});

Deno.test("a loss does not ask for what an earlier one would have needed", () => {
  const bursts = new Bursts();
  assertEquals(bursts.lacked(1, 1000, 0), [1000]);
  assertEquals(bursts.quiet(11, 1000, 1000), [1000]);
  assertEquals(bursts.lacked(30, 1010, 1000), [10]);
});

Deno.test("the end of the program is the end of a loss that goes on", () => {
  const reporter = new Reporter("dropped", INTERVAL_MS);
  const seen = snapshot(1, [inputOf({ linesDropped: 3n, bytesDropped: 30n })]);
  assertEquals(reporter.observe(seen).map(({ event }) => event), ["loss"]);
  assertEquals(reporter.finish(seen).map(inWords), ["loss_end stdout 3 0-1"]);
});

Deno.test("an end without a loss says nothing", () => {
  const reporter = new Reporter("dropped", INTERVAL_MS);
  assertEquals(reporter.finish(snapshot(1, [inputOf({})])), []);
});

Deno.test("a recovery says for how long and how often it was tried", () => {
  const reporter = new Reporter("dropped", INTERVAL_MS);
  reporter.sinkFailing(snapshot(1, [], { retries: 5 }), 0, "full");
  assertEquals(reporter.sinkRecovered(snapshot(3, [], { retries: 9 }), 0), {
    timeMs: START_MS + 3000,
    event: "sink_recovered",
    output: "the output",
    sinceMs: START_MS + 1000,
    retries: 4,
  });
});
