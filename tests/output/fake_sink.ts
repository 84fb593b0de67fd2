/** A sink that does what a test wants, and keeps what it has taken. */

import type { Outgoing } from "../../src/formats/format.ts";
import type { Sink } from "../../src/output/sink.ts";
import type { Wait } from "../../src/output/wait.ts";

/** How one write goes: at most so many bytes, or that error. */
export type Answer = number | Error;

export interface FakeSinkSettings {
  /** How the first writes go; after these, each takes all of its piece. */
  readonly answers?: readonly Answer[];
  /** How the first attempts to finish go; then it succeeds. */
  readonly finishAnswers?: readonly (Error | undefined)[];
  /** Each call is put off with a promise before it is answered. */
  readonly asynchronous?: boolean;
  /** Called at each write, before its answer. */
  readonly onWrite?: () => void;
}

export class FakeSink implements Sink {
  readonly taken: Uint8Array[] = [];
  writes = 0;
  reopened = 0;
  finished = false;
  #isPutOff = false;
  readonly #answers: Answer[];
  readonly #finishAnswers: (Error | undefined)[];
  readonly #settings: FakeSinkSettings;

  constructor(settings: FakeSinkSettings = {}) {
    this.#settings = settings;
    this.#answers = [...settings.answers ?? []];
    this.#finishAnswers = [...settings.finishAnswers ?? []];
  }

  get text(): string {
    return this.taken.map((bytes) => new TextDecoder("latin1").decode(bytes)).join("");
  }

  write(piece: Outgoing, from: number, wait: Wait): number {
    if (this.#putOff(wait)) return 0;
    this.writes++;
    this.#settings.onWrite?.();
    const taken = this.#take(piece, from);
    // It would wait for room, and has some already.
    if (taken === 0) wait.until(performance.now());
    return taken;
  }

  #putOff(wait: Wait): boolean {
    if (!this.#settings.asynchronous) return false;
    this.#isPutOff = !this.#isPutOff;
    if (this.#isPutOff) wait.promise = Promise.resolve();
    return this.#isPutOff;
  }

  #take(piece: Outgoing, from: number): number {
    const answer = this.#answers.shift() ?? Infinity;
    if (typeof answer !== "number") throw answer;
    const bytes = piece.bytes.slice(from, from + answer);
    this.taken.push(bytes);
    return bytes.length;
  }

  reopen(): void {
    this.reopened++;
  }

  finish(wait: Wait): boolean {
    if (this.#putOff(wait)) return false;
    const answer = this.#finishAnswers.shift();
    if (answer !== undefined) throw answer;
    this.finished = true;
    return true;
  }
}
