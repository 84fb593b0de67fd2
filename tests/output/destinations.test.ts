import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../src/errors.ts";
import { kindOf, parseDestination } from "../../src/output/sinks.ts";

const parse = (output: string) => parseDestination(output, { rotation: undefined });

const ACCEPTED: [output: string, expected: Record<string, unknown>][] = [
  ["tcp://logs.example.org:5000", {
    kind: "tcp",
    name: "tcp://logs.example.org:5000",
    peer: { host: "logs.example.org", port: 5000 },
    timeoutMs: 30_000,
  }],
  ["tcp://[::1]:5000?timeout=2s", { peer: { host: "::1", port: 5000 }, timeoutMs: 2000 }],
  ["unix:/run/log.sock", { kind: "unix", peer: { path: "/run/log.sock" } }],
  ["syslog://host", {
    kind: "syslog",
    peer: { host: "host", port: 514 },
    syslog: { facility: 3, tag: undefined },
  }],
  ["syslog://10.0.0.1:5514?facility=local7&tag=api", {
    peer: { host: "10.0.0.1", port: 5514 },
    syslog: { facility: 23, tag: "api" },
  }],
  ["syslog://host?facility=0", { syslog: { facility: 0, tag: undefined } }],
  ["syslog+tcp://host", { kind: "syslog+tcp", peer: { host: "host", port: 514 } }],
  ["syslog+tls://host?ca=/a.pem&cert=/b.pem&key=/c.pem", {
    kind: "syslog+tls",
    peer: { host: "host", port: 6514 },
    tls: { ca: "/a.pem", cert: "/b.pem", key: "/c.pem" },
  }],
  ["syslog+unix:/dev/log?tag=x", {
    kind: "syslog+unix",
    peer: { path: "/dev/log" },
    syslog: { facility: 3, tag: "x" },
  }],
  ["http://host/a?key=secret", {
    kind: "http",
    name: "http://host/a",
    host: "host",
    port: 80,
    path: "/a?key=secret",
    gzip: false,
    tls: undefined,
  }],
  ["https://[::1]:8443/_bulk#gzip=on&bearer=/token&ca=/a.pem", {
    name: "https://[::1]:8443/_bulk",
    host: "::1",
    port: 8443,
    authority: "[::1]:8443",
    gzip: true,
    credentials: { scheme: "bearer", path: "/token" },
    tls: { ca: "/a.pem" },
  }],
];

for (const [output, expected] of ACCEPTED) {
  Deno.test(`--output ${output}`, () => {
    const found: Record<string, unknown> = { ...parse(output) };
    for (const [name, value] of Object.entries(expected)) {
      assertEquals(found[name], value, name);
    }
  });
}

const REFUSED: [output: string, message: string][] = [
  ["tcp://host", "has no port"],
  ["tcp://:80", "is not HOST:PORT"],
  ["tcp://host:0", "is not from 1 to 65535"],
  ["tcp://host:65536", "is not from 1 to 65535"],
  ["tcp://::1:80", "is not HOST:PORT"],
  ["tcp://host:80/path", "is not HOST:PORT"],
  ["tcp://host:80?tag=a", '"tag" is no setting'],
  ["tcp://host:80?timeout=1ms", "too short"],
  ["tcp://host:80?timeout=1s&timeout=2s", "given twice"],
  ["tcp://host:80?timeout=", "needs a value"],
  ["unix:", "is not the path of a socket"],
  [`unix:/${"x".repeat(107)}`, "is not the path of a socket"],
  ["syslog://host?facility=local8", "is not one of kern"],
  ["syslog://host?facility=24", "is not one of kern"],
  ["syslog://host?facility=-1", "is not one of kern"],
  ["syslog://host?tag=a%20b", "is not a tag"],
  ["syslog+tls://host?ca=/etc/ca%ff.pem", '"ca" holds bytes that are not UTF-8'],
  ["syslog+unix:/dev/log?tag=a:b", "and no spaces, colons or brackets"],
  ["syslog+tls://host?cert=/a", "go together"],
  ["http://", "is not a URL"],
  ["http://host#gzip=maybe", "is not one of on, off"],
  ["http://host#ca=/a", '"ca" is no setting'],
  ["https://host#bearer=/a&basic=/b", "do not go together"],
];

for (const [output, message] of REFUSED) {
  Deno.test(`--output ${output.slice(0, 60)} is refused: ${message}`, () => {
    assertThrows(() => parse(output), UsageError, message);
  });
}

Deno.test("credentials on the command line are refused, and not repeated", () => {
  for (const scheme of ["http", "https", "tcp", "syslog+tls", "HTTP", "htps"]) {
    const error = assertThrows(
      () => parse(`${scheme}://user:s3cret@host:1/`),
      UsageError,
      "credentials",
    );
    assertEquals(error.message.includes("s3cret"), false);
  }
});

Deno.test("syslog carries its own format only, HTTP takes any", () => {
  for (const output of ["syslog://h", "syslog+tcp://h", "syslog+tls://h"]) {
    assertEquals(kindOf(parse(output)).formats, ["rfc5424"]);
  }
  assertEquals(kindOf(parse("syslog+unix:/h")).formats, ["local-syslog", "rfc5424"]);
  assertEquals(kindOf(parse("http://h")).format, "ndjson");
  assertEquals(kindOf(parse("http://h")).formats, undefined);
});
