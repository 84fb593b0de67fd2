import { assertEquals } from "@std/assert";
import { isMeant, whyNotMeant } from "../../../src/report/metrics/host_check.ts";

Deno.test("on loopback a request is for its names, and for the name that was given", () => {
  const cases = [
    ["Web-1", "web-1:9464", true, true],
    ["Web-1", "localhost", true, true],
    ["Web-1", "web-1.evil.example", true, false],
    ["0:0:0:0:0:0:0:1", "[0:0:0:0:0:0:0:1]:9464", true, true],
    ["0:0:0:0:0:0:0:1", "[::1]:9464", true, true],
    ["0:0:0:0:0:0:0:1", "evil.example", true, false],
    ["LOCALHOST", "evil.example", true, false],
    ["web-1", "evil.example", false, true],
  ] as const;
  for (const [name, asked, onLoopback, meant] of cases) {
    assertEquals(isMeant([asked], { name, onLoopback }), meant, `${name}: ${asked}`);
  }
});

Deno.test("whoever asks for another name reads which there are", () => {
  const names = (name: string) =>
    /to the names (.+?);/.exec(whyNotMeant({ name, onLoopback: true }))?.[1];
  assertEquals(names("web-1"), "web-1, localhost, 127.0.0.1 and [::1]");
  assertEquals(names("127.0.0.1"), "127.0.0.1, localhost and [::1]");
  assertEquals(names("::1"), "[::1], localhost and 127.0.0.1");
});
