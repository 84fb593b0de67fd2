import { assertEquals, assertThrows } from "@std/assert";
import { TemporaryError } from "../../../src/errors.ts";
import { bulkVerdicts } from "../../../src/output/http/bulk_reply.ts";

const verdicts = (body: string, documents: number) =>
  bulkVerdicts(body, documents, (text) => text);

const YES: [reply: string, documents: number][] = [
  ['{"took":3,"errors":false,"items":[{"create":{"status":201}}]}', 1],
  ['{"took":0,"errors":false,"items":[]}', 3],
  ['{"errors":false}', 3],
];

for (const [reply, documents] of YES) {
  Deno.test(`all documents have arrived: ${reply}`, () => {
    assertEquals(verdicts(reply, documents), Array(documents).fill({}));
  });
}

const NOT_A_REPLY: string[] = [
  "",
  "ok",
  "null",
  "[]",
  "{}",
  "<!DOCTYPE html><title>Log in</title>",
  '{"took":3,"errors":false,"items":[{"create":{"sta',
  '{"took":3,"items":[{"create":{"status":201}},{"create":{"status":201}}]}',
  '{"took":3,"errors":"false"}',
  '{"took":3,"errors":false,"items":[{"create":{"status":201}}]}',
  '{"took":3,"errors":false,"items":{}}',
  '{"took":3,"errors":true}',
  '{"took":3,"errors":true,"items":[{"create":{"status":201}}]}',
  '{"took":3,"errors":true,"items":[{"create":{"status":201}},{}]}',
  '{"took":3,"errors":true,"items":[{"create":{"status":201}},{"create":{}}]}',
  '{"took":3,"errors":true,"items":[{"create":{"status":201}},{"create":{"status":null}}]}',
  '{"took":3,"errors":true,"items":[{"create":{"status":201}},{"create":{"status":302}}]}',
  '{"error":"no such cluster","status":200}',
];

for (const reply of NOT_A_REPLY) {
  Deno.test(`is no answer for two documents, which are sent again: ${reply}`, () => {
    assertThrows(
      () => verdicts(reply, 2),
      TemporaryError,
      `does not say what has become of 2 documents, as one to a bulk request does: ${reply}`,
    );
  });
}

Deno.test("each document has its verdict", () => {
  const statuses = [200, 201, 409, 408, 429, 503];
  const items: unknown[] = statuses.map((status) => ({ create: { status } }));
  items.push({ index: { status: 400, error: { type: "a", reason: "no date" } } });
  items.push({ create: { status: 404, error: "no index" } });
  items.push({ create: { status: 400, error: { type: "a" } } });
  assertEquals(verdicts(JSON.stringify({ errors: true, items }), items.length), [
    ...[{}, {}, {}, undefined, undefined, undefined],
    { rejected: "a document was refused with status 400: no date" },
    { rejected: "a document was refused with status 404: no index" },
    { rejected: "a document was refused with status 400: no reason" },
  ]);
});
