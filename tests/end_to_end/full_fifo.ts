import { assertEquals } from "@std/assert";
import {
  close,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
  open,
  write,
} from "../../src/system/descriptors.ts";
import { addressOf } from "../../src/system/memory.ts";
import { mkfifo } from "../../src/system/names.ts";
import { setPipeSize } from "../../src/system/pipes.ts";

/** As large as Spillway would have the pipe behind its standard output. */
const PIPE_BYTES = 256 * 1024;

export interface FullFifo {
  readonly reader: number;
  readonly bytes: number;
  close(): void;
}

/** Makes a FIFO that is full, and that nobody reads. It is open as long as it holds that. */
export function makeFullFifo(path: string): FullFifo {
  mkfifo(path, 0o600);
  const reader = open(path, O_RDONLY | O_NONBLOCK);
  const writer = open(path, O_WRONLY | O_NONBLOCK);
  const bytes = setPipeSize(writer, PIPE_BYTES);
  const filling = new Uint8Array(bytes);
  assertEquals(write(writer, addressOf(filling), bytes), bytes);
  close(writer);
  return { reader, bytes, close: () => close(reader) };
}
