import { assert, assertEquals, assertThrows } from "@std/assert";
import { TemporaryError } from "../../../src/errors.ts";
import { lokiVerdicts } from "../../../src/output/http/loki_reply.ts";

const reply = (status: number, body: string) => ({
  status,
  body,
  records: 2,
  answered: "",
  words: (text: string) => text,
});

Deno.test("Loki's success has no words", () => {
  assertEquals(lokiVerdicts(reply(204, "")), undefined);
  assertEquals(lokiVerdicts(reply(200, "\n")), undefined);
});

Deno.test("a page to log in is no success of Loki's", () => {
  const page = "<!DOCTYPE html><title>Log in</title>";
  assertThrows(() => lokiVerdicts(reply(200, page)), TemporaryError, page);
});

Deno.test("counts what a distributor has refused of each kind", () => {
  const body = "1 errors like: too old; 1 errors like: too long";
  const verdicts = lokiVerdicts({ ...reply(400, body), records: 3 }) ?? [];
  assertEquals(verdicts.map(({ rejected }) => rejected), ["", "", undefined]);
});

Deno.test("looks through a reply of digits in a time that grows with its length, not the square", () => {
  const startMs = performance.now();
  assertEquals(lokiVerdicts(reply(400, "1".repeat(200_000))), undefined);
  assert(performance.now() - startMs < 5000);
});
