import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { TemporaryError } from "../../../src/errors.ts";
import { lokiPush } from "../../../src/formats/loki.ts";
import { MarkerPiece } from "../../../src/formats/marker_piece.ts";
import { Wait } from "../../../src/output/wait.ts";
import { pump } from "../pump.ts";
import { HttpSink } from "../../../src/output/http/http_sink.ts";
import { replyKind } from "../../../src/output/http/reply_kinds.ts";

/** Answers one request, with what is made of its head. */
async function answerOne(
  listener: Deno.Listener,
  answer: (head: string) => string,
): Promise<void> {
  using connection = await listener.accept();
  const bytes = new Uint8Array(4096);
  const count = await connection.read(bytes) ?? 0;
  const head = new TextDecoder().decode(bytes.subarray(0, count));
  await connection.write(new TextEncoder().encode(answer(head)));
}

function sinkTo(
  port: number,
  differently: Partial<ConstructorParameters<typeof HttpSink>[1]>,
): HttpSink {
  return new HttpSink("the server", {
    host: "127.0.0.1",
    port,
    authority: "localhost",
    path: "/",
    contentType: "text/plain",
    gzip: false,
    credentials: undefined,
    headers: undefined,
    timeoutMs: 10_000,
    replies: replyKind("raw"),
    shape: undefined,
    tls: undefined,
    ...differently,
  });
}

/** All at once: the sink must have room for it. */
function write(sink: HttpSink, label: string, record: string): void {
  const origin = { label, run: "a run", firstByte: 0 };
  const piece = new MarkerPiece(origin, [record], false);
  assertEquals(sink.write(piece, 0, new Wait()), piece.length);
}

/** Until all that the sink has taken has its verdict; how many there were. */
async function verdictsOf(sink: HttpSink): Promise<number> {
  let verdicts = 0;
  await pump((_, wait) => {
    while (sink.takeVerdict() !== undefined) verdicts++;
    if (sink.settled) return true;
    sink.hurry();
    sink.tend(wait);
    return false;
  });
  return verdicts;
}

/** What is said of a line that is posted, when the server answers so. */
async function saidOf(
  target: Parameters<typeof sinkTo>[1],
  answer: (head: string) => string,
): Promise<string> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const server = answerOne(listener, answer);
  const sink = sinkTo(listener.addr.port, target);
  try {
    write(sink, "stdout", "a line\n");
    const { message } = await assertRejects(
      async () => {
        await pump((_, wait) => {
          sink.tend(wait);
          return sink.settled;
        });
      },
      TemporaryError,
    );
    return message;
  } finally {
    sink.finish();
    await server;
  }
}

Deno.test("a reply that cannot be understood is quoted without the credentials in it", async () => {
  const path = Deno.makeTempFileSync();
  Deno.writeTextFileSync(path, "s3cret-".repeat(20));
  try {
    const message = await saidOf(
      { credentials: { scheme: "bearer", path } },
      (head) => `${/^Authorization: (.*)\r$/m.exec(head)?.[1]}\r\n`,
    );
    assertStringIncludes(message, 'cannot be understood: found "Bearer …"');
  } finally {
    Deno.removeSync(path);
  }
});

Deno.test("nothing of the query is shown where the server repeats it", async () => {
  const path = "/in?key=s3cret%2Fs3cret&stream=app";
  const target = (head: string) => head.split(" ", 2)[1]!;
  const reply = (status: string, header: string, body: string) =>
    `HTTP/1.1 ${status}\r\n${header}Content-Length: ${body.length}\r\n\r\n${body}`;
  const moved = await saidOf(
    { path },
    (head) => reply("301 Moved", `Location: https://localhost${target(head)}\r\n`, ""),
  );
  assertStringIncludes(moved, "points to https://localhost/in; name that instead");
  const respelled = await saidOf(
    { path },
    () => reply("302 Found", "Location: /new?key=s3cret/s3cret\r\n", ""),
  );
  assertStringIncludes(respelled, "points to /new; name that instead");
  const repeated = await saidOf(
    { path },
    (head) => reply("503 Busy", "", `no ${target(head)}, nor s3cret/s3cret`),
  );
  assertStringIncludes(repeated, "no /in?…, nor …");
});

