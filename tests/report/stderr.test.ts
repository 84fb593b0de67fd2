import { assert, assertEquals } from "@std/assert";
import { SharedDescriptorSink } from "../../src/output/shared_descriptor_sink.ts";
import { DescriptorSink } from "../../src/output/descriptor_sink.ts";
import { Wait } from "../../src/output/wait.ts";
import { Stderr } from "../../src/report/stderr.ts";
import { close } from "../../src/system/descriptors.ts";
import { pipe, readableBytes, setPipeSize } from "../../src/system/pipes.ts";
import { LineTurn } from "../../src/threads/line_turn.ts";
import { until } from "../end_to_end/run.ts";
import { pieceOf } from "../output/piece.ts";
import { readText } from "../system/text_io.ts";

const encoder = new TextEncoder();

/** Reports and an output that share a pipe. */
function sharing(): {
  readonly readEnd: number;
  readonly stderr: Stderr;
  readonly output: (text: string) => number;
  readonly end: () => void;
} {
  const [readEnd, writeEnd] = pipe();
  const turn = LineTurn.create();
  const sink = new SharedDescriptorSink(new DescriptorSink("pipe", writeEnd), turn);
  return {
    readEnd,
    stderr: new Stderr(writeEnd, LineTurn.attach(turn.memory)),
    output: (text) => sink.write(pieceOf(encoder.encode(text)), 0, new Wait()),
    end: () => [readEnd, writeEnd].forEach(close),
  };
}

/** Until it is disposed of, no time passes. @param laterMs what has passed before */
function stoppedClock(laterMs = 0): Disposable {
  const { now } = performance;
  const stopped = now.call(performance) + laterMs;
  performance.now = () => stopped;
  return { [Symbol.dispose]: () => performance.now = now };
}

/** What is in the pipe, and what waits to be written to it. */
function readAll(readEnd: number, stderr: Stderr): string {
  let text = "";
  for (let part: string | number = ""; typeof part === "string";) {
    text += part;
    stderr.flush();
    part = readText(readEnd);
  }
  return text;
}

Deno.test("a report waits for the end of an output's line", () => {
  using _ = stoppedClock();
  const { readEnd, stderr, output, end } = sharing();
  output("a line\nhalf ");
  stderr.print("spillway: report\n");
  assert(stderr.behind);
  output("of it, ");
  stderr.flush();
  assertEquals(readText(readEnd), "a line\nhalf of it, ");
  output("all of it\n");
  stderr.flush();
  output("more\n");
  assertEquals(readText(readEnd), "all of it\nspillway: report\nmore\n");
  assert(!stderr.behind);
  end();
});

Deno.test("it begins a line of its own where that takes too long", async () => {
  const { readEnd, stderr, output, end } = sharing();
  output("Password: ");
  stderr.print("spillway: report\n");
  assertEquals(readText(readEnd), "Password: ");
  await until("the report", () => {
    stderr.flush();
    return readableBytes(readEnd) > 0;
  });
  output("secret\n");
  assertEquals(readText(readEnd), "\nspillway: report\nsecret\n");
  end();
});

Deno.test("it begins a line of its own also where the pipe was full before", () => {
  const { readEnd, stderr, output, end } = sharing();
  const line = "x".repeat(setPipeSize(readEnd, 4096));
  assertEquals(output(line), line.length);
  stderr.print("spillway: report\n");
  {
    using _ = stoppedClock(60_000);
    stderr.flush();
    assertEquals(readText(readEnd, line.length), line);
    stderr.flush();
  }
  assertEquals(readText(readEnd), "\nspillway: report\n");
  end();
});

Deno.test("the last words wait for no line", () => {
  const { readEnd, stderr, output, end } = sharing();
  output("unfinished");
  stderr.print("spillway: report\n");
  stderr.print("spillway: summary\n");
  stderr.finish();
  assertEquals(readText(readEnd), "unfinished\nspillway: report\nspillway: summary\n");
  end();
});

Deno.test("a report of many inputs begins a line of its own, too", () => {
  const { readEnd, stderr, output, end } = sharing();
  const report = `spillway: ${"an input, ".repeat(50_000)}\n`;
  assert(setPipeSize(readEnd, 2 * report.length) > report.length);
  output("unfinished");
  stderr.print(report);
  stderr.finish();
  assert(readText(readEnd, 2 * report.length) === `unfinished\n${report}`);
  end();
});

Deno.test("an output waits while a report is half written", () => {
  const { readEnd, stderr, output, end } = sharing();
  // More than a pipe takes at once.
  const report = `${"r".repeat(100_000)}\n`;
  stderr.print(report);
  assertEquals(output("line\n"), 0);
  assertEquals(readAll(readEnd, stderr), report);
  assertEquals(output("line\n"), 5);
  assertEquals(readText(readEnd), "line\n");
  end();
});

Deno.test("a report that was not begun is in nobody's way", () => {
  const { readEnd, stderr, output, end } = sharing();
  while (output("x".repeat(4095) + "\n") > 0);
  stderr.print("spillway: report\n");
  readText(readEnd, 4096);
  assertEquals(output("line\n"), 5);
  assert(readAll(readEnd, stderr).endsWith("x\nline\nspillway: report\n"));
  end();
});
