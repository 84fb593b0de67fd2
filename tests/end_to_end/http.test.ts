import { assert, assertEquals, assertMatch } from "@std/assert";
import { HttpReceiver, makeNginx } from "./http_receiver.ts";
import { checkConservation, numberedLines } from "./numbered_lines.ts";
import { needing } from "./installed.ts";
import { makeCertificates } from "./peers.ts";
import { testExecutables, testPrograms } from "./programs.ts";
import { inFolder, run, start, summaryIn, until } from "./run.ts";

const JSON_REPORTS = ["--report", "json"];

/** Runs a test with a receiver that listens already. */
async function withReceiver(
  test: (receiver: HttpReceiver, url: string) => Promise<void>,
): Promise<void> {
  const receiver = new HttpReceiver();
  await receiver.start();
  try {
    await test(receiver, `http://127.0.0.1:${receiver.port}/logs?source=a%20b`);
  } finally {
    await receiver.stop();
  }
}

function messages(receiver: HttpReceiver): string[] {
  return receiver.requests.flatMap(({ body }) => body.trimEnd().split("\n"))
    .map((line) => JSON.parse(line).message);
}

testPrograms(
  "http: posts lines as batches of ndjson",
  (program) =>
    withReceiver(async (receiver, url) => {
      const input = 'one\n"two"\n\nü\nlast';
      const { code, stderr } = await run(
        program,
        ["--output", url, ...JSON_REPORTS],
        input,
      );
      assertEquals(code, 0, stderr);
      assertEquals(messages(receiver), input.split("\n"));
      const summary = summaryIn(stderr);
      checkConservation(summary);
      assertEquals(summary.lines_out, 5);
      const [request] = receiver.requests;
      assertEquals(request?.url, "/logs?source=a%20b");
      assertEquals(request?.headers.get("content-type"), "application/x-ndjson");
      assertEquals(request?.headers.get("content-encoding"), null);
      assertMatch(request?.headers.get("idempotency-key") ?? "", /^[0-9a-f-]{36}-0$/);
      assertEquals(request?.headers.get("authorization"), null);
    }),
);

testExecutables(
  "http: sends a batch again until it is taken, with the same key",
  (program) =>
    withReceiver(async (receiver, url) => {
      const answers = [
        () => new Response("come back", { status: 503, headers: { "retry-after": "1" } }),
        () => new Response("", { status: 429 }),
        () => new Response("taken", { status: 201 }),
      ];
      receiver.answer = () => answers.shift()?.() ?? new Response();
      const spillway = start(program, ["--output", url, ...JSON_REPORTS]);
      await spillway.write("a\nb\n");
      await until("the first batch", () => receiver.requests.length >= 3);
      await spillway.counted("two lines", (s) => s.lines_out === 2);
      await spillway.write("c\n");
      await spillway.end();
      assertEquals(await spillway.code, 0);
      const keys = receiver.requests.map(({ headers }) => headers.get("idempotency-key"));
      assertEquals(keys[0], keys[1]);
      assertEquals(keys[1], keys[2]);
      assert(keys[2] !== keys[3]);
      assertEquals(receiver.requests[0]?.body, receiver.requests[2]?.body);
      const failing = spillway.reports.filter(({ event }) => event === "sink_failing");
      assertEquals(failing.length, 1, "it is reported once");
      assert(failing[0]?.message?.includes("503"), failing[0]?.message);
      assert(failing[0]?.message?.includes("come back"), failing[0]?.message);
    }),
);

