/** Prints what a stream of NATS JetStream holds, and then what comes, until it is ended. */

import { jetstream } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";

const [stream, ...servers] = Deno.args;
const consumers = jetstream(await connect({ servers })).consumers;
const consumer = await consumers.get(stream ?? "FLEET");
for await (const message of await consumer.consume()) {
  console.log(message.string().trim());
}
