import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { MessageWindow, WINDOW_BYTES } from "../../../src/output/nats/message_window.ts";
import { ARRIVED } from "../../../src/output/sink.ts";

const SPAN = { run: "a run", label: "stdout", fromByte: 0, toByte: 0 };

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Adds a message of one write, sealed. */
function put(window: MessageWindow, text: string): void {
  window.begin(SPAN, text.length, 0);
  window.add(bytesOf(text), false);
  window.seal();
}

/** Sends all that is to be sent; what was sent, in order. */
function sendAll(window: MessageWindow, nowMs = 0): string[] {
  const texts: string[] = [];
  for (let message = window.unsent; message !== undefined; message = window.unsent) {
    texts.push(new TextDecoder().decode(window.bytesOf(message)));
    window.sent(message, nowMs);
  }
  return texts;
}

Deno.test("a message is sent when it is sealed, and each write gets its verdict", () => {
  const window = new MessageWindow();
  window.begin(SPAN, 10, 7);
  window.add(bytesOf("one"), false);
  window.add(bytesOf("two"), false);
  assertEquals([window.open?.sinceMs, window.unsent], [7, undefined]);
  window.seal();
  assertEquals(sendAll(window), ["onetwo"]);
  assertEquals([window.underway, window.takeVerdict()], [1, undefined]);
  window.decide(0, { rejected: "no" });
  assertEquals(window.underway, 0);
  assertEquals(window.takeVerdict(), { rejected: "no" });
  assertEquals(window.isEmpty, false);
  assertEquals(window.takeVerdict(), { rejected: "no" });
  assertEquals([window.takeVerdict(), window.isEmpty], [undefined, true]);
});

Deno.test("verdicts are handed out in the order of the writes, whenever they come", () => {
  const window = new MessageWindow();
  for (const text of ["a", "b", "c"]) put(window, text);
  sendAll(window);
  window.decide(2, ARRIVED);
  window.decide(1, { rejected: "b" });
  assertEquals(window.takeVerdict(), undefined);
  window.decide(0, ARRIVED);
  window.decide(0, { rejected: "heard too late" });
  assertEquals([0, 1, 2].map(() => window.takeVerdict()), [
    ARRIVED,
    { rejected: "b" },
    ARRIVED,
  ]);
  window.decide(0, ARRIVED);
  window.decide(9, ARRIVED);
  assertEquals([window.isEmpty, window.underway], [true, 0]);
});

Deno.test("what has no verdict is sent again in the same order", () => {
  const window = new MessageWindow();
  for (const text of ["a", "b", "c"]) put(window, text);
  sendAll(window, 5);
  assertEquals(window.oldestSentMs, 5);
  window.decide(1, ARRIVED);
  window.rewind();
  assertEquals([window.underway, window.oldestSentMs], [0, Infinity]);
  put(window, "d");
  assertEquals(sendAll(window, 9), ["a", "c", "d"]);
  assertEquals([window.underway, window.oldestSentMs], [3, 9]);
});

Deno.test("messages without a byte have a place of their own", () => {
  const window = new MessageWindow();
  for (let count = 0; count < 3; count++) {
    assert(window.hasRoom(0));
    put(window, "");
  }
  assertEquals(sendAll(window), ["", "", ""]);
});

Deno.test("a message of all the memory fits when nothing else is there", () => {
  const window = new MessageWindow();
  assert(window.hasRoom(WINDOW_BYTES));
  assert(!window.hasRoom(WINDOW_BYTES + 1));
  put(window, "x".repeat(WINDOW_BYTES));
  assert(!window.hasRoom(0));
});

Deno.test("no message is written over before its verdict is handed out", () => {
  const length = fc.integer({ min: 0, max: Math.floor(WINDOW_BYTES / 3) });
  fc.assert(fc.property(fc.array(length, { minLength: 10, maxLength: 60 }), (lengths) => {
    const window = new MessageWindow();
    let [written, told] = [0, 0];
    const kept: { number: number; length: number; first: number }[] = [];
    for (const length of lengths) {
      while (!window.hasRoom(length)) {
        for (const { number, length, first } of kept) {
          const bytes = window.bytesOf(window.find(number)!);
          assertEquals([bytes.length, bytes[0] ?? first, bytes.at(-1) ?? first], [
            length,
            first,
            first,
          ]);
        }
        window.decide(told++, ARRIVED);
        assertEquals(window.takeVerdict(), ARRIVED);
        kept.shift();
      }
      const first = written % 251;
      window.begin(SPAN, length, 0);
      window.add(new Uint8Array(length).fill(first), false);
      kept.push({ number: written++, length, first });
    }
  }));
});
