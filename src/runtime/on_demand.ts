/**
 * Modules of the runtime that few runs need. They are loaded at the first use: as
 * imports they would cost each thread of each run up to 3 MB and 8 ms.
 */

import process from "node:process";
import type { MessagePort as NodePort } from "node:worker_threads";

export function gzip(bytes: Uint8Array): Uint8Array {
  return process.getBuiltinModule("node:zlib").gzipSync(bytes);
}

/** The next one that has come; undefined when there is none. */
export function receiveMessage(port: MessagePort): { message: unknown } | undefined {
  const { receiveMessageOnPort } = process.getBuiltinModule("node:worker_threads");
  return receiveMessageOnPort(port as unknown as NodePort);
}

export const nodeDns = () => process.getBuiltinModule("node:dns");
export const nodeNet = () => process.getBuiltinModule("node:net");
export const nodeStream = () => process.getBuiltinModule("node:stream");
export const nodeTls = () => process.getBuiltinModule("node:tls");
export const nodeCrypto = () => process.getBuiltinModule("node:crypto");
