import { constants } from "node:fs";
import { napMicros, wallClockMicros } from "../../src/system/clock.ts";
import { close, O_NONBLOCK, open, write } from "../../src/system/descriptors.ts";
import { addressOf } from "../../src/system/memory.ts";
import { mkfifo } from "../../src/system/names.ts";
import { readableBytes } from "../../src/system/pipes.ts";
import { inFolder } from "./pipeline.ts";
import type { Subject } from "./subjects.ts";

export interface Waiting {
  readonly pid: number;
  /** How long after its start the program had read what was waiting for it. */
  readonly readAfterMs: number;
}

const LINE = new TextEncoder().encode("a line that waits\n");
const START_DEADLINE_MICROS = 10e6;
const NAP_MICROS = 50;

/** Starts the program on a FIFO that holds one line, and ends it after `use`. */
export function withWaitingFifo<T>(
  { name, command: [program, ...args] }: Subject,
  use: (waiting: Waiting) => Promise<T>,
): Promise<T> {
  return inFolder(async (folder) => {
    const path = `${folder}/in`;
    mkfifo(path, 0o600);
    const fifo = open(path, constants.O_RDWR | O_NONBLOCK);
    write(fifo, addressOf(LINE), LINE.length);
    const startMicros = wallClockMicros();
    const child = new Deno.Command(program!, {
      args: [...args, "--fifo", path],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    try {
      // Looked at without giving way to events, which would cost milliseconds.
      while (readableBytes(fifo) > 0) {
        if (wallClockMicros() - startMicros > START_DEADLINE_MICROS) {
          throw new Error(`${name} does not read ${path}`);
        }
        napMicros(NAP_MICROS);
      }
      const readAfterMs = (wallClockMicros() - startMicros) / 1e3;
      return await use({ pid: child.pid, readAfterMs });
    } finally {
      child.kill("SIGTERM");
      await child.status;
      close(fifo);
    }
  });
}
