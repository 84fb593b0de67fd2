import { lookup } from "node:dns/promises";
import { once } from "node:events";
import dgram from "node:dgram";
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { MarkerPiece } from "../../../src/formats/marker_piece.ts";
import { DatagramSink } from "../../../src/output/network/datagram_sink.ts";
import { Wait } from "../../../src/output/wait.ts";

/** The address that the system has first for it. */
const LOCALHOST = await lookup("localhost");

/** From which ports two messages come that are sent a minute apart. */
async function portsOf(host: string): Promise<number[]> {
  const server = dgram.createSocket(LOCALHOST.family === 6 ? "udp6" : "udp4");
  server.bind(0, LOCALHOST.address);
  await once(server, "listening");
  const sink = new DatagramSink("the peer", { host, port: server.address().port });
  const { now } = performance;
  const ports: number[] = [];
  try {
    for (const text of ["one\n", "two\n"]) {
      const origin = { label: "stdout", run: "a run", firstByte: 0 };
      const piece = new MarkerPiece(origin, [text], false);
      const came = once(server, "message");
      assertEquals(sink.write(piece, 0, new Wait()), piece.length);
      const [bytes, { port }] = await came;
      assertEquals(`${bytes}`, text.trimEnd());
      ports.push(port);
      performance.now = () => now.call(performance) + 60_000;
    }
    assert(sink.finish());
  } finally {
    performance.now = now;
    server.close();
  }
  return ports;
}

Deno.test("a name is looked up again after a minute: it may mean another host by then", async () => {
  const [first, second] = await portsOf("localhost");
  assertNotEquals(first, second, "the same socket");
});

Deno.test("an address needs no looking up", async () => {
  const [first, second] = await portsOf(LOCALHOST.address);
  assertEquals(first, second);
});
