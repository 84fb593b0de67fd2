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
 * @param request its head
 */
export function isMeant(request: string, { name, onLoopback }: Listening): boolean {
  if (!onLoopback) return true;
  const given = name.toLowerCase();
  const asked = [...request.matchAll(/^host:[ \t]*(.*?)[ \t]*\r$/gim)].map(([, value]) =>
    value!.toLowerCase().replace(/:\d*$/, "").replace(/^\[(.*)\]$/, "$1")
  );
  // Browsers always say it, once.
  return asked.every((host) => LOOPBACK.test(host) || host === given);
}
