import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { TemporaryError } from "../../../src/errors.ts";
import { MarkerPiece } from "../../../src/formats/marker_piece.ts";
import { newlineFraming } from "../../../src/output/network/framing.ts";
import type { ResendWindow } from "../../../src/output/network/resend_window.ts";
import type {
  Look,
  StreamConnection,
} from "../../../src/output/network/stream_connection.ts";
import { Wait } from "../../../src/output/wait.ts";
import { pump } from "../pump.ts";
import { StreamSink } from "../../../src/output/network/stream_sink.ts";

/** A connection that takes everything at once, and whose peer does what the test says. */
class FakeConnection implements StreamConnection {
  text = "";
  arrivedBytes = 0;
  broken: string | undefined;
  connected = true;

  send(window: ResendWindow): void {
    const bytes = window.unsent;
    window.sent(bytes.length);
    this.text += new TextDecoder().decode(bytes);
  }

  look(): Look {
    const unacknowledgedBytes = this.text.length - this.arrivedBytes;
    return { unacknowledgedBytes, ...(this.broken && { broken: this.broken }) };
  }

  await(): void {}

  sayGoodbye(): void {}

  get left(): { readonly broken?: string } | undefined {
    return this.broken === undefined ? {} : { broken: this.broken };
  }

  close(): void {}
}

/** The same where it takes a moment to connect. */
class SlowFake extends FakeConnection {
  override connected = false;

  override await(wait?: Wait): void {
    wait!.promise = Promise.resolve().then(() => {
      this.connected = true;
    });
  }
}

class Test {
  readonly connections: FakeConnection[] = [];
  readonly sink: StreamSink;

  constructor(slow: boolean) {
    this.sink = new StreamSink("peer", newlineFraming, () => {
      const connection = slow ? new SlowFake() : new FakeConnection();
      this.connections.push(connection);
      return connection;
    });
  }

  /** Until all of it is taken. */
  async write(...records: string[]): Promise<void> {
    const piece = new MarkerPiece(
      { label: "stdout", run: "a run", firstByte: 0 },
      records,
      false,
    );
    let from = 0;
    await pump((_, wait) => {
      const taken = this.sink.write(piece, from, wait);
      from += taken;
      if (taken > 0) wait.until(0);
      return from === piece.length;
    });
  }

  tend(): void {
    this.sink.tend(new Wait());
  }

  /** How many writes are known to have arrived. */
  verdicts(): number {
    let count = 0;
    while (this.sink.takeVerdict() !== undefined) count++;
    return count;
  }
}

for (const slow of [false, true]) {
  const kind = slow ? "connected after a moment" : "connected at once";

  Deno.test(`${kind}: a write has arrived when the last of its bytes has`, async () => {
    const test = new Test(slow);
    await test.write("one\n");
    await test.write("two\n", "three\n");
    const connection = test.connections[0]!;
    assertEquals(connection.text, "one\ntwo\nthree\n");
    connection.arrivedBytes = 13;
    test.tend();
    assertEquals(test.verdicts(), 1);
    connection.arrivedBytes = 14;
    test.tend();
    assertEquals(test.verdicts(), 1);
    assert(test.sink.settled);
  });

  Deno.test(`${kind}: what had not arrived goes over the next connection`, async () => {
    const test = new Test(slow);
    await test.write("one\n");
    await test.write("two\n");
    test.connections[0]!.broken = "it was reset";
    assertThrows(
      () => test.tend(),
      TemporaryError,
      "the connection to peer broke: it was reset",
    );
    await test.write("three\n");
    const [, next] = test.connections;
    assertEquals(next!.text, "one\ntwo\nthree\n");
    next!.arrivedBytes = next!.text.length;
    assert(test.sink.finish(new Wait()));
    assertEquals(test.connections.length, 2);
  });
}

/** How long to wait before the next look, which began and ended at some moments. */
function isLookAfter(sink: StreamSink, ms: number): boolean {
  const wait = new Wait();
  const beginMs = performance.now();
  sink.tend(wait);
  return wait.atMs >= beginMs + ms && wait.atMs <= performance.now() + ms;
}

Deno.test("what is waited for is looked for soon, and less often the longer it takes", async () => {
  const test = new Test(false);
  await test.write("one\n");
  assert(isLookAfter(test.sink, 20), "nothing waits for it");
  await test.write("two\n");
  test.sink.hurry();
  for (const ms of [2, 4, 8, 16, 20, 20]) assert(isLookAfter(test.sink, ms), `${ms}`);
  await test.write("three\n");
  assert(isLookAfter(test.sink, 2));
});

Deno.test("a connection that breaks before anything went over it is a failure, too", async () => {
  const test = new Test(true);
  const written = test.write("one\n");
  test.connections[0]!.broken = "it was closed at the other end";
  // Else it would be connected to without end, and without a pause.
  await assertRejects(
    () => written,
    TemporaryError,
    "the connection to peer broke: it was closed at the other end",
  );
  assertEquals(test.connections.length, 1);
});
