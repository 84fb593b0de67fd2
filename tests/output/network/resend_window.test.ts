import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ResendWindow } from "../../../src/output/network/resend_window.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("latin1");

function add(window: ResendWindow, text: string, endsInside = false): void {
  window.append(encoder.encode(text));
  window.endChunk(endsInside);
}

/** Sends at most so many bytes, and says which. */
function send(window: ResendWindow, maxBytes = Infinity): string {
  const bytes = window.unsent.subarray(0, Math.min(maxBytes, window.unsentBytes));
  window.sent(bytes.length);
  return decoder.decode(bytes);
}

Deno.test("a chunk counts when all of it has arrived, and only once", () => {
  const window = new ResendWindow();
  add(window, "one\n");
  add(window, "two\n");
  assertEquals(send(window), "one\ntwo\n");
  window.arrivedBut(5, 0);
  assertEquals([window.arrivedChunks, window.settled], [0, false]);
  window.arrivedBut(1, 0);
  assertEquals(window.arrivedChunks, 1);
  window.rewind(0);
  send(window);
  window.arrivedBut(0, 1);
  assertEquals([window.arrivedChunks, window.settled], [2, true]);
});

Deno.test("after a break what has not arrived goes again, from its chunk on", () => {
  const window = new ResendWindow();
  add(window, "one\n");
  send(window);
  window.arrivedBut(0, 0);
  add(window, "two\n");
  add(window, "three\n");
  send(window, 6);
  window.arrivedBut(1, 20_000);
  window.rewind(30_001);
  assertEquals(send(window), "three\n");
});

Deno.test("what arrived a short time before a break goes again, older chunks do not", () => {
  const window = new ResendWindow();
  for (const [text, timeMs] of [["old\n", 0], ["new\n", 5000]] as const) {
    add(window, text);
    send(window);
    window.arrivedBut(0, timeMs);
  }
  assert(window.settled);
  window.rewind(12_000);
  assertEquals(window.settled, false);
  assertEquals(send(window), "new\n");
  assertEquals(window.arrivedChunks, 2, "it does not count again");
});

Deno.test("a record in several chunks goes again from its beginning", () => {
  const window = new ResendWindow();
  add(window, "before\n");
  add(window, "a long ", true);
  add(window, "record ", true);
  send(window);
  window.arrivedBut(0, 0);
  add(window, "ends\n");
  window.rewind(20_000);
  assertEquals(send(window), "a long record ends\n");
});

Deno.test("it is full of what has not arrived, and takes more when that has", () => {
  const window = new ResendWindow();
  const chunk = `${"x".repeat(64 * 1024 - 1)}\n`;
  let chunks = 0;
  while (window.hasRoom) {
    add(window, chunk);
    chunks++;
  }
  assertEquals(chunks, 32);
  send(window);
  window.arrivedBut(0, 0);
  assert(window.hasRoom);
});

Deno.test("whatever breaks and whenever, what is sent last is the rest of the stream", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("add"), bytes: fc.integer({ min: 1, max: 300_000 }) }),
    fc.record({ kind: fc.constant("send"), bytes: fc.integer({ min: 1, max: 900_000 }) }),
    fc.record({ kind: fc.constant("arrive"), bytes: fc.nat(100_000) }),
    fc.record({ kind: fc.constant("break"), bytes: fc.constant(0) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const window = new ResendWindow();
      let stream = "";
      let seed = 0;
      let chunks = 0;
      for (const [index, { kind, bytes }] of steps.entries()) {
        if (kind === "add" && window.hasRoom) {
          const text = `${++seed} `.padEnd(bytes, "abcdefghij") + "\n";
          add(window, text);
          stream += text;
          chunks++;
        } else if (kind === "send") {
          const at = stream.length - window.unsentBytes;
          const sent = send(window, bytes);
          assertEquals(sent === stream.slice(at, at + sent.length), true);
        } else if (kind === "arrive") {
          window.arrivedBut(bytes, index * 1000);
        } else if (kind === "break") {
          window.rewind(index * 1000);
        }
      }
      const at = stream.length - window.unsentBytes;
      assertEquals(send(window) === stream.slice(at), true);
      window.arrivedBut(0, 0);
      assertEquals([window.settled, window.arrivedChunks], [true, chunks]);
    }),
    { numRuns: 100 },
  );
});

Deno.test("a connection that says it has taken more than there was is not believed", () => {
  const window = new ResendWindow();
  window.append(new Uint8Array(3));
  for (const bytes of [4, -1]) {
    assertThrows(() => window.sent(bytes), Error, "of 3 bytes");
  }
});
