import type { Board } from "../threads/board.ts";
import type { Routes } from "./routes.ts";
import type { ServiceManager } from "./service_manager.ts";

/** SIGHUP: has every output reopened, and says when all of them have been. Control thread. */
export class Reopening {
  readonly #board: Board;
  readonly #manager: ServiceManager;
  /** Outputs that were asked to be opened again, and have not been yet. */
  readonly #waiting = new Set<number>();

  constructor(board: Board, manager: ServiceManager) {
    this.#board = board;
    this.#manager = manager;
  }

  request(routes: Routes): void {
    this.#manager.reloading();
    for (const { number, ended } of routes.all) if (!ended) this.#waiting.add(number);
    this.#board.requestReopen();
    routes.callAll();
    // Where no input has come yet there is no output that could say so.
    if (this.#waiting.size === 0) this.#manager.ready();
  }

  /** Several requests may be done at once: an output says so for all of them together. */
  done(route: number): void {
    if (this.#waiting.delete(route) && this.#waiting.size === 0) this.#manager.ready();
  }
}
