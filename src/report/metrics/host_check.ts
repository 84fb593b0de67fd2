/** Names and addresses that mean this machine wherever they are looked up. */
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/;

/**
 * Whether a request is meant for a server that listens on `host`. A web page can use a
 * name that first resolves to its own server and then to this machine (DNS rebinding), and
 * the browser then lets it read what comes from here; but the request carries that name.
 * So a server that listens on loopback answers only to loopback names, and to the name it
 * was started with. One that listens on an address of the network can be read by everyone
 * who reaches it, under names that are not known here.
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
