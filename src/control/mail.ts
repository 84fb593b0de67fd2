import { receiveMessage } from "../runtime/on_demand.ts";
import type { OutletLaneStart, OutletStart, ReaderLaneStart } from "./thread_start.ts";

/**
 * What the control thread says to threads that run, where inputs come and go. They wait
 * in the kernel and not for messages, so they are woken otherwise, and then look here.
 */
export type ReaderMail =
  /** Of lanes that come after it. */
  | { readonly kind: "memories"; readonly memories: readonly WebAssembly.Memory[] }
  | { readonly kind: "lane"; readonly found: number; readonly lane: ReaderLaneStart }
  | { readonly kind: "refused"; readonly found: number; readonly why: string }
  | { readonly kind: "gone" };

export type OutputMail =
  | {
    readonly kind: "outlet";
    readonly outlet: OutletStart;
    readonly memories: readonly WebAssembly.Memory[];
  }
  | {
    readonly kind: "lane";
    readonly plate: number;
    readonly lane: OutletLaneStart;
    readonly memories: readonly WebAssembly.Memory[];
  }
  /** No lane comes to that outlet any more. */
  | { readonly kind: "close"; readonly plate: number };

/** The two ends of a way for mail: the sender's, and that which a thread is given. */
export function mailWay(): { readonly sender: MessagePort; readonly mail: MessagePort } {
  const { port1, port2 } = new MessageChannel();
  return { sender: port1, mail: port2 };
}

/** What has come since the last time. */
export function* mailIn<T>(port: MessagePort): Generator<T> {
  for (let got; (got = receiveMessage(port)) !== undefined;) yield got.message as T;
}
