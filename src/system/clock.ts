import { libc } from "./libc.ts";
import { addressOf } from "./memory.ts";

/** struct timespec: seconds in words 0 and 1, nanoseconds in word 2. */
const timespec = new Uint32Array(4);
let timespecAddress = 0;
const CLOCK_REALTIME = 0;
const CLOCK_MONOTONIC = 1;

/** The system's time of day in microseconds since 1970. */
export function wallClockMicros(): number {
  return clockMicros(CLOCK_REALTIME);
}

/**
 * In whole milliseconds, the same in all threads, and never set by anybody; that of
 * `performance.now` starts at 0 in each thread.
 */
export function monotonicMs(): number {
  return Math.floor(clockMicros(CLOCK_MONOTONIC) / 1e3);
}

function clockMicros(clock: number): number {
  timespecAddress ||= addressOf(new Uint8Array(timespec.buffer));
  libc().call.clock_gettime(clock, timespecAddress);
  const seconds = timespec[1]! * 2 ** 32 + timespec[0]!;
  return seconds * 1e6 + Math.floor(timespec[2]! / 1e3);
}

/** Gives the processor away for a moment; the kernel adds about 50 µs. */
export function napMicros(micros: number): void {
  libc().call.usleep(micros);
}
