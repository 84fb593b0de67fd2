import { assertEquals, assertRejects } from "@std/assert";
import { firstOf } from "../../src/runtime/any_address.ts";

class Connection {
  closed = false;
  constructor(readonly address: string) {}

  close(): void {
    this.closed = true;
  }
}

Deno.test("the next address is tried when one fails", async () => {
  const tried: string[] = [];
  const { address } = await firstOf(["a", "b", "c"], (address) => {
    tried.push(address);
    if (address === "a") return Promise.reject(new Error("refused"));
    return Promise.resolve(new Connection(address));
  });
  assertEquals([address, tried], ["b", ["a", "b"]]);
});

Deno.test("when all have failed, the last one to do so says why", async () => {
  const connect = (address: string) =>
    Promise.reject<Connection>(new Error(`${address} refused`));
  await assertRejects(() => firstOf(["a", "b"], connect), Error, "b refused");
});

Deno.test("one that does not answer is not waited for, and closed if it does later", async () => {
  const late = Promise.withResolvers<Connection>();
  const connection = await firstOf(
    ["silent", "b"],
    (address) =>
      address === "b" ? Promise.resolve(new Connection(address)) : late.promise,
  );
  assertEquals([connection.address, connection.closed], ["b", false]);
  const second = new Connection("silent");
  late.resolve(second);
  await late.promise;
  assertEquals([second.closed, connection.closed], [true, false]);
});
