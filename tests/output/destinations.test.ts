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
  ["nats://host/logs", {
    kind: "nats",
    name: "nats://host/logs",
    servers: ["host:4222"],
    subject: "logs",
    messagePerRecord: false,
    create: undefined,
    credentials: undefined,
    timeoutMs: 5000,
    tls: undefined,
  }],
  ["nats+tls://a,b:5222,[::1]:1/logs.web-1.app?batch=line&nkey=/seed&ca=/a.pem", {
    name: "nats+tls://a,b:5222,[::1]:1/logs.web-1.app",
    servers: ["a:4222", "b:5222", "[::1]:1"],
    subject: "logs.web-1.app",
    messagePerRecord: true,
    credentials: { kind: "nkey", path: "/seed" },
    tls: { ca: "/a.pem" },
  }],
  ["nats://host/logs?create=LOGS&replicas=3&timeout=2s", {
    create: { name: "LOGS", replicas: 3 },
    timeoutMs: 2000,
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
  ["stdout", "write - for standard output, or ./stdout"],
  ["stderr", "write - and the shell's >&2"],
  ["udp://host:514", "write syslog://host:514 for syslog over UDP"],
  ["file:///var/log/app.log", "write the path alone, as in --output /var/log/app.log"],
  ["tcp:host:80", "write tcp://host:80, or write ./tcp:host:80"],
  ["tls://host:6514", "write syslog+tls://host:6514 or https://"],
  ["syslog+tls://host?ca=/etc/ca%ff.pem", '"ca" holds bytes that are not UTF-8'],
  ["syslog+unix:/dev/log?tag=a:b", "and no spaces, colons or brackets"],
  ["syslog+tls://host?cert=/a", "go together"],
  ["http://", "is not a URL"],
  ["http://host#gzip=maybe", "is not one of on, off"],
  ["http://host#ca=/a", '"ca" is no setting'],
  ["https://host#bearer=/a&basic=/b", "do not go together"],
  ["nats://host", '"" is no subject'],
  ["nats://host/", '"" is no subject'],
  ["nats:///logs", "is not HOST:PORT"],
  ["nats://host,/logs", "is not HOST:PORT"],
  ["nats://host/logs.>", "is no subject"],
  ["nats://host/logs.*", "is no subject"],
  ["nats://host/logs..a", "is no subject"],
  ["nats://host/my logs", "is no subject"],
  ["nats://host/logs?batch=all", "is not one of lines, line"],
  ["nats://host/logs?ca=/a.pem", '"ca" is no setting'],
  ["nats://host/logs?creds=/a&token=/b", "creds and token do not go together"],
  ["nats://host/logs?replicas=3", "replicas goes with create"],
  ["nats://host/logs?create=a.b", "is no name for a stream"],
  ["nats://host/logs?create=A&replicas=0", "is not a number from 1 to 5"],
  ["nats://host/logs?create=A&replicas=x", "is not a number from 1 to 5"],
];

for (const [output, message] of REFUSED) {
  Deno.test(`--output ${output.slice(0, 60)} is refused: ${message}`, () => {
    assertThrows(() => parse(output), UsageError, message);
  });
}

Deno.test("credentials on the command line are refused, and not repeated", () => {
  for (const scheme of ["http", "https", "tcp", "nats", "syslog+tls", "HTTP", "htps"]) {
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
