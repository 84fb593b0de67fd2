import { assertEquals } from "@std/assert";
import { OutputNames } from "../../src/output/output_names.ts";
import { parseDestination } from "../../src/output/sinks.ts";

function file(path: string, rotates: boolean) {
  const rotation = { maxBytes: 1, maxFiles: 5, compress: false };
  return parseDestination(path, { rotation: rotates ? rotation : undefined });
}

const REFUSED = [
  ["log/a", "log/a", '"first" and "second" would both go to "log/a"'],
  ["a", "a.1", '"second" would go to "a.1", where "first" rotates its file to'],
  ["a", "a.12.gz", '"second" would go to "a.12.gz", where "first" rotates its file to'],
  ["a", "a.compressing", '"second" would go to "a.compressing", where "first" rotates'],
  ["a.1", "a", '"first" would go to "a.1", where "second" rotates its file to'],
] as const;

for (const [first, second, why] of REFUSED) {
  Deno.test(`${first} and ${second} are no outputs beside each other`, () => {
    const names = new OutputNames();
    assertEquals(names.take("first", file(first, true)), undefined);
    assertEquals(names.take("second", file(second, true))?.slice(0, why.length), why);
    names.free(file(first, true));
    assertEquals(names.take("second", file(second, true)), undefined);
  });
}

Deno.test("what looks rotated is a file like others where none is rotated, or its own is not", () => {
  const names = new OutputNames();
  for (const path of ["a", "a.1"]) {
    assertEquals(names.take(path, file(path, false)), undefined);
  }
  for (const path of ["b.1", "c.x", "c", "d.1.1"]) {
    assertEquals(names.take(path, file(path, true)), undefined);
  }
  assertEquals(
    names.take("tcp", parseDestination("tcp://a:1", { rotation: undefined })),
    undefined,
  );
});
