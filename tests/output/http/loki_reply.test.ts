import { assertEquals, assertThrows } from "@std/assert";
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
