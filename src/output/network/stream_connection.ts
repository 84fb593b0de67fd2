import { unansweredForMs } from "../../system/tcp.ts";
import type { Wait } from "../wait.ts";
import type { ResendWindow } from "./resend_window.ts";

/** What a break without an error is called. */
export const CLOSED = "it was closed at the other end";

/** What is wrong with a TCP connection whose peer gives no sign of itself, if it is so. */
export function silence(socket: number, timeoutMs: number): string | undefined {
  if (unansweredForMs(socket) < timeoutMs) return undefined;
  return `it has not answered for ${timeoutMs / 1000} s`;
}

/** What is known of a connection at one moment. */
export interface Look {
  /** Bytes that were sent and may not have arrived; Infinity: no more is known. */
  readonly unacknowledgedBytes: number;
  /** Why the connection is no more. */
  readonly broken?: string;
}

/**
 * One connection to a peer that takes a stream. No call waits. Only on the thread of its
 * output loop.
 */
export interface StreamConnection {
  /**
   * True when it is there; it begins to connect when it is made.
   *
   * @throws TemporaryError, PermanentError when it will not be.
   */
  readonly connected: boolean;

  /** Sends what it can of what is unsent. */
  send(window: ResendWindow): void;

  look(): Look;

  /** Says when a look or another attempt to send may find something new. */
  await(wait: Wait, forRoom: boolean): void;

  /** Says that no more comes; once the peer has read it all, `left` says so. */
  sayGoodbye(): void;

  /** After `sayGoodbye`: the peer has closed, and the reason if it broke off instead. */
  readonly left: { readonly broken?: string } | undefined;

  /** To do so again does nothing. */
  close(): void;
}
