import { assertEquals } from "@std/assert";
import { Pace } from "../../src/input/give_way.ts";
import type { ThreadActivity } from "../../src/system/process.ts";

const MIB = 1024 ** 2;

/** What there is to see of a loop after 25 ms more. */
interface Window {
  readonly takenBytes: number;
  readonly activity?: ThreadActivity;
}

/** Whether it is fast after each of them. */
function paceOf(windows: readonly Window[]): boolean[] {
  const counters = { bytesOut: 0 };
  let activity: ThreadActivity | undefined;
  const pace = new Pace(counters, () => activity);
  pace.isFast(0);
  return windows.map((window, index) => {
    counters.bytesOut += window.takenBytes;
    activity = window.activity;
    return pace.isFast(25 * (index + 1));
  });
}

Deno.test("an output is fast that takes 200 MB/s", () => {
  const windows = [8, 1, 8].map((mebibytes) => ({ takenBytes: mebibytes * MIB }));
  assertEquals(paceOf(windows), [true, false, true]);
});

Deno.test("an output that takes little is not slow if its loop only lacks a processor", () => {
  const takenBytes = MIB;
  const working = { isRunnable: true, sleeps: 7 };
  assertEquals(
    paceOf([
      // It slept before; nobody knows how long.
      { takenBytes, activity: working },
      { takenBytes, activity: working },
      { takenBytes: 0, activity: working },
      // It waits for its sink, or has waited for it.
      { takenBytes, activity: { isRunnable: false, sleeps: 8 } },
      { takenBytes, activity: { isRunnable: true, sleeps: 9 } },
    ]),
    [false, true, true, false, false],
  );
});
