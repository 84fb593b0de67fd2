/** Which servers are trusted: the same in every runtime, whatever the environment says. */

import { assert, assertEquals } from "@std/assert";
import {
  type Identity,
  makeAuthority,
  makeSelfSigned,
  makeServer,
  trustingEnvironment,
  UNKNOWN_ISSUER,
} from "./certificates.ts";
import { listenAgain } from "./peers.ts";
import { checkConservation } from "./numbered_lines.ts";
import { type Program, testPrograms } from "./programs.ts";
import { type Caller, RawServer, withRawServer } from "./raw_server.ts";
import { inFolder, run, start, summaryIn } from "./run.ts";

const JSON_REPORTS = ["--report", "json"];

async function answer(caller: Caller): Promise<void> {
  while (await caller.request() !== undefined) {
    await caller.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  }
}

/** Reads what comes, as a syslog server does. */
async function listen(caller: Caller): Promise<void> {
  await caller.request();
}

/** Sends a line; it must arrive. */
async function checkAccepted(program: Program, output: string): Promise<void> {
  const { code, stderr } = await run(
    program,
    ["--output", output, ...JSON_REPORTS],
    "a\n",
  );
  assertEquals(code, 0, stderr);
  assertEquals(summaryIn(stderr).lines_out, 1);
}

/** Sends a line; it must not arrive, and the reason must be said. */
async function checkRefused(
  program: Program,
  output: string,
  said: RegExp,
  env: Record<string, string> = {},
): Promise<void> {
  const args = ["--output", output, "--drain-timeout", "0ms", ...JSON_REPORTS];
  const spillway = start(program, args, env);
  await spillway.write("a\n");
  const { message = "" } = await spillway.reported(
    "a refusal",
    ({ event }) => event === "sink_failing",
  );
  await spillway.end();
  assertEquals(await spillway.code, 4, message);
  assert(said.test(message), message);
  assertEquals(summaryIn(await spillway.stderr).lines_unflushed, 1);
}

testPrograms(
  "https, syslog+tls: an address is one of the certificate's addresses",
  (program) =>
    inFolder(async (folder) => {
      const ca = await makeAuthority(folder, "ca");
      const tls = await makeServer(folder, "server", ca, "IP:127.0.0.1");
      await withRawServer(answer, async (port) => {
        const output = `https://127.0.0.1:${port}/#ca=${ca.certPath}`;
        await checkAccepted(program, output);
      }, { tls });
      await withRawServer(listen, async (port) => {
        const output = `syslog+tls://127.0.0.1:${port}?ca=${ca.certPath}`;
        await checkAccepted(program, output);
      }, { tls });
    }),
);

const REFUSED: [
  what: string,
  make: (folder: string, ca: Identity) => Promise<Identity>,
  host: string,
  said: RegExp,
][] = [
  [
    "one without the address of the host",
    (folder, ca) => makeServer(folder, "server", ca, "DNS:localhost"),
    "127.0.0.1",
    /not valid for.* "?127\.0\.0\.1/,
  ],
  [
    "one that has the host as its CN only",
    (folder, ca) => makeServer(folder, "server", ca, ""),
    "localhost",
    /not valid for.* "?localhost.*subjectAltName/,
  ],
  [
    "one whose CN is the host, and its subjectAltName another",
    (folder, ca) => makeServer(folder, "server", ca, "IP:127.0.0.1"),
    "localhost",
    /not valid for.* "?localhost/,
  ],
];

for (const [what, make, host, said] of REFUSED) {
  testPrograms(
    `https: refuses a certificate: ${what}`,
    (program) =>
      inFolder(async (folder) => {
        const ca = await makeAuthority(folder, "ca");
        const tls = await make(folder, ca);
        await withRawServer(answer, async (port) => {
          const output = `https://${host}:${port}/#ca=${ca.certPath}`;
          await checkRefused(program, output, said);
        }, { tls });
      }),
  );
}

testPrograms("https: trusts a certificate that has signed itself, if it is a server's", (
  program,
) =>
  inFolder(async (folder) => {
    const refused = await makeSelfSigned(folder, "authority", "TRUE");
    await withRawServer(answer, async (port) => {
      const output = `https://localhost:${port}/#ca=${refused.certPath}`;
      await checkRefused(program, output, /that of an authority.*CA:FALSE/);
    }, { tls: refused });
    const accepted = await makeSelfSigned(folder, "server", "FALSE");
    await withRawServer(answer, async (port) => {
      await checkAccepted(program, `https://localhost:${port}/#ca=${accepted.certPath}`);
    }, { tls: accepted });
  }));

testPrograms("https, syslog+tls: nothing in the environment makes others trusted", (
  program,
) =>
  inFolder(async (folder) => {
    const ca = await makeAuthority(folder, "ca");
    const other = await makeAuthority(folder, "other");
    const tls = await makeServer(folder, "server", other, "DNS:localhost");
    const trusting = trustingEnvironment(folder, other);
    await withRawServer(answer, async (port) => {
      const output = `https://localhost:${port}/`;
      await checkRefused(
        program,
        `${output}#ca=${ca.certPath}`,
        UNKNOWN_ISSUER,
        trusting,
      );
      await checkRefused(program, output, UNKNOWN_ISSUER, trusting);
      const syslog = `syslog+tls://localhost:${port}?ca=${ca.certPath}`;
      await checkRefused(program, syslog, UNKNOWN_ISSUER, trusting);
    }, { tls });
  }));

testPrograms(
  "https: files of certificates are read again for each connection",
  (program) =>
    inFolder(async (folder) => {
      const authorities = [
        await makeAuthority(folder, "first"),
        await makeAuthority(folder, "second"),
      ] as const;
      const identities = [
        await makeServer(folder, "server-1", authorities[0], "DNS:localhost"),
        await makeServer(folder, "server-2", authorities[1], "DNS:localhost"),
      ] as const;
      const ca = `${folder}/ca.pem`;
      Deno.writeTextFileSync(ca, authorities[0].cert);
      let server = new RawServer(answer, { tls: identities[0] });
      const { port } = server;
      const output = `https://localhost:${port}/#ca=${ca}`;
      const spillway = start(program, ["--output", output, ...JSON_REPORTS]);
      try {
        await spillway.write("a\n");
        await spillway.counted("the first line", (s) => s.lines_out === 1);
        await server.stop();
        Deno.writeTextFileSync(ca, "-----BEGIN CERTIFICATE-----\nnone\n");
        server = await listenAgain(() =>
          new RawServer(answer, { tls: identities[1], port })
        );
        await spillway.write("b\n");
        // A file that is being written is no reason to end.
        await spillway.reported("a bad file", ({ event }) => event === "sink_failing");
        Deno.writeTextFileSync(ca, authorities[1].cert);
        await spillway.counted("the second line", (s) => s.lines_out === 2);
        await spillway.end();
        assertEquals(await spillway.code, 0);
        checkConservation(summaryIn(await spillway.stderr));
      } finally {
        await server.stop();
      }
    }),
);
