import { assert, assertEquals } from "@std/assert";
import { SinkRejection, TemporaryError } from "../../../src/errors.ts";
import { MarkerPiece } from "../../../src/formats/marker_piece.ts";
import { NatsSink } from "../../../src/output/nats/nats_sink.ts";
import type { Wait } from "../../../src/output/wait.ts";
import { pump } from "../pump.ts";
import { answerWell, FakeNats, STREAM_NAMES } from "./fake_nats.ts";

function sinkTo(server: FakeNats, batch: "lines" | "line"): NatsSink {
  return new NatsSink("the server", {
    servers: [server.address],
    subject: "logs",
    messagePerRecord: batch === "line",
    create: undefined,
    credentials: undefined,
    timeoutMs: 60_000,
  }, undefined);
}

interface Outcome {
  arrivedBytes: number;
  rejectedBytes: number;
  /** Why bytes were rejected, each reason once. */
  readonly rejections: Set<string>;
  /** Why it was tried again, the same. */
  readonly failures: Set<string>;
}

/** Does what a delivery does, until all of the records have their verdict. */
async function deliver(sink: NatsSink, records: readonly string[]): Promise<Outcome> {
  const origin = { label: "stdout", run: "a run", firstByte: 0 };
  const piece = new MarkerPiece(origin, records, false);
  const outcome: Outcome = {
    arrivedBytes: 0,
    rejectedBytes: 0,
    rejections: new Set(),
    failures: new Set(),
  };
  const taken: number[] = [];
  let written = 0;
  const settle = () => {
    for (let verdict; (verdict = sink.takeVerdict()) !== undefined;) {
      const bytes = taken.shift()!;
      if (verdict.rejected === undefined) outcome.arrivedBytes += bytes;
      else outcome.rejectedBytes += bytes;
      if (verdict.rejected !== undefined) outcome.rejections.add(verdict.rejected);
    }
  };
  const advance = (wait: Wait) => {
    while (written < piece.length) {
      const bytes = sink.write(piece, written, wait);
      if (bytes > 0) taken.push(bytes);
      written += bytes;
      settle();
      if (bytes === 0) return;
    }
    sink.hurry();
    sink.tend(wait);
  };
  const step = (nowMs: number, wait: Wait) => {
    try {
      advance(wait);
    } catch (error) {
      if (error instanceof SinkRejection) {
        outcome.rejections.add(error.message);
        outcome.rejectedBytes += error.bytes;
        written += error.bytes;
      } else if (error instanceof TemporaryError) {
        outcome.failures.add(error.message);
      } else {
        throw error;
      }
      wait.until(nowMs + 10);
    }
    settle();
    return written === piece.length && sink.settled;
  };
  try {
    await pump(step);
  } finally {
    sink.finish();
  }
  return outcome;
}

function bytesIn(records: readonly string[]): number {
  return records.reduce((sum, { length }) => sum + length, 0);
}

for (const batch of ["lines", "line"] as const) {
  Deno.test(`what the next server takes no longer is rejected, and all else arrives, batch=${batch}`, async () => {
    const [before, after] = [200 * 1024, 100 * 1024];
    let [arrived, longest] = [0, 0];
    await using server = new FakeNats({
      info: (number) => ({ max_payload: number === 0 ? before : after }),
      async answer(peer) {
        if (peer.subject !== STREAM_NAMES) {
          if (peer.number === 0) return peer.close();
          longest = Math.max(longest, peer.length);
          arrived += peer.length;
        }
        await answerWell(peer);
      },
    });
    // As many as are more than the sink takes before some are acknowledged.
    const records = batch === "lines"
      ? Array.from({ length: 1500 }, () => `${"x".repeat(999)}\n`)
      : [`${"x".repeat(149_999)}\n`, "short\n"];
    const { arrivedBytes, rejectedBytes, rejections } = await deliver(
      sinkTo(server, batch),
      records,
    );
    const message = batch === "lines" ? 204_000 : 149_999;
    assertEquals([...rejections], [
      `the server now takes messages of up to ${
        after - 256
      } bytes only, and one that was to be sent has ${message}`,
    ]);
    // The sink has room for five messages of the longer ones.
    const rejected = batch === "lines" ? 5 * message : message + 1;
    assertEquals([rejectedBytes, arrivedBytes], [rejected, bytesIn(records) - rejected]);
    assert(longest < after);
    assertEquals(arrived, batch === "lines" ? arrivedBytes : arrivedBytes - 1);
  });
}

