import { assertEquals } from "@std/assert";
import { SocketConnection } from "../../../src/output/network/socket_connection.ts";
import { close, O_RDONLY, open } from "../../../src/system/descriptors.ts";
import { Wait } from "../../../src/output/wait.ts";
import { pump } from "../pump.ts";

Deno.test("a connection that is closed twice leaves alone who has its number by then", () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const peer = { host: "127.0.0.1", port };
  const connection = new SocketConnection("a peer", peer, 10_000);
  pump((nowMs, wait) => {
    wait.until(nowMs + 1);
    return connection.connected;
  });
  const wait = new Wait();
  connection.await(wait, false);
  const number = wait.descriptor;
  connection.close();
  const next = open("/dev/null", O_RDONLY);
  assertEquals(next, number, "the lowest that is free");
  connection.close();
  assertEquals(close(next), 0);
});
