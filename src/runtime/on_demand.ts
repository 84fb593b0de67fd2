/**
 * Modules of the runtime that few runs need. They are loaded at the first use: as
 * imports they would cost each thread of each run up to 3 MB and 5 ms.
 */

import process from "node:process";

export function gzip(bytes: Uint8Array): Uint8Array {
  return process.getBuiltinModule("node:zlib").gzipSync(bytes);
}

export const nodeNet = () => process.getBuiltinModule("node:net");
export const nodeTls = () => process.getBuiltinModule("node:tls");
export const nodeCrypto = () => process.getBuiltinModule("node:crypto");
