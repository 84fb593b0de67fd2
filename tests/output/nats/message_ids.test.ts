import { assertEquals } from "@std/assert";
import { MessageIds } from "../../../src/output/nats/message_ids.ts";

const RUN = "0dfb11ac-2bd5-4a3c-8f2e-2f2c1c1d0a42";

Deno.test("an id says the run, the input, and which bytes; also in another process", () => {
  const messages = [["a", 0, 10], ["b", 0, 10], ["a", 10, 10], ["a", 10, 25]] as const;
  for (const ids of [new MessageIds(), new MessageIds()]) {
    const made = messages.map(([label, fromByte, toByte]) =>
      ids.next({ run: RUN, label, fromByte, toByte })
    );
    assertEquals(made, [
      `${RUN}-a-0-10`,
      `${RUN}-b-0-10`,
      `${RUN}-a-10-10`,
      `${RUN}-a-10-25`,
    ]);
  }
});

Deno.test("no id comes twice, though nothing of the input is in between", () => {
  const ids = new MessageIds();
  const span = { run: RUN, label: "a", fromByte: 7, toByte: 7 };
  const made = [1, 2, 3].map(() => ids.next(span));
  assertEquals(made, [`${RUN}-a-7-7`, `${RUN}-a-7-7.1`, `${RUN}-a-7-7.2`]);
});
