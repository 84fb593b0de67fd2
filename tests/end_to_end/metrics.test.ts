import { assert, assertEquals, assertMatch } from "@std/assert";
import { needing } from "./installed.ts";
import { NOBODYS_PROGRAMS, startAsNobody } from "./nobody.ts";
import { numberedLines } from "./numbered_lines.ts";
import { type Program, testPrograms } from "./programs.ts";
import {
  freeze,
  inFolder,
  type Report,
  reportsIn,
  type Running,
  start,
  summaryIn,
  until,
} from "./run.ts";

const JSON_REPORTS = ["--report", "json"];
const MIB = 1024 * 1024;
const encoder = new TextEncoder();

/** A program that serves metrics where the system finds a port; output is not read. */
async function serving(
  program: Program,
  args: readonly string[],
  test: (spillway: Running, url: URL) => Promise<void>,
): Promise<void> {
  const metrics = args.includes("--metrics") ? [] : ["--metrics", "0"];
  const spillway = start(program, [...metrics, ...JSON_REPORTS, ...args]);
  try {
    const { url } = await spillway.reported("address", (r) => r.event === "listening");
    await test(spillway, new URL(String(url)));
  } finally {
    await spillway.end().catch(() => {});
    if (!spillway.stdout.locked) await spillway.readAll();
    await spillway.code;
  }
}

async function get(url: URL, path: string): Promise<{ status: number; body: string }> {
  const response = await fetch(new URL(path, url));
  return { status: response.status, body: await response.text() };
}

/** The metric `spillway_` and this name, with its labels. */
async function metric(url: URL, name: string): Promise<number> {
  const { body } = await get(url, "/metrics");
  const line = body.split("\n").find((line) => line.startsWith(`spillway_${name} `));
  if (line === undefined) throw new Error(`no ${name} in ${body}`);
  return Number(line.split(" ").at(-1));
}

testPrograms("metrics say what was read, written and lost", async (program) => {
  // Twice what the pipe of the output takes, so that it stalls however much is lost.
  await serving(program, ["--capacity", "512KiB"], async (spillway, url) => {
    await spillway.write(numberedLines(0, 20_000));
    const lost = 'lost_lines_total{input="stdout",reason="overwritten"}';
    let status: Report | undefined;
    await until("all to be read, and the same count of lost lines in both", async () => {
      status = JSON.parse((await get(url, "/status.json")).body) as Report;
      return status.lines_in === 20_000 &&
        status.lines_overwritten === await metric(url, lost);
    });
    assert(await metric(url, lost) > 0);
    assertEquals(await metric(url, 'input_lines_total{input="stdout"}'), 20_000);
    assertEquals(
      await metric(url, 'input_bytes_total{input="stdout"}'),
      status?.bytes_in,
    );
    assertEquals(await metric(url, 'capacity_bytes{input="stdout"}'), 512 * 1024);
    assertEquals(await metric(url, "sink_up"), 1);
    assertEquals(await get(url, "/healthz"), { status: 200, body: "ok\n" });
    await until(
      "the stall to be seen",
      async () => await metric(url, "sink_stalled_seconds") > 0,
    );
  });
});

testPrograms("metrics are in OpenMetrics for who asks for it, and of the process", async (
  program,
) => {
  await serving(program, [], async (_, url) => {
    const accept = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5";
    const reply = await fetch(new URL("/metrics", url), { headers: { accept } });
    assertMatch(reply.headers.get("content-type")!, /^application\/openmetrics-text;/);
    const body = await reply.text();
    assert(body.endsWith("\n# EOF\n"));
    assertMatch(
      body,
      /^spillway_build_info\{version="[\d.]+",runtime="(Deno|Bun) [\d.]+"\} 1$/m,
    );
    const resident = /^process_resident_memory_bytes (\d+)$/m.exec(body)?.[1];
    assert(Number(resident) > 10 * MIB, resident);
    assertMatch(body, /^process_cpu_seconds_total [\d.]+$/m);
  });
});

testPrograms("health says why, while the output fails", async (program) => {
  const args = ["--output", "/dev/full", "--drain-timeout", "0ms"];
  await serving(program, args, async (spillway, url) => {
    assertEquals(await get(url, "/healthz"), { status: 200, body: "ok\n" });
    await spillway.write("a line\n");
    await spillway.reported("the failure", ({ event }) => event === "sink_failing");
    const { status, body } = await get(url, "/healthz");
    assertEquals(status, 503);
    assertMatch(body, /No space left on device/);
    await until(
      "another attempt",
      async () => await metric(url, "sink_retries_total") > 0,
    );
    assertEquals(await metric(url, "sink_up"), 0);
  });
});

