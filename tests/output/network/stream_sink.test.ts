import { assertEquals, assertRejects } from "@std/assert";
import { SinkFailure } from "../../../src/errors.ts";
import { MarkerPiece } from "../../../src/formats/marker_piece.ts";
import { newlineFraming } from "../../../src/output/network/framing.ts";
import type { ResendWindow } from "../../../src/output/network/resend_window.ts";
import type {
  Look,
  StreamConnection,
} from "../../../src/output/network/stream_connection.ts";
import { StreamSink } from "../../../src/output/network/stream_sink.ts";

/** A connection that takes everything at once, and whose peer does what the test says. */
class FakeConnection implements StreamConnection {
  text = "";
  arrivedBytes = 0;
  broken: string | undefined;

  send(window: ResendWindow): void {
    const bytes = window.unsent;
    window.sent(bytes.length);
    this.text += new TextDecoder().decode(bytes);
  }

  look(): Look {
    const unacknowledgedBytes = this.text.length - this.arrivedBytes;
    return { unacknowledgedBytes, ...(this.broken && { broken: this.broken }) };
  }

  wait(): void {}

  sayGoodbye(): string | undefined {
    return this.broken;
  }

  close(): void {}
}

/** The same where the event loop moves the bytes. */
class ServingFake extends FakeConnection {
  turn(): Promise<void> {
    return Promise.resolve();
  }
}

class Test {
  readonly connections: FakeConnection[] = [];
  readonly sink: StreamSink;

  constructor(serving: boolean) {
    this.sink = new StreamSink("peer", newlineFraming, () => {
      const connection = serving ? new ServingFake() : new FakeConnection();
      this.connections.push(connection);
      return serving ? Promise.resolve(connection) : connection;
    });
  }

  /** Until all of it is taken. */
  async write(...records: string[]): Promise<void> {
    const piece = new MarkerPiece("stdout", records, false);
    for (let from = 0; from < piece.length;) from += await this.sink.write(piece, from);
  }

  /** How many writes are known to have arrived. */
  verdicts(): number {
    let count = 0;
    while (this.sink.takeVerdict() !== undefined) count++;
    return count;
  }
}

for (const serving of [false, true]) {
  const kind = serving ? "with the event loop" : "without the event loop";

  Deno.test(`${kind}: a write has arrived when the last of its bytes has`, async () => {
    const test = new Test(serving);
    await test.write("one\n");
    await test.write("two\n", "three\n");
    const connection = test.connections[0]!;
    assertEquals(connection.text, "one\ntwo\nthree\n");
    connection.arrivedBytes = 13;
    await test.sink.tend();
    assertEquals(test.verdicts(), 1);
    connection.arrivedBytes = 14;
    await test.sink.tend();
    assertEquals(test.verdicts(), 1);
    assertEquals(test.sink.restMs, Infinity);
  });

  Deno.test(`${kind}: what had not arrived goes over the next connection`, async () => {
    const test = new Test(serving);
    await test.write("one\n");
    await test.write("two\n");
    test.connections[0]!.broken = "it was reset";
    await assertRejects(
      async () => await test.sink.tend(),
      SinkFailure,
      "the connection to peer broke: it was reset",
    );
    await test.write("three\n");
    const [, next] = test.connections;
    assertEquals(next!.text, "one\ntwo\nthree\n");
    next!.arrivedBytes = next!.text.length;
    await test.sink.finish();
    assertEquals(test.connections.length, 2);
  });
}
