import { assert, assertEquals } from "@std/assert";
import { descriptorOf } from "../../src/system/tcp.ts";

Deno.test("a connection's descriptor is not that of one to another peer with its ports", async () => {
  const listener = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  const { port: remotePort } = listener.addr as Deno.NetAddr;
  const connection = await Deno.connect({ hostname: "127.0.0.2", port: remotePort });
  const accepted = await listener.accept();
  const { port: localPort } = connection.localAddr as Deno.NetAddr;
  const found = descriptorOf({ localPort, remoteAddress: "127.0.0.2", remotePort });
  assert(Deno.readLinkSync(`/proc/self/fd/${found}`).startsWith("socket:"));
  const other = { localPort, remoteAddress: "127.0.0.3", remotePort };
  assertEquals(descriptorOf(other), undefined);
  [connection, accepted, listener].forEach((open) => open.close());
});
