/**
 * The service of the demonstration: writes so many numbered lines into each of
 * some named pipes, one after the other and in one go, as logs are written. Says
 * when a write begins, and when it has returned, in milliseconds since 1970.
 *
 *     writer.ts PATH=LINES …
 */

import { closeSync, openSync, writeSync } from "node:fs";
import process from "node:process";

for (const argument of process.argv.slice(2)) {
  const [path, lines] = argument.split("=") as [string, string];
  const bytes = new TextEncoder().encode(numberedLines(Number(lines)));
  // Returns when there is a reader, whether it reads or not.
  const descriptor = openSync(path, "w");
  console.log(`begin ${Date.now()}`);
  for (let written = 0; written < bytes.length;) {
    written += writeSync(descriptor, bytes, written);
  }
  console.log(`end ${Date.now()}`);
  closeSync(descriptor);
}

/** 32 bytes each. */
function numberedLines(count: number): string {
  let text = "";
  for (let line = 1; line <= count; line++) {
    text += `${`line ${line} of the log `.padEnd(31, ".")}\n`;
  }
  return text;
}
