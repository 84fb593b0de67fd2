/** TLS peers that leave at moments when few do. */

import { assert, assertEquals } from "@std/assert";
import { makeAuthority, makeServer } from "./certificates.ts";
import { needingProgram } from "./installed.ts";
import { testPrograms } from "./programs.ts";
import { type Caller, withRawServer } from "./raw_server.ts";
import { inFolder, start, summaryIn, until } from "./run.ts";

/** Reads what comes, as a syslog server does. */
async function listen(caller: Caller): Promise<void> {
  await caller.request();
}

/**
 * Passes connections on to a TLS server. The first ones it closes when it has passed on
 * what the server says of itself: what the client answers finds nobody, and resets the
 * connection that the client has just come to call its own. So do balancers that have no
 * server to pass a connection on to.
 */
class HastyProxy {
  readonly port: number;
  closed = 0;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #serving: Promise<void>;

  constructor(serverPort: number, hasty: number) {
    this.port = (this.#listener.addr as Deno.NetAddr).port;
    this.#serving = this.#serve(serverPort, hasty);
  }

  async #serve(port: number, hasty: number): Promise<void> {
    const passing: Promise<unknown>[] = [];
    for await (const client of this.#listener) {
      const server = await Deno.connect({ hostname: "127.0.0.1", port });
      if (this.closed < hasty) {
        await pass(client, server);
        await pass(server, client);
        client.close();
        server.close();
        this.closed++;
      } else {
        const [up, down] = [
          client.readable.pipeTo(server.writable),
          server.readable.pipeTo(client.writable),
        ];
        passing.push(Promise.allSettled([up, down]));
      }
    }
    await Promise.all(passing);
  }

  async stop(): Promise<void> {
    this.#listener.close();
    await this.#serving;
  }
}

/** What comes first. */
async function pass(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const bytes = new Uint8Array(64 * 1024);
  const count = await from.read(bytes) ?? 0;
  for (let at = 0; at < count;) at += await to.write(bytes.subarray(at, count));
}

testPrograms(
  "syslog+tls: a peer that breaks off once the connection is made is tried again",
  (program) =>
    inFolder(async (folder) => {
      const ca = await makeAuthority(folder, "ca");
      const tls = await makeServer(folder, "server", ca, "DNS:localhost");
      await withRawServer(listen, async (port) => {
        const proxy = new HastyProxy(port, 5);
        const output = `syslog+tls://localhost:${proxy.port}?ca=${ca.certPath}`;
        const spillway = start(program, ["--output", output, "--report", "json"]);
        await spillway.write("a\n");
        await spillway.counted("the line", (counted) => counted.lines_out === 1);
        await spillway.end();
        const stderr = await spillway.stderr;
        assertEquals(await spillway.code, 0, stderr);
        assertEquals(summaryIn(stderr).lines_out, 1);
        assertEquals(proxy.closed, 5);
        await proxy.stop();
      }, { tls });
    }),
);

/** How soon the system asks the peer for a sign of itself; undefined where it does not. */
async function keepaliveSeconds(port: number): Promise<number | undefined> {
  const args = ["-Htno", "state", "established", `dport = :${port}`];
  const { stdout } = await new Deno.Command("ss", { args }).output();
  const text = new TextDecoder().decode(stdout);
  // `9.2sec` or `920ms`
  const [, amount, unit] = /timer:\(keepalive,([\d.]+)(sec|ms)/.exec(text) ?? [];
  return amount === undefined ? undefined : Number(amount) / (unit === "ms" ? 1000 : 1);
}

for (const kind of ["syslog+tcp", "syslog+tls"]) {
  testPrograms(
    `${kind}: a peer is asked for a sign of itself while nothing is sent`,
    (program) =>
      inFolder(async (folder) => {
        const ca = await makeAuthority(folder, "ca");
        const tls = await makeServer(folder, "server", ca, "DNS:localhost");
        const [own, options] = kind === "syslog+tls"
          ? [`&ca=${ca.certPath}`, { tls }]
          : ["", {}];
        await withRawServer(listen, async (port) => {
          const output = `${kind}://localhost:${port}?timeout=20s${own}`;
          const spillway = start(program, ["--output", output, "--report", "json"]);
          await spillway.write("a\n");
          await spillway.counted("the line", (counted) => counted.lines_out === 1);
          let seconds = Infinity;
          await until("a keepalive timer", async () => {
            seconds = await keepaliveSeconds(port) ?? Infinity;
            return seconds < Infinity;
          });
          // Else a segment that is lost after an idle time looks like 20 s of silence.
          assert(seconds <= 10, `${seconds} s`);
          await spillway.end();
          assertEquals(await spillway.code, 0);
        }, options);
      }),
    needingProgram("ss", "iproute2"),
  );
}

const SILENT: Record<string, (port: number, ca: string) => string> = {
  "https": (port, ca) => `https://localhost:${port}/#timeout=100ms&ca=${ca}`,
  "syslog+tls": (port, ca) => `syslog+tls://localhost:${port}?timeout=100ms&ca=${ca}`,
  "nats+tls": (port, ca) => `nats+tls://localhost:${port}/logs?timeout=100ms&ca=${ca}`,
};

for (const [kind, destination] of Object.entries(SILENT)) {
  testPrograms(
    `${kind}: a connection whose peer says nothing of TLS is not kept`,
    (program) =>
      inFolder(async (folder) => {
        const { certPath } = await makeAuthority(folder, "ca");
        let [callers, left] = [0, 0];
        const talk = async (caller: Caller) => {
          callers++;
          try {
            if (kind === "nats+tls") {
              await caller.say(
                'INFO {"server_id":"s","max_payload":1000,"tls_required":true}\r\n',
              );
            }
            await caller.request();
          } finally {
            // However it was left: the client closes with unread bytes, for one.
            left++;
          }
        };
        await withRawServer(talk, async (port) => {
          const output = destination(port, certPath);
          const args = ["--output", output, "--drain-timeout", "0ms", "--report", "none"];
          const spillway = start(program, args);
          await spillway.write("a\n");
          await until("several connections", () => callers >= 5);
          await until("the end of all but the last", () => left >= callers - 1);
          await spillway.end();
          assertEquals(await spillway.code, 4);
        });
      }),
  );
}
