import type { Lane } from "./lane.ts";

/**
 * A lane on its way to another thread, with the number of its memory among those that
 * are sent with it. JavaScriptCore makes a memory once for each time that a message
 * holds it, and each costs the collector as much as one that is not shared.
 */
export interface SentLane extends Omit<Lane, "memory"> {
  readonly memory: number;
}

/** The memories that one thread is sent, each of them once. */
export class SentMemories {
  readonly #numbers = new Map<WebAssembly.Memory, number>();
  #unsent: WebAssembly.Memory[] = [];

  /** The lane as it is sent; its memory is sent before it or with it. */
  pack(lane: Lane): SentLane {
    let memory = this.#numbers.get(lane.memory);
    if (memory === undefined) {
      memory = this.#numbers.size;
      this.#numbers.set(lane.memory, memory);
      this.#unsent.push(lane.memory);
    }
    return { ...lane, memory };
  }

  /** To be sent with what was packed since the last time. */
  take(): readonly WebAssembly.Memory[] {
    const unsent = this.#unsent;
    this.#unsent = [];
    return unsent;
  }
}

/** The lane where it has arrived. @param memories those that were sent so far */
export function unpackLane(
  lane: SentLane,
  memories: readonly WebAssembly.Memory[],
): Lane {
  const memory = memories[lane.memory];
  if (memory === undefined) throw new Error("a lane was sent without its memory");
  return { ...lane, memory };
}
