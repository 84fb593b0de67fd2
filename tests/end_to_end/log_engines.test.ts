/**
 * Loki and OpenTelemetry's protocol. Neither has a receiver in Debian or npm: requests
 * are read by OpenTelemetry's published definition and by Loki's documented grammar,
 * and the replies are worded as their sources word them.
 */

import { assert, assertEquals } from "@std/assert";
import { readOtlp } from "../formats/otlp_definition.ts";
import { HttpReceiver, type Request } from "./http_receiver.ts";
import { exists } from "./peers.ts";
import { checkConservation, numberedLines } from "./numbered_lines.ts";
import { testExecutables } from "./programs.ts";
import { inFolder, run, start, startInShell, summaryIn, until } from "./run.ts";

async function withReceiver(
  test: (receiver: HttpReceiver, url: string) => Promise<void>,
): Promise<void> {
  const receiver = new HttpReceiver();
  await receiver.start();
  try {
    await test(receiver, `http://127.0.0.1:${receiver.port}`);
  } finally {
    await receiver.stop();
  }
}

interface LokiStream {
  readonly stream: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [nanos: string, line: string])[];
}

function lokiStreams({ body }: Request): LokiStream[] {
  return JSON.parse(body).streams;
}

function lokiEntries(request: Request): (readonly [string, string])[] {
  return lokiStreams(request).flatMap(({ values }) => [...values]);
}

testExecutables(
  "loki: a request holds the lines of each input under its labels",
  (program) =>
    withReceiver((receiver, url) =>
      inFolder(async (folder) => {
        const [api, web] = [`${folder}/api`, `${folder}/web`];
        const spillway = start(program, [
          ...["--fifo", `api=${api}`, "--fifo", `web=${web}`, "--create", "--once"],
          ...["--output", `${url}/loki/api/v1/push`, "--format", "loki"],
          ...["--report", "json"],
        ]);
        for (const path of [api, web]) {
          await until(path, () => exists(path));
        }
        const toApi = await Deno.open(api, { write: true });
        const toWeb = await Deno.open(web, { write: true });
        const lines = new TextEncoder().encode("same\n".repeat(2000) + '"ü"\n');
        await Promise.all([toApi, toWeb].map((file) => file.write(lines)));
        toApi.close();
        toWeb.close();
        assertEquals(await spillway.code, 0, await spillway.stderr);
        const summary = summaryIn(await spillway.stderr);
        checkConservation(summary);
        assertEquals(summary.lines_out, 4002);
        const [request] = receiver.requests;
        assertEquals(request?.url, "/loki/api/v1/push");
        assertEquals(request?.headers.get("content-type"), "application/json");
        for (const input of ["api", "web"]) {
          const streams = receiver.requests.flatMap(lokiStreams)
            .filter(({ stream }) => stream.input === input);
          assertEquals(streams[0]?.stream.job, "spillway");
          assertEquals(streams[0]?.stream.host, Deno.hostname());
          const entries = streams.flatMap(({ values }) => values);
          const text = entries.map(([, line]) => `${line}\n`).join("");
          assertEquals(text, new TextDecoder().decode(lines));
          // Loki takes a line of the same time and text for one that was sent twice.
          const times = entries.map(([time]) => BigInt(time));
          times.forEach((time, index) => assert(index === 0 || time > times[index - 1]!));
        }
      })
    ),
);

testExecutables(
  "loki: counts the lines that it has ignored, and no others",
  (program) =>
    withReceiver(async (receiver, url) => {
      const ignored = (lines: number, of: number) =>
        "entry with timestamp 2026-11-25 10:00:00.123456 +0000 UTC ignored, reason: " +
        `'entry too far behind',\nuser 'fake', total ignored: ${lines} out of ${of} ` +
        'for stream: {job="spillway"}';
      const tooLong = "2 errors like: max entry size '10' bytes exceeded for stream " +
        "'{}' while adding an entry with length '11' bytes; 1 errors like: entry for " +
        "stream '{}' has timestamp too old";
      receiver.answer = (request) => {
        const entries = lokiEntries(request);
        const text = entries.map(([, line]) => line).join();
        if (text.includes("busy") && receiver.requests.length === 1) {
          return new Response(ignored(2, entries.length), { status: 429 });
        }
        if (text.includes("old")) {
          return new Response(ignored(3, entries.length), { status: 400 });
        }
        if (text.includes("long")) return new Response(tooLong, { status: 400 });
        if (text.includes("bad")) return new Response("no labels", { status: 400 });
        return new Response(null, { status: 204 });
      };
      const spillway = start(program, [
        ...[
          "--output",
          `${url}/loki/api/v1/push`,
          "--format",
          "loki",
          "--report",
          "json",
        ],
      ]);
      const steps = [
        ["busy\n", 1, 0],
        ["old\nold\nold\ngood\n", 2, 3],
        ["long\ngood\ngood\ngood\ngood\n", 4, 6],
        ["bad\nbad\n", 4, 8],
      ] as const;
      for (const [lines, out, rejected] of steps) {
        await spillway.write(lines);
        await spillway.counted(
          `${out} out and ${rejected} rejected`,
          (s) => s.lines_out === out && s.lines_rejected === rejected,
        );
      }
      await spillway.end();
      assertEquals(await spillway.code, 0);
      const stderr = await spillway.stderr;
      checkConservation(summaryIn(stderr));
      assert(stderr.includes("total ignored: 3 out of 4"), stderr);
    }),
);

