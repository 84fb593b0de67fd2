import { assertEquals } from "@std/assert";
import { MarkerPiece } from "../../../src/formats/marker_piece.ts";
import { MessageIds } from "../../../src/output/nats/message_ids.ts";

Deno.test("no id comes twice, and each names the input and a line", () => {
  const ids = new MessageIds();
  const lines = [["a", 0], ["a", 0], ["b", 0], ["a", 4], ["b", 0], ["a", 2]] as const;
  const made = lines.map(([label, firstLine]) =>
    ids.next(new MarkerPiece({ label, firstLine }, ["x\n"], false), 0)
  );
  assertEquals(made.map((id) => id.split("-").slice(1).join(" ")), [
    "a 1",
    "a 1.1",
    "b 1",
    "a 5",
    "b 1.1",
    "a 5.1",
  ]);
  const [run, ...others] = new Set(made.map((id) => id.split("-")[0]));
  assertEquals([run?.length, others], [16, []]);
});

Deno.test("another run has other ids", () => {
  const piece = new MarkerPiece({ label: "a", firstLine: 0 }, ["x\n"], false);
  const [one, two] = [new MessageIds(), new MessageIds()].map((ids) =>
    ids.next(piece, 0)
  );
  assertEquals(one === two, false);
});
