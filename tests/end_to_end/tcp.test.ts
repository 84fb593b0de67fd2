import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  checkConservation,
  checkNumberedLines,
  numberedLines,
} from "./numbered_lines.ts";
import { testExecutables } from "./programs.ts";
import { inFolder, reportsIn, run, start, summaryIn, until } from "./run.ts";
import { Receiver } from "./stream_receiver.ts";

const JSON_REPORTS = ["--report", "json"];

/** Both ways, each with a receiver that does not listen yet. */
async function onBoth(test: (receiver: Receiver) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    for (const receiver of [Receiver.tcp(), Receiver.unix(`${folder}/socket`)]) {
      try {
        await test(receiver);
      } finally {
        receiver.stop();
      }
    }
  });
}

testExecutables(
  "tcp, unix: what goes in comes out",
  (program) =>
    onBoth(async (receiver) => {
      receiver.start();
      const input = numberedLines(0, 50_000) + "no newline";
      const { code, stderr } = await run(
        program,
        ["--output", receiver.destination, ...JSON_REPORTS],
        input,
      );
      assertEquals(code, 0, stderr);
      await until("all of it", () => receiver.text.length >= input.length);
      assertEquals(receiver.text, input);
      const summary = summaryIn(stderr);
      checkConservation(summary);
      assertEquals(summary.lines_out, 50_001);
    }),
);

testExecutables(
  "tcp, unix: a peer that comes late gets what was written before",
  (program) =>
    onBoth(async (receiver) => {
      const spillway = start(program, [
        "--output",
        receiver.destination,
        ...JSON_REPORTS,
      ]);
      await spillway.write(numberedLines(0, 100));
      const failing = await spillway.reported(
        "no peer",
        (r) => r.event === "sink_failing",
      );
      assertMatch(failing.message ?? "", /cannot connect to .*(ECONNREFUSED|ENOENT)/);
      receiver.start();
      await spillway.counted("all lines", (s) => s.lines_out === 100);
      await spillway.end();
      assertEquals(await spillway.code, 0);
      await until("the last byte", () => receiver.text.length >= 10_000);
      assertEquals(receiver.text, numberedLines(0, 100));
      const sink = reportsIn(await spillway.stderr)
        .filter(({ event }) => event.startsWith("sink_"));
      assertEquals(sink.map(({ event }) => event), ["sink_failing", "sink_recovered"]);
    }),
);

testExecutables(
  "tcp, unix: a cut connection loses nothing, and cuts no line",
  (program) =>
    onBoth(async (receiver) => {
      receiver.start();
      const spillway = start(program, [
        "--output",
        receiver.destination,
        ...JSON_REPORTS,
      ]);
      const [rounds, perRound] = [10, 5000];
      for (let round = 0; round < rounds; round++) {
        const written = spillway.write(numberedLines(round * perRound, perRound));
        const before = receiver.text.length;
        await until("some more", () => receiver.text.length > before);
        receiver.stop();
        receiver.start();
        await written;
      }
      // A peer that died with lines unread is found out by what is sent next.
      await spillway.write(numberedLines(rounds * perRound, 1));
      await spillway.end();
      assertEquals(await spillway.code, 0);
      const summary = summaryIn(await spillway.stderr);
      checkConservation(summary);
      const count = rounds * perRound + 1;
      assertEquals(summary.lines_out, count);
      const numbers = () => {
        const lines = receiver.wholeLines();
        for (const line of lines) assert(line.length === 99, `a line was cut: ${line}`);
        return new Set(lines.map((line) => Number.parseInt(line)));
      };
      await until("every line", () => numbers().size === count);
    }),
);

testExecutables(
  "tcp: what a dead peer has not taken counts as unflushed",
  (program) =>
    onBoth(async (receiver) => {
      receiver.start();
      receiver.reads = false;
      const spillway = start(program, [
        ...["--output", receiver.destination, "--drain-timeout", "1s", ...JSON_REPORTS],
      ]);
      const count = 200_000;
      await spillway.write(numberedLines(0, count));
      await spillway.end();
      assertEquals(await spillway.code, 4);
      const summary = summaryIn(await spillway.stderr);
      checkConservation(summary);
      assertEquals(summary.lines_in, count);
      assert(Number(summary.lines_unflushed) > 0);
    }),
);

testExecutables(
  "tcp: a marker shows where a frozen peer has cost lines",
  (program) =>
    onBoth(async (receiver) => {
      receiver.start();
      receiver.reads = false;
      const spillway = start(program, [
        ...["--output", receiver.destination, "--capacity", "64KiB", ...JSON_REPORTS],
      ]);
      const count = 200_000;
      await spillway.write(numberedLines(0, count));
      await spillway.counted("all is read", (s) => s.lines_in === count);
      receiver.reads = true;
      await spillway.end();
      assertEquals(await spillway.code, 0);
      const summary = summaryIn(await spillway.stderr);
      checkConservation(summary);
      // The newest line always comes.
      const last = numberedLines(count - 1, 1);
      await until("the last line", () => receiver.text.endsWith(last));
      const seen = checkNumberedLines(new TextEncoder().encode(receiver.text));
      assertEquals(seen.lines + seen.lostLines, count);
      assertEquals(summary.lines_out, seen.lines);
      assertEquals(summary.lines_overwritten, seen.lostLines);
      assert(seen.lostLines > 0, "the peer took it all");
    }),
);

testExecutables(
  "unix: a socket that can never be is an error that says what to do",
  (program) =>
    inFolder(async (folder) => {
      Deno.writeTextFileSync(`${folder}/file`, "");
      const cases = [
        [`unix:${folder}/missing/socket`, /folder must exist/],
        [`unix:${folder}/file`, /not a socket but a file/],
        [`syslog+unix:${folder}/file`, /not a socket but a file/],
      ] as const;
      for (const [output, message] of cases) {
        const { code, stderr } = await run(program, ["--output", output]);
        assertEquals(code, 1, stderr);
        assertMatch(stderr, message);
      }
    }),
);
