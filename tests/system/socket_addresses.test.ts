import { assertEquals } from "@std/assert";
import { isLoopback, numericHost, resolve } from "../../src/system/socket_addresses.ts";

Deno.test("an address is known as loopback however it is spelled", () => {
  const spellings = [
    ["127.0.0.1", "127.0.0.1", true],
    ["127.1", "127.0.0.1", true],
    ["0x7f.255.0.9", "127.255.0.9", true],
    ["::1", "::1", true],
    ["0:0:0:0:0:0:0:1", "::1", true],
    ["::ffff:127.0.0.2", "::ffff:7f00:2", true],
    ["0.0.0.0", "0.0.0.0", false],
    ["10.127.0.1", "10.127.0.1", false],
    ["::", "::", false],
    ["::2", "::2", false],
    ["::ffff:10.0.0.1", "::ffff:a00:1", false],
    ["2001:db8:0:0:127::1", "2001:db8::127:0:0:1", false],
  ] as const;
  for (const [host, numeric, loopback] of spellings) {
    const addresses = resolve(host, 9464, "stream");
    if (typeof addresses === "string") throw new Error(`${host}: ${addresses}`);
    const [address] = addresses;
    assertEquals([numericHost(address!), isLoopback(address!)], [numeric, loopback]);
  }
});
