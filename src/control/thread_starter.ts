import { messageOf } from "../errors.ts";
import type { ThreadMessage } from "./thread_messages.ts";
import { startRole, type ThreadStart } from "./thread_start.ts";

/** How soon a thread is asked for again that the system has refused. */
const RETRY_MS = 1000;

/** What the starter's owner hears of threads. */
interface StarterEvents {
  onMessage(start: ThreadStart, message: ThreadMessage): void;
  /** It has ended without having said so. */
  onDeath(start: ThreadStart, why: string): void;
  /** It cannot be started now, and is tried again. Once for each thread. */
  onDelay(message: string): void;
}

/** Starts the other threads. Control thread only. */
export class ThreadStarter {
  readonly #program: URL;
  readonly #events: StarterEvents;
  #isPatient = false;

  /** @param program the entry point's own URL */
  constructor(program: URL, events: StarterEvents) {
    this.#program = program;
    this.#events = events;
  }

  /**
   * All that there must be is there. What comes from now on can wait: rotated files stay
   * as they are, and the lines for an output stay in their rings.
   */
  becomePatient(): void {
    this.#isPatient = true;
  }

  /** @throws Error when the system refuses a thread that there must be. */
  start(start: ThreadStart): void {
    const message = this.#tryToStart(start);
    if (message === undefined) return;
    if (!this.#isPatient) throw new Error(message);
    this.#events.onDelay(message);
    const retries = setInterval(() => {
      if (this.#tryToStart(start) === undefined) clearInterval(retries);
    }, RETRY_MS);
  }

  /** @returns why it cannot be started */
  #tryToStart(start: ThreadStart): string | undefined {
    try {
      startRole(this.#program, start, {
        onMessage: (message) => this.#events.onMessage(start, message),
        onDeath: (why) => this.#events.onDeath(start, why),
      });
      return undefined;
    } catch (error) {
      return `cannot start the ${nameOf(start)} thread: ${
        messageOf(error)
      }; raise the limit of processes (ulimit -u, TasksMax=, --pids-limit)`;
    }
  }
}

/** As messages call a thread. */
export function nameOf(start: ThreadStart): string {
  return start.role === "output" ? `output (${start.loop})` : start.role;
}
