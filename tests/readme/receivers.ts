/**
 * The peers that the README's commands send to, at the addresses that it names.
 * Runs on the stage, to which all these addresses belong, until it is killed.
 * Arguments: the folder with certificates, and the one for what comes in.
 */

import { type Certificates, exists } from "../end_to_end/peers.ts";
import { needing } from "../end_to_end/installed.ts";
import { NatsCluster, needingNats } from "../end_to_end/nats_servers.ts";
import { rsyslogConfiguration } from "../end_to_end/rsyslog.ts";
import { until } from "../end_to_end/run.ts";
import { CLUSTER } from "./stage.ts";

const [folder, received] = Deno.args as [string, string];
const tls: Certificates = {
  ca: `${folder}/ca.pem`,
  serverCert: `${folder}/server.pem`,
  serverKey: `${folder}/server.key`,
  clientCert: `${folder}/client.pem`,
  clientKey: `${folder}/client.key`,
};

async function keep(listener: Deno.Listener, name: string): Promise<never> {
  for (;;) {
    const connection = await listener.accept();
    const file = await Deno.open(`${received}/${name}`, { create: true, append: true });
    connection.readable.pipeTo(file.writable);
  }
}

/** Keeps the credentials and the text of each request. */
function keepPosts(port: number, name: string, answer: (body: string) => string): void {
  const identity = {
    cert: Deno.readTextFileSync(tls.serverCert),
    key: Deno.readTextFileSync(tls.serverKey),
  };
  const options = { hostname: "127.0.0.1", port, ...identity, onListen: () => {} };
  Deno.serve(options, async (request) => {
    const zipped = request.headers.get("content-encoding") === "gzip";
    const stream = zipped
      ? request.body!.pipeThrough(new DecompressionStream("gzip"))
      : request.body;
    const body = await new Response(stream).text();
    const text = `${request.headers.get("authorization")}\n${body}`;
    await Deno.writeTextFile(`${received}/${name}`, text, { append: true });
    return new Response(answer(body));
  });
}

/** All documents were taken. */
function bulkReply(body: string): string {
  const documents = body.split("\n").length >> 1;
  const items = Array.from({ length: documents }, () => ({ create: { status: 201 } }));
  return JSON.stringify({ errors: false, items });
}

async function startRsyslogd(): Promise<void> {
  const places = {
    folder,
    port: 514,
    tlsPort: 6514,
    socket: "/dev/log",
    rfc5424Socket: `${folder}/rfc5424`,
  };
  const path = `${folder}/rsyslog.conf`;
  const output = `${received}/syslog`;
  await Deno.writeTextFile(path, rsyslogConfiguration({ ...places, output }, tls));
  new Deno.Command("rsyslogd", {
    args: ["-n", "-f", path, "-i", `${folder}/rsyslog.pid`],
    stdout: "null",
    stderr: "null",
  }).spawn();
  await until("rsyslogd", () => exists(places.socket), 10);
}

keep(Deno.listen({ hostname: "127.0.0.1", port: 5170 }), "tcp");
keep(Deno.listen({ transport: "unix", path: "/run/collector.sock" }), "unix");
keepPosts(443, "https", () => "");
keepPosts(9200, "bulk", bulkReply);
if (!needing("", "rsyslogd", "rsyslog").ignore) await startRsyslogd();
if (!needingNats("").ignore) await new NatsCluster(folder, CLUSTER).start();
await Deno.writeTextFile(`${received}/ready`, "");
