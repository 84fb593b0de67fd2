import type { ResendWindow } from "./resend_window.ts";

/** What a break without an error is called. */
export const CLOSED = "it was closed at the other end";

/** What is known of a connection at one moment. */
export interface Look {
  /** Bytes that were sent and may not have arrived; Infinity: no more is known. */
  readonly unacknowledgedBytes: number;
  /** Why the connection is no more. */
  readonly broken?: string;
}

/**
 * One connection to a peer that takes a stream. What needs the event loop answers with
 * promises, what does not has none. Flusher thread only.
 */
export interface StreamConnection {
  /** Sends what it can of what is unsent, without waiting for the peer. */
  send(window: ResendWindow): void;

  /** Does not block. */
  look(): Look;

  /** Where the event loop moves the bytes: lets it run for a moment. */
  turn?(): Promise<void>;

  /** Waits until there may be room (if asked for), something has happened, or the time is over. */
  wait(forRoom: boolean, timeoutMs: number): void | Promise<void>;

  /**
   * Says that no more comes, and waits until the peer has read it all and closed, or
   * the time is over. Returns what went wrong, if anything did.
   */
  sayGoodbye(timeoutMs: number): string | undefined | Promise<string | undefined>;

  close(): void;
}