const NOT_JETSTREAM = "something that is not JetStream answers at the server";
const NO_STREAM = 'cannot find the stream for "logs" on the server: no reason';

const LOOKUPS: readonly (readonly [answer: string, failure: string])[] = [
  ["", `${NOT_JETSTREAM}: `],
  ["[", `${NOT_JETSTREAM}: [`],
  ["null", `${NOT_JETSTREAM}: null`],
  ['{"error":"no"}', NO_STREAM],
  ['{"error":{"description":{"toString":1}}}', NO_STREAM],
  [
    '{"error":null}',
    `no stream of the server takes the subject "logs"; make one, such as with nats stream add --subjects 'logs', or add create=NAME`,
  ],
];

for (const [answer, failure] of LOOKUPS) {
  Deno.test(`a server that answers "${answer}" is asked for the stream again`, async () => {
    let asked = 0;
    await using server = new FakeNats({
      async answer(peer) {
        if (peer.subject === STREAM_NAMES && asked++ === 0) await peer.reply(answer);
        else await answerWell(peer);
      },
    });
    const { failures, arrivedBytes } = await deliver(sinkTo(server, "lines"), ["a\n"]);
    assertEquals([...failures], [failure]);
    assertEquals(arrivedBytes, 2);
  });
}

Deno.test("a server that closes together with its answer is asked again", async () => {
  await using server = new FakeNats({
    async answer(peer) {
      const more = peer.number === 0 ? "-ERR 'Authorization Violation'\r\n" : "";
      await answerWell(peer, more);
    },
  });
  const { failures, arrivedBytes } = await deliver(sinkTo(server, "lines"), ["a\n"]);
  assertEquals([...failures], [
    "lost the connection to the server: Authorization Violation",
  ]);
  assertEquals(arrivedBytes, 2);
});

const FEW: readonly (readonly [maxPayload: number, arrived: number, limit: number])[] = [
  [1000, 501, 744],
  [100, 0, 0],
];

for (const [max, arrived, limit] of FEW) {
  Deno.test(`a server that takes only ${max} bytes gets what fits beside the headers`, async () => {
    await using server = new FakeNats({
      info: () => ({ max_payload: max }),
      answer: answerWell,
    });
    const records = [`${"x".repeat(500)}\n`, `${"y".repeat(1000)}\n`];
    const outcome = await deliver(sinkTo(server, "lines"), records);
    const { arrivedBytes, rejectedBytes, rejections } = outcome;
    assertEquals([arrivedBytes, rejectedBytes], [arrived, 1502 - arrived]);
    assertEquals(
      [...rejections].at(-1),
      `the server takes messages of up to ${limit} bytes, and a record has 1001`,
    );
  });
}

for (const max of ["many", {}]) {
  Deno.test(`a longest message of ${JSON.stringify(max)} bytes is no limit`, async () => {
    await using server = new FakeNats({
      info: () => ({ max_payload: max }),
      answer: answerWell,
    });
    const { arrivedBytes } = await deliver(sinkTo(server, "lines"), ["a\n"]);
    assertEquals(arrivedBytes, 2);
  });
}

for (const words of ["hello\r\n", "INFO {\r\n", "MSG\r\n"]) {
  Deno.test(`a server that says ${JSON.stringify(words)} is given up, and not quoted on standard output`, async () => {
    const printed: unknown[] = [];
    const { log } = console;
    console.log = (...said) => printed.push(said);
    await using server = new FakeNats({
      answer: (peer) => answerWell(peer, peer.number === 0 ? words : ""),
    });
    try {
      const outcome = await deliver(sinkTo(server, "lines"), ["a\n"]);
      assertEquals([...outcome.failures], [
        "lost the connection to the server: what the server said cannot be understood",
      ]);
      assertEquals(outcome.arrivedBytes, 2);
      assertEquals(printed, []);
    } finally {
      console.log = log;
    }
  });
}
