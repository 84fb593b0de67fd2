import { assertEquals, assertThrows } from "@std/assert";
import { TemporaryError } from "../../../src/errors.ts";
import { otlpVerdicts } from "../../../src/output/http/otlp_reply.ts";

const reply = (partialSuccess: string) => ({
  status: 200,
  body: `{"partialSuccess":${partialSuccess}}`,
  records: 2,
  answered: "",
  words: (text: string) => text,
});

/** How many of two records are refused, and for which reason. */
const PARTIAL: readonly (readonly [string, number, string?])[] = [
  ["{}", 0],
  ["null", 0],
  ["7", 0],
  ['{"rejectedLogRecords":"0","errorMessage":"a warning"}', 0],
  ['{"rejectedLogRecords":"1","errorMessage":"too old"}', 1, "too old"],
  ['{"rejectedLogRecords":9,"errorMessage":"too old"}', 2, "too old"],
  ['{"rejectedLogRecords":1}', 1, "no reason"],
  ['{"rejectedLogRecords":1,"errorMessage":{"toString":1}}', 1, "no reason"],
];

for (const [partialSuccess, refused, reason] of PARTIAL) {
  Deno.test(`${refused} of 2 records are refused: ${partialSuccess}`, () => {
    const verdicts = otlpVerdicts(reply(partialSuccess)) ?? [];
    const rejected = verdicts.flatMap(({ rejected = [] }) => rejected);
    const text = `the server took ${
      2 - refused
    } of 2 records and refused ${refused}: ${reason}`;
    assertEquals(rejected, Array(refused).fill(text));
  });
}

for (const count of ['{"toString":1}', '"many"', "-1", "0.5", "[1]"]) {
  Deno.test(`that ${count} records were refused is no reply of OTLP`, () => {
    const lie = reply(`{"rejectedLogRecords":${count}}`);
    assertThrows(() => otlpVerdicts(lie), TemporaryError, "the reply is none of OTLP");
  });
}
