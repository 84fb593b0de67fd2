import { assertEquals } from "@std/assert";
import { MeterScreen } from "../../src/report/meter_screen.ts";

const K = "\x1b[K";
const J = "\x1b[J";

Deno.test("the first frame is drawn where the cursor is", () => {
  assertEquals(new MeterScreen().draw(["ab", "c"], [2, 1], 80), `\rab${K}\r\nc${J}\r`);
});

Deno.test("the next frame takes the place of the one before", () => {
  const screen = new MeterScreen();
  screen.draw(["ab", "c"], [2, 1], 80);
  assertEquals(screen.draw(["de"], [2], 80), `\r\x1b[1Ade${J}\r`);
  assertEquals(screen.draw(["f"], [1], 80), `\rf${J}\r`);
});

Deno.test("lines that a narrower terminal has wrapped are gone back over", () => {
  const screen = new MeterScreen();
  screen.draw(["a".repeat(79), "b".repeat(20)], [79, 20], 80);
  assertEquals(screen.erase(40), `\r\x1b[2A${J}`);
  // The cursor is at the beginning of the last line, not where that is wrapped to.
  screen.draw(["a".repeat(79)], [79], 80);
  assertEquals(screen.erase(40), `\r${J}`);
});

Deno.test("what was erased, or written over by others, is not gone back over", () => {
  const screen = new MeterScreen();
  assertEquals(screen.erase(80), "");
  screen.draw(["a", "b"], [1, 1], 80);
  assertEquals(screen.erase(80), `\r\x1b[1A${J}`);
  assertEquals(screen.erase(80), "");
  screen.draw(["a", "b"], [1, 1], 80);
  screen.forget();
  assertEquals(screen.draw(["c"], [1], 80), `\rc${J}\r`);
});
