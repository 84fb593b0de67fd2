import { assertEquals } from "@std/assert";
import { isMeant } from "../../../src/report/metrics/host_check.ts";

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
    const request = `GET / HTTP/1.1\r\nHost: ${asked}\r\n\r\n`;
    assertEquals(isMeant(request, { name, onLoopback }), meant, `${name}: ${asked}`);
  }
});
