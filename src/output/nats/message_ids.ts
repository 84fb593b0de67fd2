import type { MessageSpan } from "./message_window.ts";

/**
 * Names for messages, as `Nats-Msg-Id` takes them: the run, the input, and the numbers of
 * its bytes that the message holds, `…-api-4200-4711`. They are what a later run calls
 * them that goes on with what this one has left, and no other message has them: another
 * with the same bytes of the same run says the same.
 */
export class MessageIds {
  /** By input, the last one, and how often it has come. */
  readonly #last = new Map<string, { id: string; times: number }>();

  /** For one message after the other, each of them once. */
  next({ run, label, fromByte, toByte }: MessageSpan): string {
    const id = `${run}-${label}-${fromByte}-${toByte}`;
    const last = this.#last.get(label);
    if (last?.id !== id) {
      this.#last.set(label, { id, times: 1 });
      return id;
    }
    // Both only say what is missing there, and hold nothing of the input.
    return `${id}.${last.times++}`;
  }
}
