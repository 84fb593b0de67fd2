import type { NatsConnection } from "@nats-io/nats-core";
import { messageOf, TemporaryError } from "../../errors.ts";
import { serverWords } from "../server_words.ts";
import type { NatsTarget } from "./nats_target.ts";

interface ApiReply {
  readonly streams?: unknown;
  readonly error?: { readonly description?: unknown };
}

/**
 * Makes sure that a stream takes the subject, and makes one where that was asked for.
 * Without it the server answers a message with nothing but "no responders". Users that
 * may only publish need not be able to ask.
 *
 * @throws TemporaryError where none does, or JetStream does not answer.
 */
export async function findStream(
  connection: NatsConnection,
  name: string,
  target: NatsTarget,
): Promise<void> {
  const { subject, create } = target;
  if (await isTaken(connection, name, target)) return;
  if (create === undefined) {
    throw new TemporaryError(
      `no stream of ${name} takes the subject "${subject}"; make one, such as with nats stream add --subjects '${
        subjectsFor(subject)
      }', or add create=NAME`,
    );
  }
  const made = await ask(connection, name, target, `STREAM.CREATE.${create.name}`, {
    name: create.name,
    subjects: [subjectsFor(subject)],
    retention: "limits",
    storage: "file",
    num_replicas: create.replicas,
  });
  // Another Spillway may have made it at the same moment.
  if (await isTaken(connection, name, target)) return;
  throw new TemporaryError(
    `cannot make the stream ${create.name} for "${subject}" on ${name}: ${
      serverWords(`${made?.error?.description ?? "it does not take the subject"}`, [])
    }`,
  );
}

/** `logs.web-1` → `logs.>`: the others of a fleet write beside this one. */
function subjectsFor(subject: string): string {
  const [first, ...rest] = subject.split(".");
  return rest.length === 0 ? subject : `${first}.>`;
}

async function isTaken(
  connection: NatsConnection,
  name: string,
  target: NatsTarget,
): Promise<boolean> {
  const { subject } = target;
  const reply = await ask(connection, name, target, "STREAM.NAMES", { subject });
  if (reply === undefined) return true;
  if (reply.error !== undefined) {
    throw new TemporaryError(
      `cannot find the stream for "${subject}" on ${name}: ${
        serverWords(`${reply.error.description}`, [])
      }`,
    );
  }
  return Array.isArray(reply.streams) && reply.streams.length > 0;
}

/** Undefined where this user may not ask. @throws TemporaryError */
async function ask(
  connection: NatsConnection,
  name: string,
  { timeoutMs }: NatsTarget,
  request: string,
  body: unknown,
): Promise<ApiReply | undefined> {
  try {
    const reply = await connection.request(`$JS.API.${request}`, JSON.stringify(body), {
      timeout: timeoutMs,
    });
    return reply.json<ApiReply>();
  } catch (error) {
    if (/permissions violation/i.test(messageOf(error))) return undefined;
    throw new TemporaryError(
      `JetStream of ${name} does not answer: ${serverWords(messageOf(error), [])}`,
    );
  }
}