testExecutables(
  "http: counts what the server refuses, and says why",
  (program) =>
    withReceiver(async (receiver, url) => {
      receiver.answer = ({ body }) =>
        body.includes("bad")
          ? new Response("bad\x1b[31m line", { status: 400 })
          : new Response();
      const spillway = start(program, ["--output", url, ...JSON_REPORTS]);
      await spillway.write("good\n");
      await spillway.counted("a line out", (s) => s.lines_out === 1);
      await spillway.write("bad 1\nbad 2\n");
      await spillway.counted("two lines rejected", (s) => s.lines_rejected === 2);
      await spillway.write("good\n");
      await spillway.end();
      assertEquals(await spillway.code, 0);
      const summary = summaryIn(await spillway.stderr);
      checkConservation(summary);
      assertEquals([summary.lines_out, summary.lines_rejected], [2, 2]);
      const report = spillway.reports.find(({ event }) => event === "sink_rejecting");
      assertMatch(report?.message ?? "", /400 .*bad \[31m line/);
      const loss = spillway.reports.find(({ event }) => event === "loss_end");
      assertEquals([loss?.reason, loss?.lines], ["rejected", 2]);
      assert(loss !== undefined && !("capacity_needed_bytes" in loss), "none would help");
      // The refused ones are missed where they were, before the next line.
      const taken = receiver.requests.map(({ body }) => body).join("");
      assertMatch(taken, /bad 2.*\n.*2 lines \(12 bytes\) rejected between .*\n.*"good"/);
    }),
);

for (const format of ["ndjson", "elasticsearch-bulk"] as const) {
  testExecutables(
    `http: says at the end what was refused last, as ${format}`,
    (program) =>
      withReceiver(async (receiver, url) => {
        receiver.answer = ({ body }) =>
          body.includes("bad")
            ? new Response("no", { status: 400 })
            : Response.json({ errors: false, items: [{ create: { status: 201 } }] });
        const args = ["--output", url, "--format", format, ...JSON_REPORTS];
        const { code, stderr } = await run(program, args, "bad 1\nbad 2\n");
        assertEquals([code, summaryIn(stderr).lines_rejected], [0, 2]);
        const taken = receiver.requests.map(({ body }) => body).join("");
        assertMatch(taken, /bad 2.*\n[^]*2 lines \(12 bytes\) rejected between /);
      }),
  );
}

testExecutables(
  "http: what is left of a line whose beginning was refused goes with it",
  (program) =>
    withReceiver(async (receiver, url) => {
      receiver.answer = ({ body }) =>
        new Response(null, { status: body.length > 3000 ? 413 : 200 });
      const { code, stderr } = await run(
        program,
        ["--output", url, "--max-line", "4000", ...JSON_REPORTS],
        `before\n${"x".repeat(5000)}\nafter\n`,
      );
      assertEquals(code, 0, stderr);
      const summary = summaryIn(stderr);
      checkConservation(summary);
      assertEquals([summary.lines_out, summary.lines_rejected], [2, 1]);
      assertEquals(summary.bytes_rejected, 5001);
      const taken = receiver.requests.filter(({ body }) => body.length <= 3000);
      assert(!taken.some(({ body }) => body.includes("xxx")), "no piece of it came");
    }),
);

testExecutables(
  "http: takes credentials from a file or the environment, and tells nobody",
  (program) =>
    withReceiver((receiver, url) =>
      inFolder(async (folder) => {
        receiver.answer = ({ headers }) =>
          new Response(`no, ${headers.get("authorization")}`, { status: 403 });
        Deno.writeTextFileSync(`${folder}/token`, "s3cret-token\n", { mode: 0o600 });
        const first = await run(
          program,
          ["--output", `${url}#bearer=${folder}/token`, "--no-markers", ...JSON_REPORTS],
          "a\n",
        );
        const spillway = start(program, [
          "--output",
          url,
          "--no-markers",
          ...JSON_REPORTS,
        ], {
          SPILLWAY_HTTP_BASIC: "user:s3cret-word",
        });
        await spillway.write("a\n");
        await spillway.end();
        const second = await spillway.stderr;
        const sent = receiver.requests.map(({ headers }) => headers.get("authorization"));
        assertEquals(sent, ["Bearer s3cret-token", `Basic ${btoa("user:s3cret-word")}`]);
        assert(first.stderr.includes("403"), first.stderr);
        for (const said of [first.stderr, second]) {
          assert(
            !said.includes("s3cret") && !said.includes(btoa("user:s3cret-word")),
            said,
          );
        }
        const url3 = url.replace("://", "://user:s3cret@");
        const third = await run(program, ["--output", url3]);
        assertEquals(third.code, 2);
        assert(!third.stderr.includes("s3cret"), third.stderr);
      })
    ),
);

testPrograms(
  "http: every line arrives though the server is stopped ten times",
  (program) =>
    withReceiver(async (receiver, url) => {
      const spillway = start(program, ["--output", url, ...JSON_REPORTS]);
      const [rounds, perRound] = [10, 2000];
      for (let round = 0; round < rounds; round++) {
        const before = receiver.requests.length;
        const written = spillway.write(numberedLines(round * perRound, perRound));
        await until("some more", () => receiver.requests.length > before);
        await receiver.stop();
        await receiver.start();
        await written;
      }
      await spillway.end();
      assertEquals(await spillway.code, 0);
      const summary = summaryIn(await spillway.stderr);
      checkConservation(summary);
      assertEquals(summary.lines_out, rounds * perRound);
      assertEquals(new Set(messages(receiver)).size, rounds * perRound);
    }),
);

testExecutables(
  "http: a server that never answers keeps nobody waiting at the end",
  (program) =>
    withReceiver(async (receiver, url) => {
      receiver.answer = () => new Promise(() => {});
      const spillway = start(program, [
        ...["--output", `${url}#timeout=300ms`, "--drain-timeout", "2s", ...JSON_REPORTS],
      ]);
      await spillway.write(numberedLines(0, 10));
      const report = await spillway.reported(
        "a failure",
        (r) => r.event === "sink_failing",
      );
      assert(report.message?.includes("0.3 s"), report.message);
      await spillway.end();
      assertEquals(await spillway.code, 4);
      const summary = summaryIn(await spillway.stderr);
      checkConservation(summary);
      assertEquals(summary.lines_unflushed, 10);
    }),
);

testExecutables(
  "elasticsearch-bulk: each document has a fate of its own",
  (program) =>
    withReceiver(async (receiver, url) => {
      let busy = true;
      receiver.answer = ({ body }) => {
        const documents = body.trimEnd().split("\n").filter((_, index) =>
          index % 2 === 1
        );
        const items = documents.map((document) => {
          const { message } = JSON.parse(document);
          if (message === "busy" && busy) return { create: { status: 429 } };
          if (message !== "bad") return { create: { status: 201 } };
          const error = { type: "mapper_parsing_exception", reason: "cannot parse it" };
          return { create: { status: 400, error } };
        });
        busy = false;
        return Response.json({ errors: true, items });
      };
      const { code, stderr } = await run(
        program,
        ["--output", url, "--format", "elasticsearch-bulk", ...JSON_REPORTS],
        "good\nbad\nbusy\ngood\nbad\n",
      );
      assertEquals(code, 0, stderr);
      const summary = summaryIn(stderr);
      checkConservation(summary);
      assertEquals([summary.lines_out, summary.lines_rejected], [3, 2]);
      assert(stderr.includes("cannot parse it"), stderr);
      const markers = receiver.requests.flatMap(({ body }) => body.split("\n"))
        .filter((line) => line.includes("gap_reason")).map((line) => JSON.parse(line));
      assert(markers.every(({ gap_reason }) => gap_reason === "rejected"));
      assertEquals(markers.reduce((sum, { gap_lines }) => sum + gap_lines, 0), 2);
      const again = receiver.requests[1]?.body.trimEnd().split("\n") ?? [];
      assertEquals(JSON.parse(again[1] ?? "").message, "busy");
      assertEquals(again.length, 2, "only what was asked for is sent again");
    }),
);

testExecutables(
  "elasticsearch-bulk: an _id is one that no other run has given",
  (program) =>
    withReceiver(async (receiver, url) => {
      receiver.answer = () => Response.json({ errors: false, items: [] });
      const args = ["--output", url, "--format", "elasticsearch-bulk", ...JSON_REPORTS];
      await Promise.all([run(program, args, "a\n"), run(program, args, "a\n")]);
      const ids = receiver.requests.map(({ body }) =>
        JSON.parse(body.split("\n")[0]!).create._id
      );
      // When a run has started is not enough: two may start in the same microsecond.
      for (const id of ids) assertMatch(id, /^stdout-[0-9a-f]{8}(-[0-9a-f]{4,12}){4}-1$/);
      assertEquals(new Set(ids).size, 2);
    }),
);

for (const format of ["ndjson", "raw", "json-file"]) {
  testExecutables(
    `http: of what is too large as a whole, only records that are too large are refused: ${format}`,
    (program) =>
      withReceiver(async (receiver, url) => {
        const taken: string[] = [];
        receiver.answer = ({ body }) => {
          if (body.length > 3000) return new Response("too large", { status: 413 });
          taken.push(...body.trimEnd().split("\n"));
          return new Response();
        };
        const short = Array.from({ length: 200 }, (_, line) => `short "line" ${line}`);
        const long = `long \t${"x".repeat(4000)}`;
        const lines = [...short.slice(0, 90), long, ...short.slice(90), "the end"];
        const args = [
          "--output",
          url,
          "--format",
          format,
          "--no-markers",
          ...JSON_REPORTS,
        ];
        const { code, stderr } = await run(program, args, lines.join("\n"));
        assertEquals(code, 0, stderr);
        const summary = summaryIn(stderr);
        checkConservation(summary);
        assertEquals([summary.lines_out, summary.lines_rejected], [201, 1]);
        assertEquals(summary.bytes_rejected, long.length + 1);
        const texts = taken.map((line) => {
          const { message, log } = format === "raw"
            ? { message: line }
            : JSON.parse(line);
          return message ?? log.trimEnd();
        });
        assertEquals(texts, [...short, "the end"]);
      }),
  );
}

testExecutables(
  "http: sends the headers of a file, and tells nobody",
  (program) =>
    withReceiver((receiver, url) =>
      inFolder(async (folder) => {
        const path = `${folder}/headers`;
        const send = (headers: string) => {
          Deno.writeTextFileSync(path, headers);
          return run(
            program,
            ["--output", `${url}#headers=${path}`, "--no-markers", ...JSON_REPORTS],
            "a\n",
          );
        };
        receiver.answer = ({ headers }) =>
          new Response(`no, ${headers.get("authorization")}`, { status: 403 });
        const good = await send(
          "Authorization: Splunk s3cret-token\n\nX-Scope-OrgID: 1\r\nContent-Type: text/x-log\n",
        );
        assertEquals(good.code, 0, good.stderr);
        const [request] = receiver.requests;
        assertEquals(request?.headers.get("authorization"), "Splunk s3cret-token");
        assertEquals(request?.headers.get("x-scope-orgid"), "1");
        assertEquals(request?.headers.get("content-type"), "text/x-log");
        assert(good.stderr.includes("answered 403"), good.stderr);
        for (const bad of ["s3cret-line\n", "A: b\nHost: s3cret\n", "A: s3cret\0\n"]) {
          const { code, stderr } = await send(bad);
          assertEquals(code, 1, stderr);
          assertMatch(stderr, /line [12] of .*headers.* is not a header to send/);
          assert(!stderr.includes("s3cret"), stderr);
        }
        assert(!good.stderr.includes("s3cret"), good.stderr);
        assertEquals(receiver.requests.length, 1);
      })
    ),
);

testExecutables(
  "http: follows 307 and 308 on the same server, and nowhere else",
  (program) =>
    withReceiver(async (receiver, url) => {
      receiver.answer = ({ url: path }) => {
        const [status, location] = path.startsWith("/logs")
          ? [308, "/there?x=1"]
          : path === "/there?x=1"
          ? [307, "taken"]
          : [200, ""];
        return new Response("", { status, headers: { location } });
      };
      const spillway = start(program, ["--output", url, ...JSON_REPORTS]);
      await spillway.write("a\n");
      await spillway.counted("a line", (s) => s.lines_out === 1);
      await spillway.write("b\n");
      await spillway.counted("another", (s) => s.lines_out === 2);
      await spillway.end();
      assertEquals(await spillway.code, 0);
      assertEquals(receiver.requests.map((request) => request.url), [
        ...["/logs?source=a%20b", "/there?x=1", "/taken"],
        // 308 is for good, 307 is not.
        ...["/there?x=1", "/taken"],
      ]);
      assertEquals(
        new Set(
          receiver.requests.slice(0, 3).map(({ headers }) =>
            headers.get("idempotency-key")
          ),
        ).size,
        1,
      );

      const elsewhere = `http://localhost:${receiver.port}/logs`;
      receiver.answer = () =>
        new Response("", { status: 307, headers: { location: elsewhere } });
      const before = receiver.requests.length;
      const args = ["--output", url, "--drain-timeout", "0ms", ...JSON_REPORTS];
      const stranger = start(program, args);
      await stranger.write("a\n");
      const { message } = await stranger.reported(
        "a redirect",
        ({ event }) => event === "sink_failing",
      );
      assertMatch(
        `${message}`,
        /answered 307 and points to http:\/\/localhost.*; name that/,
      );
      await stranger.end();
      assertEquals(await stranger.code, 4);
      assert(
        receiver.requests.slice(before).every(({ url }) => url.startsWith("/logs?")),
      );
    }),
);

const https = needing(
  "https: nginx takes gzip over TLS from a client that it knows",
  "nginx",
  "nginx-light",
);
testPrograms(
  https.name,
  (program) =>
    withReceiver((receiver) =>
      inFolder(async (folder) => {
        const tls = await makeCertificates(folder);
        const nginx = makeNginx(folder, receiver.port, tls);
        await nginx.server.start();
        try {
          const url = `https://localhost:${nginx.port}/x`;
          const settings =
            `#gzip=on&ca=${tls.ca}&cert=${tls.clientCert}&key=${tls.clientKey}`;
          const spillway = start(program, ["--output", url + settings, ...JSON_REPORTS]);
          await spillway.write(numberedLines(0, 1000));
          await spillway.counted("all lines", (s) => s.lines_out === 1000);
          await nginx.server.stop();
          await nginx.server.start();
          await spillway.write(numberedLines(1000, 1000));
          await spillway.end();
          assertEquals(await spillway.code, 0);
          const seen = messages(receiver);
          assertEquals(seen.length, 2000);
          assertEquals(seen, numberedLines(0, 2000).trimEnd().split("\n"));
          const [first] = receiver.requests;
          assertEquals(first?.headers.get("content-encoding"), "gzip");
          assertEquals(first?.headers.get("x-client"), "CN=client");

          const stranger = start(program, [
            ...["--output", url, "--drain-timeout", "1s", ...JSON_REPORTS],
          ]);
          await stranger.write("a\n");
          await stranger.end();
          assertEquals(await stranger.code, 4, "nobody vouches for this server");
        } finally {
          await nginx.server.stop();
        }
      })
    ),
  { ignore: https.ignore },
);