testExecutables(
  "otlp: requests are what OpenTelemetry defines",
  (program) =>
    withReceiver((receiver, url) =>
      inFolder(async (folder) => {
        receiver.answer = () => Response.json({ partialSuccess: {} });
        // Not through a pipe: this process, which is the server as well, may be so late with
        // the rest of a line that the first part is taken for a line.
        const INPUT = `${folder}/input`;
        await Deno.writeTextFile(INPUT, numberedLines(0, 30_000));
        const args = ["--output", `${url}/v1/logs#gzip=on`, "--format", "otlp"];
        const spillway = startInShell(
          program,
          'exec "$@" <"$INPUT"',
          [...args, "--report", "json"],
          { INPUT },
        );
        await spillway.readAll();
        assertEquals(await spillway.code, 0, spillway.stderrSoFar);
        const summary = summaryIn(await spillway.stderr);
        checkConservation(summary);
        assertEquals(summary.lines_out, 30_000);
        const [first] = receiver.requests;
        assertEquals(first?.url, "/v1/logs");
        assertEquals(first?.headers.get("content-type"), "application/json");
        assert(receiver.requests.length > 1, "a request is bounded");
        const bodies = receiver.requests.flatMap((request) => {
          const { resourceLogs: [resource, ...others] } = readOtlp(
            JSON.parse(request.body),
          );
          assertEquals(others, []);
          return resource!.scopeLogs.flatMap(({ logRecords }) => logRecords)
            .map(({ body }) => body.stringValue);
        });
        assertEquals(`${bodies.join("\n")}\n`, numberedLines(0, 30_000));
      })
    ),
);

testExecutables(
  "otlp: a partial success is counted, and what is temporary is sent again",
  (program) =>
    withReceiver(async (receiver, url) => {
      const answers = [
        () => new Response("", { status: 503 }),
        () => new Response("<html>who are you?</html>", { status: 200 }),
        () =>
          Response.json({
            partialSuccess: { rejectedLogRecords: "2", errorMessage: "too old" },
          }),
        // Not one that the specification lets anybody send again.
        () => new Response("broken", { status: 500 }),
        () => new Response("", { status: 200 }),
      ];
      receiver.answer = () => answers.shift()!();
      const spillway = start(program, [
        ...["--output", `${url}/v1/logs`, "--format", "otlp", "--report", "json"],
        // They may have requests of their own, or not.
        "--no-markers",
      ]);
      const steps = [["a\nb\nc\n", 1, 2], ["d\n", 1, 3], ["e\n", 2, 3]] as const;
      for (const [lines, out, rejected] of steps) {
        await spillway.write(lines);
        await spillway.counted(
          `${out} out and ${rejected} rejected`,
          (s) => s.lines_out === out && s.lines_rejected === rejected,
        );
      }
      await spillway.end();
      assertEquals(await spillway.code, 0);
      const stderr = await spillway.stderr;
      checkConservation(summaryIn(stderr));
      assert(stderr.includes("took 1 of 3 records and refused 2: too old"), stderr);
      assertEquals(receiver.requests.length, 5);
    }),
);

testExecutables(
  "otlp: in a file every line is a request of its own",
  (program) =>
    inFolder(async (folder) => {
      const path = `${folder}/logs.jsonl`;
      const { code, stderr } = await run(
        program,
        ["--output", path, "--format", "otlp"],
        "a\nb\n",
      );
      assertEquals(code, 0, stderr);
      const lines = Deno.readTextFileSync(path).trimEnd().split("\n");
      const messages = lines.map((line) =>
        readOtlp(JSON.parse(line)).resourceLogs[0]?.scopeLogs[0]?.logRecords[0]?.body
          .stringValue
      );
      assertEquals(messages, ["a", "b"]);
    }),
);
