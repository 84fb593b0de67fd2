import { assertEquals } from "@std/assert";
import { publishOutcome } from "../../../src/output/nats/publish_reply.ts";
import { ARRIVED } from "../../../src/output/sink.ts";

const NO_LEADER = "no stream takes the subject now";

/** A reply's status and body, as nats-server words them, and what it means. */
const REPLIES: readonly (readonly [number, string, unknown])[] = [
  [0, '{"stream":"LOGS","seq":7}', ARRIVED],
  [0, '{"stream":"LOGS","seq":7,"duplicate":true}', ARRIVED],
  [0, '{"stream":"LOGS","domain":"hub","seq":0}', ARRIVED],
  [503, "", { again: NO_LEADER }],
  [
    0,
    '{"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"},"stream":"LOGS","seq":0}',
    { again: "the stream answered 503: maximum bytes exceeded" },
  ],
  [
    0,
    '{"error":{"code":503,"err_code":10076,"description":"JetStream not enabled"}}',
    { again: "the stream answered 503: JetStream not enabled" },
  ],
  [
    0,
    '{"error":{"code":500,"err_code":10007,"description":"JetStream not leader"}}',
    { again: "the stream answered 500: JetStream not leader" },
  ],
  [
    0,
    '{"error":{"code":400,"err_code":10054,"description":"message size exceeds maximum allowed"}}',
    { rejected: "the stream answered 400: message size exceeds maximum allowed" },
  ],
  [0, "pong", { again: "something that is no stream answered: pong" }],
  [0, "null", { again: "something that is no stream answered: null" }],
  ...[
    '{"error":null}',
    '{"error":"no","stream":"LOGS","seq":0}',
    '{"error":{"code":{"toString":1},"description":"no"}}',
  ].map((body) =>
    [0, body, { again: `something that is no stream answered: ${body}` }] as const
  ),
  [
    0,
    '{"error":{"code":400,"description":{"toString":1}}}',
    { rejected: "the stream answered 400: no reason" },
  ],
  [0, "", { again: "something that is no stream answered: " }],
];

for (const [status, body, outcome] of REPLIES) {
  Deno.test(`the reply ${status} ${body} means ${JSON.stringify(outcome)}`, () => {
    const bytes = new TextEncoder().encode(body);
    assertEquals(publishOutcome(status, bytes, (text) => text), outcome);
  });
}
