import type { LookupAddress } from "node:dns";
import { nodeDns, nodeNet } from "./on_demand.ts";

/** RFC 8305, section 5: how long one address has before the next is tried as well. */
const ATTEMPT_DELAY_MS = 250;
/** A name with more addresses than this is not asked for the others. */
const MAX_ADDRESSES = 16;

/**
 * Connects to a host by any of its addresses, for Deno, whose own connections try but the
 * first: where that is one that nobody listens on, as often with `::1` and a server on
 * 127.0.0.1, they never get there.
 *
 * @param connect to one address
 * @throws Error what the runtime says when the host is not known, or of an address
 */
export async function connectToAny<C extends { close(): void }>(
  host: string,
  connect: (address: string) => Promise<C>,
): Promise<C> {
  if (nodeNet().isIP(host) !== 0) return await connect(host);
  const addresses = await lookup(host);
  return await firstOf(addresses.slice(0, MAX_ADDRESSES), connect);
}

/** As the system's resolver has them, best first. */
function lookup(host: string): Promise<string[]> {
  const { promise, resolve, reject } = Promise.withResolvers<string[]>();
  nodeDns().lookup(host, { all: true }, (error: Error | null, found: LookupAddress[]) => {
    if (error === null || error === undefined) {
      resolve(found.map(({ address }) => address));
    } else reject(error);
  });
  return promise;
}

/**
 * The first connection that is made. An address is tried when the one before has failed, or
 * has taken its time; connections that come too late are closed.
 *
 * @param addresses at least one
 * @throws what the last address to fail has failed with
 */
export function firstOf<C extends { close(): void }>(
  addresses: readonly string[],
  connect: (address: string) => Promise<C>,
): Promise<C> {
  const { promise, resolve, reject } = Promise.withResolvers<C>();
  let next = 0;
  let failed = 0;
  let isDone = false;
  const tryNext = () => {
    const address = addresses[next++];
    if (address === undefined || isDone) return;
    const timer = setTimeout(tryNext, ATTEMPT_DELAY_MS);
    connect(address).then((connection) => {
      clearTimeout(timer);
      if (isDone) connection.close();
      isDone = true;
      resolve(connection);
    }, (error) => {
      clearTimeout(timer);
      if (++failed === addresses.length) reject(error);
      tryNext();
    });
  };
  tryNext();
  return promise;
}
