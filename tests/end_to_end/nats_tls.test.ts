/** TLS with NATS, which begins after the server has spoken: whom it trusts, who we are. */

import { assertEquals, assertMatch } from "@std/assert";
import {
  type Identity,
  makeAuthority,
  makeSelfSigned,
  makeServer,
  trustingEnvironment,
  UNKNOWN_ISSUER,
} from "./certificates.ts";
import { type NatsServer, PATIENCE } from "./nats_servers.ts";
import { failureOf, testNats } from "./nats_tests.ts";
import { numberedLines } from "./numbered_lines.ts";
import { makeCertificates } from "./peers.ts";
import type { Program } from "./programs.ts";
import { run, start } from "./run.ts";

/** A server with TLS. @param more what it asks of clients */
async function withTls(folder: string, more: string): Promise<string> {
  const tls = await makeCertificates(folder);
  return `tls { cert_file: "${tls.serverCert}", key_file: "${tls.serverKey}",
    ca_file: "${tls.ca}", ${PATIENCE}, ${more} }`;
}

testNats(
  "with TLS it must be a server that somebody vouches for",
  async (program, server, folder) => {
    const address = server.address.replace("127.0.0.1", "localhost");
    const output = `nats+tls://${address}/logs.app?create=LOGS`;
    const friend = ["--output", `${output}&ca=${folder}/ca.pem`];
    const { code, stderr } = await run(program, friend, numberedLines(0, 20_000));
    assertEquals(code, 0, stderr);
    const stranger = await failureOf(program, output);
    assertMatch(stranger.message, /^cannot connect to .*certificate/i);
    const plain = await failureOf(program, output.replace("+tls", ""));
    assertMatch(plain.message, /the server wants TLS: write nats\+tls:\/\//);
  },
  (folder) => withTls(folder, ""),
);

testNats("with TLS a server may want to know us", async (program, server, folder) => {
  const address = server.address.replace("127.0.0.1", "localhost");
  const output = `nats+tls://${address}/logs.app?create=LOGS&ca=${folder}/ca.pem`;
  const stranger = await failureOf(program, output);
  assertMatch(stranger.message, /^cannot connect to /);
  const identity = `&cert=${folder}/client.pem&key=${folder}/client.key`;
  const { code, stderr } = await run(program, ["--output", output + identity], "a\n");
  if (await showsCertificates(program)) {
    assertEquals(code, 0, stderr);
  } else {
    assertEquals(code, 1, stderr);
    assertMatch(stderr, /cannot show the certificate .* use creds or nkey/);
  }
}, (folder) => withTls(folder, "verify: true"));

/** Deno 2.4 does not after a connection has begun. */
async function showsCertificates(program: Program): Promise<boolean> {
  const { stdout } = await run(program, ["--version"]);
  return !new TextDecoder().decode(stdout).includes("(Deno 2.4.");
}

/** A server that shows this certificate. */
function showing({ certPath, keyPath }: Identity): string {
  return `tls { cert_file: "${certPath}", key_file: "${keyPath}", ${PATIENCE} }`;
}

const outputTo = ({ port }: NatsServer, host = "localhost") =>
  `nats+tls://${host}:${port}/logs.app?create=LOGS`;

testNats(
  "with TLS nothing in the environment makes others trusted",
  async (program, server, folder) => {
    const other = await makeAuthority(folder, "other");
    const trusting = trustingEnvironment(folder, {
      ...other,
      certPath: `${folder}/ca.pem`,
    });
    for (const settings of ["", `&ca=${other.certPath}`]) {
      const { message } = await failureOf(program, outputTo(server) + settings, trusting);
      assertMatch(message, UNKNOWN_ISSUER);
    }
  },
  async (folder) => {
    const ca = await makeAuthority(folder, "ca");
    return showing(await makeServer(folder, "server", ca, "DNS:localhost"));
  },
);

testNats(
  "with TLS a server that vouches for itself is refused, unless it is named",
  async (program, server, folder) => {
    const { message } = await failureOf(program, outputTo(server));
    assertMatch(message, UNKNOWN_ISSUER);
    const output = `${outputTo(server)}&ca=${folder}/server.pem`;
    const { code, stderr } = await run(program, ["--output", output], "a\n");
    assertEquals(code, 0, stderr);
  },
  async (folder) => showing(await makeSelfSigned(folder, "server", "FALSE")),
);

testNats(
  "with TLS a server must have a certificate of its own, and not an authority's",
  async (program, server, folder) => {
    const output = `${outputTo(server)}&ca=${folder}/server.pem`;
    const { message } = await failureOf(program, output);
    assertMatch(message, /that of an authority.*CA:FALSE/);
  },
  async (folder) => showing(await makeSelfSigned(folder, "server", "TRUE")),
);

testNats(
  "with TLS the certificate must be valid for the host",
  async (program, server, folder) => {
    const ca = `&ca=${folder}/ca.pem`;
    const { message } = await failureOf(program, outputTo(server) + ca);
    assertMatch(message, /not valid for.* "?localhost/);
    const named = outputTo(server, "127.0.0.1") + ca;
    const { code, stderr } = await run(program, ["--output", named], "a\n");
    assertEquals(code, 0, stderr);
  },
  async (folder) => {
    const ca = await makeAuthority(folder, "ca");
    return showing(await makeServer(folder, "server", ca, "IP:127.0.0.1"));
  },
);

testNats(
  "with TLS files of certificates are read again for each connection",
  async (program, server, folder) => {
    const ca = `${folder}/trusted.pem`;
    Deno.copyFileSync(`${folder}/first.pem`, ca);
    const spillway = start(program, [
      ...["--output", `${outputTo(server)}&ca=${ca}&timeout=30s`, "--report", "json"],
    ]);
    await spillway.write("a\n");
    await spillway.counted("the first line", (s) => s.lines_out === 1);
    await server.server.stop();
    for (const suffix of ["pem", "key"]) {
      Deno.renameSync(`${folder}/renewed.${suffix}`, `${folder}/server.${suffix}`);
    }
    await server.server.start();
    await spillway.write("b\n");
    await spillway.reported(
      "a stranger",
      ({ message }) => UNKNOWN_ISSUER.test(message ?? ""),
    );
    Deno.copyFileSync(`${folder}/second.pem`, ca);
    await spillway.counted("the second line", (s) => s.lines_out === 2);
    await spillway.end();
    assertEquals(await spillway.code, 0);
  },
  async (folder) => {
    const [first, second] = [
      await makeAuthority(folder, "first"),
      await makeAuthority(folder, "second"),
    ];
    await makeServer(folder, "renewed", second, "DNS:localhost");
    return showing(await makeServer(folder, "server", first, "DNS:localhost"));
  },
);
