import type { Lane } from "./lane.ts";

/**
 * A lane on its way to another thread, with the number of its memory among those that
 * are sent with it. JavaScriptCore makes a memory once for each time that a message
 * holds it, and each costs the collector as much as if nobody shared it.
 */
export interface SentLane extends Omit<Lane, "memory"> {
  readonly memory: number;
}

/** The memories of lanes that are sent together. */
export class SentMemories {
  readonly all: WebAssembly.Memory[] = [];
  readonly #numbers = new Map<WebAssembly.Memory, number>();

  /** The lane as it is sent; its memory is among `all` from now on. */
  pack(lane: Lane): SentLane {
    let memory = this.#numbers.get(lane.memory);
    if (memory === undefined) {
      memory = this.all.push(lane.memory) - 1;
      this.#numbers.set(lane.memory, memory);
    }
    return { ...lane, memory };
  }
}

/** The lane where it has arrived. @param memories those that were sent with it */
export function unpackLane(
  lane: SentLane,
  memories: readonly WebAssembly.Memory[],
): Lane {
  const memory = memories[lane.memory];
  if (memory === undefined) throw new Error("a lane was sent without its memory");
  return { ...lane, memory };
}
