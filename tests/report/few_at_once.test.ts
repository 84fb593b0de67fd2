import { assertEquals } from "@std/assert";
import type { ReportEvent } from "../../src/report/events.ts";
import { FewAtOnce } from "../../src/report/few_at_once.ts";
import { toText } from "../../src/report/text.ts";

function failing(index: number): ReportEvent {
  const message = `server ${index} is down`;
  return { timeMs: index, event: "sink_failing", message, bufferedBytes: BigInt(index) };
}

function textOf(events: readonly ReportEvent[]): string[] {
  return events.map((event) => toText(event).replace(/^spillway: |;.*/g, ""));
}

Deno.test("of a thousand outputs that fail at once the first and the worst are reported", () => {
  const said: ReportEvent[] = [];
  const few = new FewAtOnce((event) => said.push(event));
  for (let index = 0; index < 1000; index++) few.say(failing(index));
  assertEquals(textOf(said), [
    "server 0 is down",
    "server 1 is down",
    "server 2 is down",
  ]);
  few.flush();
  assertEquals(textOf(said.slice(3)), [
    "server 999 is down",
    "server 998 is down",
    "server 997 is down",
    "994 other outputs fail, too",
  ]);
});

Deno.test("one kind of event holds back no other, and what is no such kind never waits", () => {
  const said: ReportEvent[] = [];
  const few = new FewAtOnce((event) => said.push(event));
  const events: readonly ReportEvent[] = [
    ...[0, 1, 2, 3].map(failing),
    { timeMs: 4, event: "error", message: "gone" },
    ...Array.from(
      { length: 5 },
      () => ({ timeMs: 5, event: "listening", url: "here" }) as const,
    ),
  ];
  events.forEach((event) => few.say(event));
  assertEquals(said.map(({ event }) => event), [
    ...Array.from({ length: 3 }, () => "sink_failing"),
    "error",
    ...Array.from({ length: 5 }, () => "listening"),
  ]);
  few.flush();
  assertEquals(said.at(-1)!.event, "sink_failing");
});

Deno.test("after a second the next ones are reported at once again", async () => {
  const said: ReportEvent[] = [];
  const firstHeld = Promise.withResolvers<void>();
  const few = new FewAtOnce((event) => {
    if (said.push(event) === 4) firstHeld.resolve();
  });
  for (let index = 0; index < 4; index++) few.say(failing(index));
  assertEquals(said.length, 3);
  await firstHeld.promise;
  few.say(failing(4));
  assertEquals(said.length, 5);
  few.flush();
});
