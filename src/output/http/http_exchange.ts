/**
 * One request and its reply over a connection: the part of HTTP/1.1 (RFC 9112) that
 * posting batches takes. `node:http` does not keep connections alive in every runtime
 * that this program runs on.
 */

import type { ServingConnection } from "../network/serving_connection.ts";
import { type HttpReply, readReply } from "./http_reply.ts";

const encoder = new TextEncoder();

/**
 * Ends within the connection's timeout.
 *
 * @param maxReplyBytes what is read of the reply's body
 * @throws TemporaryError when no whole reply comes, or none that can be understood.
 */
export function exchange(
  connection: ServingConnection,
  head: string,
  body: Uint8Array,
  maxReplyBytes: number,
): Promise<HttpReply> {
  return connection.inTime(async () => {
    // A server may refuse what it has not read to the end: then its reply says why, and
    // what has become of the request does not matter.
    const sent = connection.write(request(head, body)).then(() => true, () => false);
    const reply = await readReply(connection, maxReplyBytes);
    const unsent = connection.hearNews().then(() => false);
    return { ...reply, reusable: reply.reusable && await Promise.race([sent, unsent]) };
  });
}

function request(head: string, body: Uint8Array): Uint8Array {
  const headBytes = encoder.encode(head);
  const whole = new Uint8Array(headBytes.length + body.length);
  whole.set(headBytes);
  whole.set(body, headBytes.length);
  return whole;
}
