import type { NatsConnection } from "@nats-io/nats-core";
import { messageOf, TemporaryError } from "../../errors.ts";
import { type JsonObject, jsonObject, objectIn, reasonIn } from "../server_json.ts";
import { serverWords } from "../server_words.ts";
import type { NatsTarget } from "./nats_target.ts";

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
  const { error } = made ?? {};
  throw new TemporaryError(
    `cannot make the stream ${create.name} for "${subject}" on ${name}: ${
      error ? descriptionOf(error) : "it does not take the subject"
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
  const { error, streams } = reply;
  if (error) {
    throw new TemporaryError(
      `cannot find the stream for "${subject}" on ${name}: ${descriptionOf(error)}`,
    );
  }
  return Array.isArray(streams) && streams.length > 0;
}

function descriptionOf(error: unknown): string {
  return serverWords(reasonIn(objectIn(error)?.["description"]), []);
}

/** Undefined where this user may not ask. @throws TemporaryError */
async function ask(
  connection: NatsConnection,
  name: string,
  { timeoutMs }: NatsTarget,
  request: string,
  body: unknown,
): Promise<JsonObject | undefined> {
  let text: string;
  try {
    const reply = await connection.request(`$JS.API.${request}`, JSON.stringify(body), {
      timeout: timeoutMs,
    });
    text = reply.string();
  } catch (error) {
    if (/permissions violation/i.test(messageOf(error))) return undefined;
    throw new TemporaryError(
      `JetStream of ${name} does not answer: ${serverWords(messageOf(error), [])}`,
    );
  }
  return jsonObject(text) ?? notJetStream(name, text);
}

function notJetStream(name: string, text: string): never {
  throw new TemporaryError(
    `something that is not JetStream answers at ${name}: ${serverWords(text, [])}`,
  );
}