const REQUESTS = [
  ["GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", "200 OK"],
  ["GET /metrics HTTP/1.1\r\nhost:LocalHost:9464\r\n\r\n", "200 OK"],
  ["GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:9464\r\n\r\n", "200 OK"],
  ["GET /metrics HTTP/1.1\r\nHost: [::1]:9464\r\n\r\n", "200 OK"],
  ["GET / HTTP/1.1\r\nHost: evil.example:9464\r\n\r\n", "421 Misdirected Request"],
  ["GET / HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n", "421 Misdirected Request"],
  ["GET / HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n\r\n", "421 Misdirected Request"],
  ["GET / HTTP/1.1\r\nHost: \r\n\r\n", "421 Misdirected Request"],
  [
    "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
    "421 Misdirected Request",
  ],
  ["GET /metrics?x=1 HTTP/1.0\r\n\r\n", "200 OK"],
  ["GET /metrics HTTP/1.0\n\n", "200 OK"],
  [`GET /metrics HTTP/1.1\r\nAccept:${" ".repeat(8000)}\n\r\n\r\n`, "200 OK"],
  ["GET /nothing HTTP/1.1\r\n\r\n", "404 Not Found"],
  ["GET /../etc/passwd HTTP/1.1\r\n\r\n", "404 Not Found"],
  ["POST /metrics HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "405 Method Not Allowed"],
  ["GET /metrics HTTP/7.0\r\n\r\n", "400 Bad Request"],
  ["\0\x01\x02\r\n\r\n", "400 Bad Request"],
  ["\x16\x03\x01\x02\x00\x01", "400 Bad Request"],
  ["\r\n\r\n", "400 Bad Request"],
  ["x".repeat(8193), "431 Request Header Fields Too Large"],
] as const;

/** What a server says to these bytes, up to the end of the connection. */
async function converse(url: URL, request: string): Promise<string> {
  const connection = await connect(url);
  const text = new Response(connection.readable).text();
  await connection.write(new TextEncoder().encode(request));
  return await text;
}

function connect(url: URL): Promise<Deno.Conn> {
  return Deno.connect({ hostname: url.hostname, port: Number(url.port) });
}

testPrograms("bad requests get an answer that says so", async (program) => {
  await serving(program, [], async (_, url) => {
    for (const [request, status] of REQUESTS) {
      const reply = await converse(url, request);
      assert(reply.startsWith(`HTTP/1.1 ${status}\r\n`), `${request}: ${reply}`);
    }
    const head = await converse(url, "HEAD /metrics HTTP/1.1\r\n\r\n");
    assertMatch(head, /^HTTP\/1.1 200 OK\r\n(.+\r\n)*Content-Length: \d{4}\r\n/);
    assertMatch(head, /\r\n\r\n$/);
  });
});

/** Ways to write an address that only this machine reaches, and where to find it then. */
const LOOPBACKS = [
  ["127.1:0", "127.0.0.1"],
  ["LocalHost:0", "localhost"],
] as const;

testPrograms("however loopback is spelled, no other name gets an answer", async (
  program,
) => {
  await Promise.all(LOOPBACKS.map(async ([metrics, hostname]) => {
    await serving(program, ["--metrics", metrics], async (_, { port }) => {
      const url = new URL(`http://${hostname}:${port}/`);
      const own = metrics.replace(/:0$/, "");
      for (const [host, status] of [["evil.example", 421], [own, 200]] as const) {
        const request = `GET /metrics HTTP/1.1\r\nHost: ${host}:${port}\r\n\r\n`;
        const reply = await converse(url, request);
        assertEquals(reply.split(" ", 2)[1], `${status}`, `${metrics}: ${host}`);
      }
    });
  }));
});

testPrograms("on an address of the network it answers to every name", async (program) => {
  const spillway = start(program, ["--metrics", "0.0.0.0:0", ...JSON_REPORTS]);
  const output = spillway.readAll();
  const { url } = await spillway.reported("address", (r) => r.event === "listening");
  const { port } = new URL(String(url));
  for (const host of ["web-1.example.org", "10.1.2.3:9464", "localhost"]) {
    const request = `GET /metrics HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    const reply = await converse(new URL(`http://127.0.0.1:${port}/`), request);
    assert(reply.startsWith("HTTP/1.1 200 OK\r\n"), reply);
  }
  await spillway.end();
  await output;
  assertEquals(await spillway.code, 0);
});

testPrograms("a flood of connections keeps no honest request from its answer", async (
  program,
) => {
  await serving(program, [], async ({ pid }, url) => {
    const flood = async () => {
      for (let index = 0; index < 60; index++) others.push(await connect(url));
    };
    const others: Deno.Conn[] = [];
    // They all wait to be accepted when the program goes on.
    await freeze(pid);
    await flood();
    const honest = await connect(url);
    const reply = new Response(honest.readable).text();
    await honest.write(
      encoder.encode("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    );
    await flood();
    Deno.kill(pid, "SIGCONT");
    assertMatch(await reply, /^HTTP\/1.1 200 OK\r\n/);
    for (const connection of others) connection.close();
  });
});

testPrograms("a thousand open connections change nothing for others", async (program) => {
  await serving(program, [], async (spillway, url) => {
    await spillway.write("a line\n");
    await spillway.counted("it is through", (status) => status.lines_out === 1);
    const before = residentBytes(spillway.pid);
    const open: Deno.Conn[] = [];
    for (let index = 0; index < 1000; index++) {
      const connection = await connect(url);
      // Half a request; those that had to go for others are closed already.
      await connection.write(new TextEncoder().encode("GET / HT")).catch(() => 0);
      open.push(connection);
    }
    assertEquals((await get(url, "/healthz")).status, 200);
    const descriptors = () => [...Deno.readDirSync(`/proc/${spillway.pid}/fd`)].length;
    assert(descriptors() < 700, `${descriptors()} descriptors`);
    await until("most to be closed", () => descriptors() < 100);
    const more = residentBytes(spillway.pid) - before;
    assert(more < 48 * MIB, `${more} bytes more`);
    const lines = numberedLines(0, 10_000);
    const output = spillway.readAll();
    await spillway.write(lines);
    await spillway.end();
    assertEquals(new TextDecoder().decode(await output), `a line\n${lines}`);
    for (const connection of open) connection.close();
  });
});

function residentBytes(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/VmRSS:\s*(\d+) kB/.exec(status)![1]) * 1024;
}

testPrograms("a port that only root may have is not called taken", async (program) => {
  const spillway = startAsNobody(program, ["--metrics", "80", ...JSON_REPORTS]);
  await spillway.readAll();
  assertEquals(await spillway.code, 1);
  assertMatch(
    await spillway.stderr,
    /name an address of this machine and a port from 1024/,
  );
  await spillway.end().catch(() => {});
}, NOBODYS_PROGRAMS);

testPrograms("a port in use is an error before any input is read", async (program) => {
  await serving(program, [], async (_, url) => {
    const second = start(program, ["--metrics", url.host, ...JSON_REPORTS]);
    const output = second.readAll();
    assertEquals(await second.code, 1);
    const stderr = await second.stderr;
    assertMatch(
      reportsIn(stderr)[0]?.message ?? "",
      /cannot listen on 127.0.0.1 port \d+ for --metrics: .*(in use|EADDRINUSE)/,
    );
    assertEquals(summaryIn(stderr).lines_in, 0);
    assertEquals((await output).length, 0);
    await second.end().catch(() => {});
  });
});

const promtool = needing("promtool finds nothing to say", "promtool", "prometheus");
testPrograms(promtool.name, async (program) => {
  await serving(program, [], async (_, url) => {
    const check = new Deno.Command("promtool", {
      args: ["check", "metrics"],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = check.stdin.getWriter();
    await writer.write(new TextEncoder().encode((await get(url, "/metrics")).body));
    await writer.close();
    const { success, stdout, stderr } = await check.output();
    const said = new TextDecoder().decode(new Uint8Array([...stdout, ...stderr]));
    assertEquals([success, said], [true, ""]);
  });
}, promtool);

const scrape = needing("Prometheus scrapes it", "prometheus", "prometheus");
testPrograms(scrape.name, async (program) => {
  await serving(program, [], async (spillway, url) => {
    await spillway.write(numberedLines(0, 123));
    await inFolder((folder) => checkScrape(folder, url));
  });
}, scrape);

async function checkScrape(folder: string, url: URL): Promise<void> {
  await Deno.writeTextFile(
    `${folder}/prometheus.yml`,
    `scrape_configs:
- job_name: spillway
  scrape_interval: 1s
  scrape_timeout: 1s
  static_configs:
  - targets: ['${url.host}']
`,
  );
  const prometheus = new Deno.Command("prometheus", {
    args: [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      "--web.listen-address=127.0.0.1:0",
    ],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const log = new Log(prometheus.stderr);
  try {
    const host = await log.find(/msg="Listening on" address=(\S+)/);
    const query = new URL(`http://${host}/api/v1/query`);
    query.searchParams.set("query", 'spillway_input_lines_total{input="stdout"}');
    await until("a scrape to be stored", async () => {
      const response = await fetch(query);
      const body = await response.text();
      // 503 while it starts.
      return response.ok && JSON.parse(body).data.result[0]?.value[1] === "123";
    }, 100);
  } finally {
    prometheus.kill("SIGTERM");
    await prometheus.status;
    await log.end;
  }
}

/** What a program says, read to its end so that it is never held up. */
class Log {
  readonly end: Promise<void>;
  #text = "";

  constructor(stream: ReadableStream<Uint8Array>) {
    this.end = this.#read(stream);
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      this.#text += decoder.decode(chunk, { stream: true });
    }
  }

  async find(pattern: RegExp): Promise<string> {
    let found: string | undefined;
    await until(`${pattern} in a log`, () => {
      found = pattern.exec(this.#text)?.[1];
      return found !== undefined;
    }, 50);
    return found!;
  }
}