Deno.test("an answer is quoted as far as there is something in it", async () => {
  for (
    const [status, body, expected] of [
      ["503 Busy", "no room\n", "503 Busy: no room"],
      ["503 Busy", "\n", "503 Busy"],
      ["503 ", "no room", "503 no room"],
      ["503", "", "503"],
    ] as const
  ) {
    const head = `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n\r\n`;
    assertEquals(await saidOf({}, () => head + body), `the server answered ${expected}`);
  }
});

Deno.test("requests get smaller also where most of a document is not its records", async () => {
  const maxBytes = 500;
  let requests = 0;
  const taken: string[] = [];
  await using server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => {},
  }, async (request) => {
    const body = await request.text();
    // One that comes again and again is let through in the end, so that the test ends.
    const isTooLarge = body.length > maxBytes && requests < 100;
    requests++;
    if (!isTooLarge) taken.push(body);
    return new Response(null, { status: isTooLarge ? 413 : 204 });
  });
  const sink = sinkTo(server.addr.port, {
    replies: replyKind("loki"),
    shape: lokiPush("web-1.example.org"),
  });
  const records = Array.from({ length: 64 }, (_, at) => `["${at}","GET /"]`);
  records.forEach((record, at) =>
    write(sink, at % 2 === 0 ? "service-a" : "service-b", `${record}\n`)
  );
  assertEquals(await verdictsOf(sink), records.length);
  sink.finish();
  assert(taken.every(({ length }) => length <= maxBytes), `after ${requests} requests`);
  const values = taken.flatMap((body) =>
    JSON.parse(body).streams.flatMap(({ values }: { values: unknown[] }) => values)
  );
  assertEquals(values.map((value) => JSON.stringify(value)), records);
});

Deno.test("requests that had to get smaller get larger again where the server takes more", async () => {
  let requests = 0;
  let longest = 0;
  await using server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => {},
  }, async (request) => {
    const { length } = await request.text();
    // Its limit is lifted a moment later.
    const isTooLarge = ++requests <= 20 && length > 700;
    if (!isTooLarge && requests > 100) longest = Math.max(longest, length);
    return new Response(null, { status: isTooLarge ? 413 : 204 });
  });
  const sink = sinkTo(server.addr.port, {});
  const origin = { label: "stdout", run: "a run", firstByte: 0 };
  const records = Array.from({ length: 2000 }, () => `${"x".repeat(99)}\n`);
  const piece = new MarkerPiece(origin, records, false);
  for (let at = 0; at < piece.length;) at += sink.write(piece, at, new Wait());
  await verdictsOf(sink);
  sink.finish();
  assert(longest > 2000, `${longest} bytes`);
});

Deno.test("a place that a server has once pointed to is left when it is gone", async () => {
  const asked: string[] = [];
  let place = "/v1";
  await using server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => {},
  }, async (request) => {
    const { pathname } = new URL(request.url);
    asked.push(`${pathname} ${await request.text()}`.trim());
    if (pathname === place) return new Response(null, { status: 204 });
    if (pathname !== "/") return new Response(null, { status: 404 });
    return new Response(null, { status: 308, headers: { location: place } });
  });
  const { port } = server.addr;
  const sink = sinkTo(port, { authority: `127.0.0.1:${port}` });
  for (const record of ["a\n", "b\n", "c\n"]) {
    if (record === "c\n") place = "/v2";
    write(sink, "stdout", record);
    await verdictsOf(sink);
  }
  sink.finish();
  assertEquals(asked, ["/ a", "/v1 a", "/v1 b", "/v1 c", "/ c", "/v2 c"]);
});
