/** Hosts with several addresses, the first of which nobody listens on. */

import { assertEquals } from "@std/assert";
import { makeAuthority, makeServer } from "./certificates.ts";
import { NEEDS_ROOT } from "./installed.ts";
import { testPrograms } from "./programs.ts";
import { type Caller, withRawServer } from "./raw_server.ts";
import { inFolder, startInShell, summaryIn, until } from "./run.ts";

const HOSTS = "::1 twin.test\n127.0.0.1 twin.test\n127.0.0.1 localhost\n";
/** With names of its own, in a namespace of its own. */
const SCRIPT =
  `exec unshare --mount --propagation private bash -c 'mount --bind "$HOSTS" /etc/hosts && exec "$@"' bash "$@"`;

async function answer(caller: Caller): Promise<void> {
  while (await caller.request() !== undefined) {
    await caller.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  }
}

/** Reads what comes, as a syslog server does. */
async function listen(caller: Caller): Promise<void> {
  await caller.request();
}

const KINDS = [
  { scheme: "tcp", talk: listen },
  { scheme: "http", talk: answer },
  { scheme: "https", talk: answer },
  { scheme: "syslog+tls", talk: listen },
];

for (const { scheme, talk } of KINDS) {
  testPrograms(
    `${scheme}: a host is reached by whichever of its addresses answers`,
    (program) =>
      inFolder(async (folder) => {
        const ca = await makeAuthority(folder, "ca");
        const isSecure = /s$/.test(scheme);
        const tls = isSecure
          ? await makeServer(folder, "server", ca, "DNS:twin.test")
          : undefined;
        const hosts = `${folder}/hosts`;
        Deno.writeTextFileSync(hosts, HOSTS);
        await withRawServer(talk, async (port) => {
          const mark = scheme === "https" ? "/#" : "?";
          const settings = isSecure ? `${mark}ca=${ca.certPath}` : "";
          const output = `${scheme}://twin.test:${port}${settings}`;
          const args = ["--output", output, "--report", "json"];
          const spillway = startInShell(program, SCRIPT, args, { HOSTS: hosts });
          await spillway.write("a\n");
          await spillway.end();
          const stderr = await spillway.stderr;
          assertEquals(await spillway.code, 0, stderr);
          assertEquals(summaryIn(stderr).lines_out, 1);
        }, { tls });
      }),
    NEEDS_ROOT,
  );
}

testPrograms(
  "nats: a host is reached by whichever of its addresses answers",
  (program) =>
    inFolder(async (folder) => {
      const hosts = `${folder}/hosts`;
      Deno.writeTextFileSync(hosts, HOSTS);
      let calls = 0;
      const talk = async (caller: Caller) => {
        calls++;
        await caller.request();
      };
      await withRawServer(talk, async (port) => {
        const output = `nats://twin.test:${port}/logs`;
        const args = ["--output", output, "--drain-timeout", "0ms"];
        const spillway = startInShell(program, SCRIPT, args, { HOSTS: hosts });
        await spillway.write("a\n");
        await until("a connection", () => calls > 0);
        await spillway.end();
        assertEquals(await spillway.code, 4);
      });
    }),
  NEEDS_ROOT,
);
