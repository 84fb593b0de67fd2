import { assert, assertEquals } from "@std/assert";
import { parseHead } from "../../../src/report/metrics/request_head.ts";

Deno.test("a request says its method, its path and what it accepts", () => {
  const head = {
    method: "GET",
    path: "/metrics",
    hosts: ["web-1:9464"],
    accept: "text/plain,*/*;q=0.1",
  };
  const lines = [
    "GET /metrics?a=b HTTP/1.1",
    "HOST: \tweb-1:9464 ",
    "X-Host: other",
    "Accept:text/plain",
    "accept: */*;q=0.1",
    "",
    "GET /what comes after it",
  ];
  assertEquals(parseHead(lines.join("\r\n")), head);
  assertEquals(parseHead(lines.join("\n")), head, "as people type it");
});

Deno.test("what is no request gets a status, and what may become one is waited for", () => {
  const cases = [
    ["GET / HTTP/1.1\r\nHost: localhost\r\n", undefined],
    ["GET / HTTP/7.0\r\n\r\n", 400],
    ["\r\n\r\n", 400],
    // The first bytes of TLS, which nothing follows until they are answered.
    ["\x16\x03\x01\x02\x00\x01", 400],
    ["x".repeat(8192), undefined],
    ["x".repeat(8193), 431],
    [`GET / HTTP/1.1\r\nCookie: ${"x".repeat(8192)}\r\n\r\n`, 431],
  ] as const;
  for (const [received, expected] of cases) {
    assertEquals(parseHead(received), expected, received.slice(0, 20));
  }
});

Deno.test("no request takes longer to read than its length allows", () => {
  const began = performance.now();
  for (const name of ["Host", "Accept"]) {
    const spaces = " ".repeat(8000);
    parseHead(`GET / HTTP/1.1\r\n${name}:${spaces}x${spaces}\n\r\n\r\n`);
    parseHead(`GET / HTTP/1.1\r\n${name}:${spaces}\n\r\n\r\n`);
  }
  // Milliseconds; a match that goes back would take minutes.
  assert(performance.now() - began < 5000);
});
