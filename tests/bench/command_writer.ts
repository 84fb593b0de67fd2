/**
 * A command for Spillway to start: writes lines of 100 bytes to its standard output as
 * fast as that takes them, and how that went to a file.
 *
 *     command_writer.ts BYTES FILE
 */

import process from "node:process";
import { STDOUT, write } from "../../src/system/descriptors.ts";
import { describeError } from "../../src/system/errno.ts";
import { addressOf } from "../../src/system/memory.ts";

export interface Written {
  readonly seconds: number;
  /** Of all its writes. */
  readonly longestMs: number;
}

const LINE = `${"x".repeat(99)}\n`;
/** About 64 KiB; whole lines, so that every write begins at the start of the buffer. */
const WRITE_BYTES = 655 * LINE.length;

function writeAll(bytes: number): Written {
  const buffer = new TextEncoder().encode(LINE.repeat(WRITE_BYTES / LINE.length));
  const address = addressOf(buffer);
  const startMs = performance.now();
  let [beforeMs, longestMs] = [startMs, 0];
  for (let written = 0; written < bytes; written += WRITE_BYTES) {
    const count = write(STDOUT, address, WRITE_BYTES);
    if (count < 0) throw new Error(`cannot write: ${describeError(-count)}`);
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - beforeMs);
    beforeMs = nowMs;
  }
  return { seconds: (beforeMs - startMs) / 1e3, longestMs };
}

if (import.meta.main) {
  const [bytes, file] = process.argv.slice(2);
  Deno.writeTextFileSync(file!, JSON.stringify(writeAll(Number(bytes))));
}
