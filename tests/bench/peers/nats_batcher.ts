/**
 * What somebody would write who only wants the lines of a pipe in a stream:
 *
 *     nats_batcher.js SERVERS SUBJECT lines|line <LINES
 */

import process from "node:process";
import { jetstream } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";

const [servers = "", subject = "", batch] = process.argv.slice(2);
const [maxBytes, maxUnderway] = batch === "line" ? [0, 1024] : [256 * 1024, 1];
const connection = await connect({ servers: servers.split(",") });
const stream = jetstream(connection);
let [text, underway] = ["", [] as Promise<unknown>[]];
for await (const chunk of process.stdin.setEncoding("utf8")) {
  text += chunk;
  for (let end; text.length > maxBytes && (end = text.indexOf("\n", maxBytes) + 1) > 0;) {
    underway.push(stream.publish(subject, text.slice(0, end)));
    text = text.slice(end);
    if (underway.length >= maxUnderway) await Promise.all(underway.splice(0));
  }
}
await stream.publish(subject, text);
await connection.close();
