import { PermanentError, UsageError } from "../../errors.ts";
import { readFile } from "../../system/files.ts";
import type { TlsSettings } from "../../runtime/tls.ts";
import type { Settings } from "./address.ts";

/** The settings that name PEM files: whom to trust, and who we are. */
export const TLS_SETTINGS = ["ca", "cert", "key"];

/** Paths of PEM files. */
export interface TlsFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Where Linux distributions keep the authorities that their users trust. */
const SYSTEM_BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/** @throws UsageError when only one of certificate and key is there. */
export function tlsFilesIn(settings: Settings): TlsFiles {
  if (settings.has("cert") !== settings.has("key")) {
    throw new UsageError("cert and key go together: cert=PATH&key=PATH");
  }
  return Object.fromEntries(
    TLS_SETTINGS.filter((name) => settings.has(name))
      .map((name) => [name, settings.get(name)!]),
  );
}

/**
 * Reads the files. Asked for with every connection: certificates expire, and are
 * replaced in their files.
 *
 * @throws PermanentError when a file cannot be read, or nobody would be trusted.
 */
export function loadTls({ ca, cert, key }: TlsFiles): TlsSettings {
  return {
    ca: ca === undefined ? systemAuthorities() : pem(ca),
    ...(cert !== undefined && { cert: pem(cert) }),
    ...(key !== undefined && { key: pem(key) }),
  };
}

function systemAuthorities(): string {
  for (const path of SYSTEM_BUNDLES) {
    const found = readFile(path);
    if (typeof found !== "string") return new TextDecoder().decode(found);
  }
  throw new PermanentError(
    `no certificates of authorities are installed here (${
      SYSTEM_BUNDLES.join(", ")
    }); name a file of them: ca=PATH`,
  );
}

function pem(path: string): string {
  const found = readFile(path);
  if (typeof found === "string") {
    throw new PermanentError(
      `cannot read "${path}": ${found}; it must be a PEM file that this user may read`,
    );
  }
  const text = new TextDecoder().decode(found);
  if (!text.includes("-----BEGIN ")) {
    throw new PermanentError(`"${path}" is not a PEM file; convert it with openssl`);
  }
  return text;
}
