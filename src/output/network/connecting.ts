import { close } from "../../system/descriptors.ts";
import { EINPROGRESS, ETIMEDOUT } from "../../system/errno.ts";
import { POLLOUT } from "../../system/poll.ts";
import { connected } from "../../system/sockets.ts";
import type { Wait } from "../wait.ts";
import { type Attempt, attemptsAt, cannotConnect, type Peer } from "./peer.ts";

/**
 * A stream socket on its way to its peer: tries the peer's addresses, one after the
 * other, each for up to `timeoutMs`. Only on the thread of its output loop, which it
 * keeps for as long as the name servers take to find the addresses.
 */
export class Connecting {
  readonly #name: string;
  readonly #peer: Peer;
  readonly #timeoutMs: number;
  readonly #attempts: readonly Attempt[];
  #next = 0;
  #socket: number | undefined;
  #deadlineMs = 0;

  /**
   * @param name how messages call the peer
   * @throws TemporaryError when the peer's name is not known, or as `advance`
   */
  constructor(name: string, peer: Peer, timeoutMs: number) {
    this.#name = name;
    this.#peer = peer;
    this.#timeoutMs = timeoutMs;
    this.#attempts = attemptsAt(name, peer, "stream");
    this.#tryNext(ETIMEDOUT);
  }

  /**
   * The socket, once it is connected.
   *
   * @throws TemporaryError when it may work later, PermanentError when it cannot.
   */
  advance(): number | undefined {
    for (;;) {
      const socket = this.#socket!;
      const outcome = connected(socket);
      if (outcome === 0) {
        this.#socket = undefined;
        return socket;
      }
      const late = performance.now() >= this.#deadlineMs;
      if (outcome === -EINPROGRESS && !late) return undefined;
      this.close();
      this.#tryNext(outcome === -EINPROGRESS ? ETIMEDOUT : -outcome);
    }
  }

  await(wait: Wait): void {
    wait.forDescriptor(this.#socket!, POLLOUT);
    wait.until(this.#deadlineMs);
  }

  /** @param errno what was wrong with the address before */
  #tryNext(errno: number): void {
    let lastErrno = errno;
    while (this.#next < this.#attempts.length) {
      const socket = this.#attempts[this.#next++]!();
      if (socket >= 0) {
        this.#socket = socket;
        this.#deadlineMs = performance.now() + this.#timeoutMs;
        return;
      }
      lastErrno = -socket;
    }
    throw cannotConnect(this.#name, this.#peer, "stream", lastErrno);
  }

  close(): void {
    if (this.#socket !== undefined) close(this.#socket);
    this.#socket = undefined;
  }
}
