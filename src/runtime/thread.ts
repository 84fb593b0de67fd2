/**
 * Threads of this program, as both runtimes have them without `node:worker_threads`: in Bun
 * those of that module each take 12 ms and 5 MB more, for what no thread here uses.
 */

/** What is in the global scope, in Bun everywhere, and on a thread. */
interface Scope {
  readonly Bun?: { readonly isMainThread: boolean };
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown): void;
}

const scope = globalThis as unknown as Scope;

export const isMainThread = scope.Bun?.isMainThread ??
  !("WorkerGlobalScope" in globalThis);

/** What a thread's starter hears of it. */
export interface ThreadEvents<Message> {
  /** True: it has said all, and can be ended. */
  onMessage(message: Message): boolean;
  /** It has ended before that. */
  onDeath(why: string): void;
}

/**
 * @param program the entry point's own URL
 * @param start what the thread is given
 * @param transfer what of that is handed over to it
 */
export function startThread<Message>(
  program: URL,
  start: unknown,
  transfer: readonly MessagePort[],
  events: ThreadEvents<Message>,
): void {
  const worker = new Worker(program, { type: "module" });
  let ended = false;
  worker.onmessage = ({ data }) => {
    if (!events.onMessage(data)) return;
    ended = true;
    worker.terminate();
  };
  const die = (why: string) => {
    if (!ended) events.onDeath(why);
    ended = true;
  };
  worker.onerror = (event) => {
    // Deno would end the program.
    event.preventDefault();
    die(event.message);
  };
  // Only in Bun: in Deno a thread ends with an error, or when it is ended.
  worker.addEventListener("close", () => die("it exited without reporting"));
  worker.postMessage(start, [...transfer]);
}

/**
 * What this thread was given. Listened for as soon as this module runs: a runtime that has
 * nobody to give a message to forgets it, however long the thread takes to load the rest.
 */
const given = isMainThread ? undefined : new Promise<unknown>((resolve) => {
  scope.onmessage = ({ data }) => {
    // Whoever listens is kept alive by it.
    scope.onmessage = null;
    resolve(data);
  };
});

/** On a thread: what it was given. */
export async function threadStart<Start>(): Promise<Start> {
  return await given as Start;
}

/** On a thread: tells whoever has started it. */
export function tellStarter(message: unknown): void {
  scope.postMessage(message);
}
