import { assert, assertEquals } from "@std/assert";
import { SocketConnection } from "../../../src/output/network/socket_connection.ts";
import { close, O_RDONLY, open } from "../../../src/system/descriptors.ts";
import { libc } from "../../../src/system/libc.ts";
import { Wait } from "../../../src/output/wait.ts";
import { pump } from "../pump.ts";

Deno.test("a connection that is closed twice leaves alone who has its number by then", () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  for (let attempt = 0;; attempt++) {
    assert(attempt < 1000, "other tests always get the number first");
    const connection = new SocketConnection(
      "a peer",
      { host: "127.0.0.1", port },
      10_000,
    );
    pump((nowMs, wait) => {
      wait.until(nowMs + 1);
      return connection.connected;
    });
    const wait = new Wait();
    connection.await(wait, false);
    connection.close();
    const next = openAs(wait.descriptor);
    if (next === undefined) continue;
    connection.close();
    assertEquals(close(next), 0);
    break;
  }
});

/** Undefined if another test, all of which run in this process, has it already. */
function openAs(number: number): number | undefined {
  const F_DUPFD_CLOEXEC = 1030;
  const opened = open("/dev/null", O_RDONLY);
  const next = libc().call.fcntl(opened, F_DUPFD_CLOEXEC, number);
  // It may be the number itself.
  if (opened === number) return close(next), opened;
  close(opened);
  if (next === number) return next;
  close(next);
  return undefined;
}
