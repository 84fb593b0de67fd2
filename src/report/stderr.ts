import { napMicros } from "../system/clock.ts";
import { O_NONBLOCK, O_WRONLY, openAgain, STDERR, write } from "../system/descriptors.ts";
import { EAGAIN } from "../system/errno.ts";
import { status } from "../system/file_status.ts";
import { addressOf } from "../system/memory.ts";
import { PIPE_BUF } from "../system/pipes.ts";
import { poll, POLLOUT } from "../system/poll.ts";
import type { LineTurn } from "../threads/line_turn.ts";

/** So long the line of an output that writes to the same place is left to be finished. */
const LINE_PATIENCE_MS = 1000;
/** How long the last words may wait for a reader that does not read. */
const LAST_WORDS_MS = 1000;
const NEWLINE = 10;
const NAP_MICROS = 200;
/** Reports that nobody takes are kept up to this size, and then left out. */
const MAX_WAITING_BYTES = 64 * 1024;
/** A reader that goes on reading is given so many times what one is that does not. */
const PATIENCE = 4;
const encoder = new TextEncoder();

/**
 * Standard error, for a thread that must never wait for it: what is not taken
 * at once waits here, and what waits is bounded.
 */
export class Stderr {
  readonly #descriptor: number;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #leftOut = 0;
  readonly #turn: LineTurn | undefined;
  /** Since when the line of the output is in the way. */
  #inTheWaySinceMs: number | undefined;
  /** The last report has been written in part only. */
  #insideReport = false;

  /**
   * @param descriptor where the reports go
   * @param turn of an output that goes there as well
   */
  constructor(descriptor = STDERR, turn?: LineTurn) {
    this.#turn = turn;
    const found = status(descriptor);
    const mayBlock = typeof found !== "number" &&
      found.kind !== "file" && found.kind !== "device";
    const own = mayBlock ? openAgain(descriptor, O_WRONLY | O_NONBLOCK) : -1;
    this.#descriptor = own >= 0 ? own : descriptor;
  }

  /** True while something waits that was not taken at once. */
  get behind(): boolean {
    return this.#waiting.length > 0;
  }

  /** Writes whole lines, now or later; leaves them out where too much waits already. */
  print(text: string): void {
    this.flush();
    if (this.#isFull) {
      this.#leftOut++;
      return;
    }
    this.#enqueue(text);
    this.flush();
  }

  get #isFull(): boolean {
    return this.#waitingBytes > MAX_WAITING_BYTES;
  }

  /** How many prints were left out, once there is room to say so; 0 after that. */
  takeLeftOut(): number {
    if (this.#leftOut === 0) return 0;
    this.flush();
    if (this.#isFull) return 0;
    const count = this.#leftOut;
    this.#leftOut = 0;
    return count;
  }

  /** Writes what it takes of what waits. */
  flush(): void {
    this.#flush(0);
  }

  /**
   * Writes what waits, until nothing was taken for a moment: the last report of a thousand
   * inputs is larger than any pipe. Only at the end.
   */
  finish(): void {
    this.#flush(LAST_WORDS_MS);
  }

  #flush(timeoutMs: number): void {
    const deadline = performance.now() + timeoutMs;
    while (this.behind) {
      const turn = this.#begin(timeoutMs > 0);
      if (turn !== "no") {
        const insideLine = this.#write(timeoutMs, turn === "inside a line");
        if (!insideLine) this.#inTheWaySinceMs = undefined;
        if (!this.#insideReport) this.#turn?.endReports(insideLine);
        return;
      }
      if (performance.now() >= deadline) return;
      napMicros(NAP_MICROS);
    }
  }

  /** See `LineTurn.beginReports`. */
  #begin(last: boolean): ReturnType<LineTurn["beginReports"]> {
    if (this.#turn === undefined || this.#insideReport) return "yes";
    const nowMs = performance.now();
    this.#inTheWaySinceMs ??= nowMs;
    const impatient = nowMs - this.#inTheWaySinceMs >= LINE_PATIENCE_MS;
    return this.#turn.beginReports(last || impatient);
  }

  /**
   * @param insideLine the output's last byte was no newline, so that one comes first
   * @returns whether that is still so
   */
  #write(timeoutMs: number, insideLine: boolean): boolean {
    const lastDeadline = performance.now() + PATIENCE * timeoutMs;
    let deadline = performance.now() + timeoutMs;
    while (this.behind) {
      const restMs = Math.max(0, Math.ceil(deadline - performance.now()));
      if (poll(this.#descriptor, POLLOUT, restMs) === 0) {
        if (performance.now() >= deadline) return insideLine;
        continue;
      }
      const chunk = this.#waiting[0]!;
      const bytes = insideLine
        ? Uint8Array.of(NEWLINE, ...chunk.subarray(0, PIPE_BUF - 1))
        : chunk;
      const count = write(
        this.#descriptor,
        addressOf(bytes),
        Math.min(bytes.length, PIPE_BUF),
      );
      if (count === -EAGAIN) continue;
      if (count < 0) {
        // There is no one to tell that there is no one to tell.
        this.#waiting = [];
        this.#waitingBytes = 0;
        this.#insideReport = false;
        return insideLine;
      }
      const taken = insideLine ? count - 1 : count;
      insideLine = false;
      this.#waitingBytes -= taken;
      deadline = Math.min(lastDeadline, performance.now() + timeoutMs);
      this.#insideReport = taken < chunk.length;
      if (this.#insideReport) this.#waiting[0] = chunk.subarray(taken);
      else this.#waiting.shift();
    }
    return insideLine;
  }

  #enqueue(text: string): void {
    const bytes = encoder.encode(text);
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
  }
}
