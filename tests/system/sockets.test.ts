import { assertEquals } from "@std/assert";
import { close } from "../../src/system/descriptors.ts";
import { ECONNREFUSED, EINPROGRESS } from "../../src/system/errno.ts";
import { resolve } from "../../src/system/socket_addresses.ts";
import { connect, connected } from "../../src/system/sockets.ts";

/** The ports that the system gives to those who connect, and its way through them. */
function clientPorts(): { first: number; count: number } {
  const text = Deno.readTextFileSync("/proc/sys/net/ipv4/ip_local_port_range");
  const [first, last] = text.trim().split(/\s+/).map(Number) as [number, number];
  return { first, count: last - first + 1 };
}

/** On this machine a connect is done, one way or the other, in no time. */
function outcomeOf(socket: number): number {
  for (;;) {
    const outcome = connected(socket);
    if (outcome !== -EINPROGRESS) return outcome;
  }
}

Deno.test("a port on which nobody listens refuses, also when the system gives it to us", () => {
  const { first, count } = clientPorts();
  // Linux gives clients every second port, one after the other.
  const [address] = resolve("127.0.0.1", first + 2 * Math.floor(count / 4), "stream");
  if (typeof address !== "object") throw new Error(`no address: ${address}`);
  const outcomes = new Set<number>();
  for (let attempt = 0; attempt < count; attempt++) {
    const socket = connect(address, "stream");
    outcomes.add(socket < 0 ? socket : outcomeOf(socket));
    if (socket >= 0) close(socket);
  }
  assertEquals([...outcomes], [-ECONNREFUSED]);
});
