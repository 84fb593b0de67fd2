/** Names and addresses that mean this machine wherever they are looked up. */
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/;

/**
 * Whether a request is meant for a server that listens on `host`. A page of the web may
 * have a name that first means its own server and then this machine (DNS rebinding), and
 * a browser lets it read what comes from there; but the name stands in the request. Who
 * listens for this machine only is therefore asked for by such a name, or by the one that
 * it was told. Who listens on an address of the network can be read by all who reach it,
 * under names that nobody here knows.
 *
 * @param request its head
 */
export function isMeant(request: string, host: string): boolean {
  if (!LOOPBACK.test(host)) return true;
  const asked = [...request.matchAll(/^host:[ \t]*(.*?)[ \t]*\r$/gim)].map(([, value]) =>
    value!.toLowerCase().replace(/:\d*$/, "")
  );
  // Browsers always say it, once.
  return asked.every((name) => LOOPBACK.test(name));
}
