/**
 * TLS connections as streams. Deno's own are wrapped: its `node:tls` sends no client
 * certificate in every version, and does not say what is wrong with a server's. Both
 * runtimes accept the same certificates.
 */

import type { X509Certificate } from "node:crypto";
import type { Duplex } from "node:stream";
import type { ConnectionOptions } from "node:tls";
import { connectToAny } from "./any_address.ts";
import { nodeCrypto, nodeNet, nodeStream, nodeTls } from "./on_demand.ts";

/**
 * A stream over a TCP connection that emits `secureConnect` when it is ready. Destroyed
 * under Deno, it may wait for a peer that does not answer, to say goodbye to it; it emits
 * `connect`, as soon as its ends are known, also after that.
 */
export interface TlsStream extends Duplex {
  readonly localPort?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

/** PEM texts. */
export interface TlsSettings {
  /** The authorities that are trusted, and no others, whatever the environment says. */
  readonly ca: string;
  /** Who we are: both or none. */
  readonly cert?: string;
  readonly key?: string;
}

/**
 * Connects, and makes sure that the server is `host`: one of the authorities has signed
 * its certificate, which is not that of an authority itself and has the name or the
 * address of the host as a subjectAltName.
 *
 * @throws Error what a runtime refuses at once
 */
export function connectTls(host: string, port: number, tls: TlsSettings): TlsStream {
  return "Bun" in globalThis
    ? connectWithBun(host, port, tls)
    : connectWithDeno(host, port, tls);
}

function connectWithBun(host: string, port: number, tls: TlsSettings): TlsStream {
  return nodeTls().connect({ host, port, ...strictOptions(host, tls) });
}

/**
 * For `node:tls`, which checks who has signed; what else Deno's own TLS asks of a
 * certificate is asked here.
 */
export function strictOptions(host: string, tls: TlsSettings): ConnectionOptions {
  return {
    // RFC 6066 has no server names for addresses.
    ...(nodeNet().isIP(host) === 0 && { servername: host }),
    ...tls,
    // Given so, it is not taken from NODE_TLS_REJECT_UNAUTHORIZED.
    rejectUnauthorized: true,
    checkServerIdentity: (_, { raw }) => wrongWithCertificate(raw, host),
  };
}

function wrongWithCertificate(raw: Uint8Array, host: string): Error | undefined {
  const { X509Certificate } = nodeCrypto();
  const found = new X509Certificate(raw);
  if (found.ca) return new Error(AUTHORITY_AS_SERVER);
  if (isCertificateOf(found, host)) return undefined;
  return new Error(
    `the server's certificate is not valid for ${host}; it is valid for ${
      found.subjectAltName ?? "no names, having no subjectAltName"
    }`,
  );
}

function isCertificateOf(found: X509Certificate, host: string): boolean {
  if (nodeNet().isIP(host) !== 0) return found.checkIP(host) !== undefined;
  // Without a name in there, Deno looks at the subject, whatever the option says.
  const hasNames = /(^|, )DNS:/.test(found.subjectAltName ?? "");
  const options = { subject: "never", partialWildcards: false } as const;
  return hasNames && found.checkHost(host, options) !== undefined;
}

const AUTHORITY_AS_SERVER =
  "the server's certificate is that of an authority, which no server may have as its own; make it with -addext basicConstraints=critical,CA:FALSE";

/**
 * Deno adds the authorities that it is given to those that it trusts in any case: its own,
 * unless this variable names others, and those in the files that the others name. It
 * looks at them when the process makes its first connection, and never again.
 */
const TRUSTED_STORES = "DENO_TLS_CA_STORE";
const TRUSTED_FILES = ["DENO_CERT", "NODE_EXTRA_CA_CERTS"];

/** Only this process is changed: programs that it starts get what it was started with. */
export function trustNobodyByDefault(): void {
  if ("Bun" in globalThis) return;
  Deno.env.set(TRUSTED_STORES, "");
  for (const name of TRUSTED_FILES) Deno.env.delete(name);
}

/** Says what is meant where Deno names a part of its own. */
export function inWords(error: Error): Error {
  return error.message.includes("CaUsedAsEndEntity")
    ? new Error(AUTHORITY_AS_SERVER)
    : error;
}

/**
 * How Deno is told whom a certificate must name where it connects to one of the host's
 * addresses; it has no other name for this setting. Without it, it would not take the
 * certificate of any host that has a name.
 */
const SERVER_NAME = Symbol.for("unstableServerName");

const READ_BYTES = 64 * 1024;

function connectWithDeno(
  host: string,
  port: number,
  { ca, cert, key }: TlsSettings,
): TlsStream {
  trustNobodyByDefault();
  const identity = cert === undefined || key === undefined ? {} : { cert, key };
  const name = nodeNet().isIP(host) === 0 ? { [SERVER_NAME]: host } : {};
  const options = { port, caCerts: [ca], ...identity, ...name };
  const opening = connectToAny(
    host,
    (hostname) => Deno.connectTls({ hostname, ...options }),
  );
  const stream: Duplex = new (nodeStream().Duplex)({
    read: () => {
      nextBytes(opening).then((bytes) => stream.push(bytes))
        .catch((error) => stream.destroy(error));
    },
    write: (bytes: Uint8Array, _encoding, done) => {
      writeAll(opening, bytes).then(() => done(), done);
    },
    final: (done) => {
      opening.then((connection) => connection.closeWrite()).then(() => done(), done);
    },
    destroy: (error, done) => {
      // One that has never been made needs no closing, and has said why already.
      opening.then((connection) => connection.close()).catch(() => {});
      done(error);
    },
  });
  const announce = async () => {
    const connection = await opening;
    const own = connection.localAddr as Deno.NetAddr;
    const peer = connection.remoteAddr as Deno.NetAddr;
    const ends = {
      localPort: own.port,
      remoteAddress: peer.hostname,
      remotePort: peer.port,
    };
    Object.assign(stream, ends);
    stream.emit("connect");
    // The certificates are looked at before the connection counts as made.
    await connection.handshake();
    stream.emit("secureConnect");
  };
  announce().catch((error) => stream.destroy(inWords(error)));
  return stream;
}

/** Null at the end. */
async function nextBytes(opening: Promise<Deno.TlsConn>): Promise<Uint8Array | null> {
  const connection = await opening;
  const buffer = new Uint8Array(READ_BYTES);
  const count = await connection.read(buffer);
  return count === null ? null : buffer.subarray(0, count);
}

async function writeAll(
  opening: Promise<Deno.TlsConn>,
  bytes: Uint8Array,
): Promise<void> {
  const connection = await opening;
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}
