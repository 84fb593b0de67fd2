/** Authorities and servers of every kind, made with openssl. */

import { openssl } from "./peers.ts";

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** PEM texts, and the paths of their files. */
export interface Identity {
  readonly certPath: string;
  readonly keyPath: string;
  readonly cert: string;
  readonly key: string;
}

/** An authority, which signs; as openssl makes it when it is asked for nothing else. */
export function makeAuthority(folder: string, name: string): Promise<Identity> {
  return make(folder, name, ["-subj", `/CN=${name}`]);
}

/**
 * A server called localhost, whom an authority has signed.
 *
 * @param altNames such as `DNS:localhost,IP:127.0.0.1`; empty for none
 */
export function makeServer(
  folder: string,
  name: string,
  authority: Identity,
  altNames: string,
): Promise<Identity> {
  return make(folder, name, [
    ...["-subj", "/CN=localhost", "-addext", "basicConstraints=critical,CA:FALSE"],
    ...(altNames === "" ? [] : ["-addext", `subjectAltName=${altNames}`]),
    ...["-CA", authority.certPath, "-CAkey", authority.keyPath],
  ]);
}

/**
 * A certificate for localhost that has signed itself.
 *
 * @param isAuthority as most instructions make it, who leave that to openssl
 */
export function makeSelfSigned(
  folder: string,
  name: string,
  isAuthority: "TRUE" | "FALSE",
): Promise<Identity> {
  return make(folder, name, [
    ...["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
    ...["-addext", `basicConstraints=critical,CA:${isAuthority}`],
  ]);
}

/** What could make a runtime trust this authority, which was not named. */
export function trustingEnvironment(
  folder: string,
  { certPath }: Identity,
): Record<string, string> {
  return {
    DENO_TLS_CA_STORE: "system",
    DENO_CERT: certPath,
    SSL_CERT_FILE: certPath,
    SSL_CERT_DIR: folder,
    NODE_EXTRA_CA_CERTS: certPath,
    NODE_TLS_REJECT_UNAUTHORIZED: "0",
    NODE_USE_SYSTEM_CA: "1",
    NODE_OPTIONS: "--use-system-ca",
  };
}

/** What the runtimes say of a certificate that nobody who is trusted has signed. */
export const UNKNOWN_ISSUER =
  /UnknownIssuer|unable to verify|unable to get local issuer|self.signed/;

async function make(
  folder: string,
  name: string,
  args: readonly string[],
): Promise<Identity> {
  const [certPath, keyPath] = [`${folder}/${name}.pem`, `${folder}/${name}.key`];
  const files = ["-keyout", keyPath, "-out", certPath];
  await openssl(folder, ["req", "-x509", "-days", "2", ...NEW_KEY, ...files, ...args]);
  return {
    certPath,
    keyPath,
    cert: Deno.readTextFileSync(certPath),
    key: Deno.readTextFileSync(keyPath),
  };
}
