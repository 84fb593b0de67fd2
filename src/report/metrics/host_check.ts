/** Names and addresses that mean this machine wherever they are looked up. */
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

/** Where a server listens. */
export interface Listening {
  /** The name or the address that it was given, without brackets. */
  readonly name: string;
  /** Only this machine reaches it, however that was spelled. */
  readonly onLoopback: boolean;
}

/**
 * Whether a request is meant for a server that listens there. A web page can use a
 * name that first resolves to its own server and then to this machine (DNS rebinding), and
 * the browser then lets it read what comes from here; but the request carries that name.
 * So a server that listens on loopback answers only to loopback names, and to the name it
 * was started with. One that listens on an address of the network can be read by everyone
 * who reaches it, under names that are not known here.
 *
 * @param hosts what it says of that: browsers say it once, and always
 */
export function isMeant(
  hosts: readonly string[],
  { name, onLoopback }: Listening,
): boolean {
  if (!onLoopback) return true;
  const given = name.toLowerCase();
  return hosts.map(withoutPort)
    .every((host) => LOOPBACK.test(host) || host === given);
}

function withoutPort(host: string): string {
  return host.toLowerCase().replace(/:\d{0,5}$/, "").replace(/^\[(.*)\]$/, "$1");
}

/** What to do where a request is not meant for this server. */
export function whyNotMeant({ name }: Listening): string {
  const given = name.includes(":") ? `[${name}]` : name;
  const names = [...new Set([given, "localhost", "127.0.0.1", "[::1]"])];
  return `--metrics listens for this machine only, and answers to the names ${
    names.slice(0, -1).join(", ")
  } and ${
    names.at(-1)
  }; with an address of the network, as in --metrics 0.0.0.0:9464, it answers to every name`;
}
