/** Servers that answer late, too much, or what is no answer. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { checkConservation } from "./numbered_lines.ts";
import { makeCertificates } from "./peers.ts";
import { testExecutables } from "./programs.ts";
import { type Caller, withRawServer } from "./raw_server.ts";
import { inFolder, run, start, summaryIn } from "./run.ts";

const JSON_REPORTS = ["--report", "json"];

function reply(body: string, status = "200 OK"): string {
  return `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

testExecutables(
  "elasticsearch-bulk: only a reply that says so is a yes",
  async (program) => {
    const answers = [
      reply("<!DOCTYPE html><title>Log in</title>"),
      reply('{"took":3,"errors":false,"items":[{"create":{"sta'),
      reply('{"took":3,"items":[{"create":{"status":201}}]}'),
      reply('{"took":3,"errors":false,"items":[{"create":{"status":201}}]}'),
    ];
    const bodies: string[] = [];
    const talk = async (caller: Caller) => {
      for (let next; (next = await caller.request()) !== undefined;) {
        bodies.push(next.split("\r\n\r\n")[1]!);
        await caller.say(answers.shift()!);
      }
    };
    await withRawServer(talk, async (port) => {
      const url = `http://127.0.0.1:${port}/_bulk`;
      const args = ["--output", url, "--format", "elasticsearch-bulk", ...JSON_REPORTS];
      const { code, stderr } = await run(program, args, "a\n");
      assertEquals(code, 0, stderr);
      assertMatch(stderr, /does not say what has become of 1 documents.*Log in/);
      const summary = summaryIn(stderr);
      checkConservation(summary);
      assertEquals(summary.lines_out, 1);
      assertEquals(bodies.length, 4);
      assertEquals(new Set(bodies).size, 1, "the same documents again");
    });
  },
);

testExecutables("http: a body without an end is left unread", async (program) => {
  const chunk = `ffff\r\n${"x".repeat(0xffff)}\r\n`;
  let chunks = 0;
  const talk = async (caller: Caller) => {
    while (await caller.request() !== undefined) {
      await caller.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      for (;;) {
        await caller.say(chunk);
        chunks++;
      }
    }
  };
  await withRawServer(talk, async (port) => {
    const args = ["--output", `http://127.0.0.1:${port}/`, ...JSON_REPORTS];
    const { code, stderr } = await run(program, args, "a\n");
    assertEquals(code, 0, stderr);
    assertEquals(summaryIn(stderr).lines_out, 1);
    assert(!stderr.includes("sink_failing"), stderr);
    // What the system's buffers between the two have taken is among them.
    assert(chunks < 256, `${chunks} chunks were read`);
  });
});

testExecutables(
  "http: what a server says unasked is not the answer to the next request",
  async (program) => {
    const asked: string[] = [];
    const said = Promise.withResolvers<void>();
    const isCounted = Promise.withResolvers<void>();
    let callers = 0;
    const talk = async (caller: Caller) => {
      const isFirst = callers++ === 0;
      for (let next; (next = await caller.request()) !== undefined;) {
        asked.push(`${isFirst} ${/"message":"(.)"/.exec(next)?.[1]}`);
        await caller.say(reply("", isFirst && asked.length > 1 ? "503 No" : "200 OK"));
        if (!isFirst || asked.length > 1) continue;
        await isCounted.promise;
        // Such as what a proxy says to a connection on which nothing comes.
        await caller.say(reply("", "200 OK"));
        said.resolve();
      }
    };
    await withRawServer(talk, async (port) => {
      const args = ["--output", `http://127.0.0.1:${port}/`, ...JSON_REPORTS];
      const spillway = start(program, args);
      await spillway.write("a\n");
      await spillway.counted("the first line", (s) => s.lines_out === 1);
      isCounted.resolve();
      await said.promise;
      await spillway.write("b\n");
      await spillway.end();
      assertEquals(await spillway.code, 0);
      assertEquals(asked, ["true a", "false b"]);
    });
  },
);

/** Connecting has the same, which a busy machine may need. */
const TIMEOUT = "timeout=2s";

const SLOW = {
  "the head of a reply": async (caller: Caller) => {
    await caller.request();
    await caller.drip(`HTTP/1.1 200 OK\r\nServer: ${"x".repeat(10_000)}`);
  },
  "a body of known length": async (caller: Caller) => {
    await caller.request();
    await caller.say("HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n");
    await caller.drip("x".repeat(10_000));
  },
  "an endless body": async (caller: Caller) => {
    await caller.request();
    await caller.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    await caller.drip("1\r\nx\r\n".repeat(2000));
  },
};

for (const [what, talk] of Object.entries(SLOW)) {
  testExecutables(
    `http: ${what} that drips is waited for no longer than timeout`,
    (program) =>
      withRawServer(talk, async (port) => {
        const output = `http://127.0.0.1:${port}/#${TIMEOUT}`;
        await checkTimeout(program.command, output, "no reply came from");
      }),
  );
}

for (const scheme of ["https", "syslog+tls"]) {
  const talk = async (caller: Caller) => {
    // The head of a TLS record of 16 KiB, which then never comes to its end.
    await caller.say(new Uint8Array([22, 3, 3, 64, 0]));
    await caller.drip(new Uint8Array(16_384));
  };
  testExecutables(
    `${scheme}: a handshake that drips is waited for no longer than timeout`,
    (program) =>
      withRawServer(talk, (port) =>
        inFolder(async (folder) => {
          const { ca } = await makeCertificates(folder);
          const settings = `${TIMEOUT}&ca=${ca}`;
          const output = scheme === "https"
            ? `https://localhost:${port}/#${settings}`
            : `syslog+tls://localhost:${port}?${settings}`;
          await checkTimeout(program.command, output, "cannot make a TLS connection to");
        })),
  );
}

/** That the sink fails after its timeout. */
async function checkTimeout(
  command: readonly string[],
  output: string,
  what: string,
): Promise<void> {
  const args = ["--output", output, "--drain-timeout", "0ms", ...JSON_REPORTS];
  const spillway = start({ name: "", command, missing: false }, args);
  await spillway.write("a\n");
  const { message = "" } = await spillway.reported(
    "the failure",
    ({ event }) => event === "sink_failing",
  );
  assert(message.includes(what) && message.includes("longer than 2 s"), message);
  await spillway.end();
  assertEquals(await spillway.code, 4);
}
