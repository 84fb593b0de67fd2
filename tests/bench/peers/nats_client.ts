/**
 * The client alone: publishes what is there already, for so many seconds, and prints how
 * many bytes the stream has acknowledged, in which time, and what that took.
 *
 *     nats_client.js SERVERS SUBJECT lines|line SECONDS
 */

import process from "node:process";
import { jetstream } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";

const [servers = "", subject = "", batch, seconds] = process.argv.slice(2);
const [bytes, underway] = batch === "line" ? [99, 1024] : [256 * 1024, 1];
const message = new Uint8Array(bytes).fill(0x78);
const connection = await connect({ servers: servers.split(",") });
const stream = jetstream(connection);
const send = () =>
  Promise.all(Array.from({ length: underway }, () => stream.publish(subject, message)));
// What it takes to get going is none of it.
await send();
const [startMs, start] = [performance.now(), process.cpuUsage()];
let sent = 0;
while (performance.now() < startMs + Number(seconds) * 1e3) {
  await send();
  sent += underway * bytes;
}
const { user, system } = process.cpuUsage(start);
console.log(JSON.stringify({
  bytes: sent,
  seconds: (performance.now() - startMs) / 1e3,
  cpuSeconds: (user + system) / 1e6,
}));
await connection.close();
