import process from "node:process";
import { addressOf } from "../system/memory.ts";
import { monotonicMs } from "../system/clock.ts";
import { describeError, EAGAIN } from "../system/errno.ts";
import { environment } from "../system/process.ts";
import { abstractAddress, unixAddress } from "../system/socket_addresses.ts";
import { connect, send } from "../system/sockets.ts";

/** A message for which there was no room is sent again after so long. */
const RETRY_MS = 100;

/** One that has taken none of so many messages is frozen, and gets no more. */
const MAX_UNSENT = 16;

const encoder = new TextEncoder();

/**
 * Tells systemd what it wants to know of a unit with `Type=notify` or `WatchdogSec=`:
 * https://www.freedesktop.org/software/systemd/man/sd_notify.html
 * Where nobody asks for it, nothing is said. Control thread only; it never waits.
 *
 * The watchdog is for this thread alone. When another ends, so does the program, and
 * one that waits for a slow output must not: a restart would cost what the ring keeps.
 */
export class ServiceManager {
  readonly #socket: number | undefined;
  /** The oldest first. */
  readonly #unsent: Uint8Array<ArrayBuffer>[] = [];
  readonly #hasCommand: boolean;

  /**
   * @param hasCommand it is the command that says when it is ready
   * @throws Error when the one that asks for it cannot be reached.
   */
  constructor(hasCommand: boolean) {
    this.#hasCommand = hasCommand;
    const path = environment("NOTIFY_SOCKET");
    if (!path) return;
    const isAbstract = path.startsWith("@");
    const address = isAbstract ? abstractAddress(path.slice(1)) : unixAddress(path);
    const socket = connect(address, "datagram");
    if (socket < 0) {
      throw new Error(
        `cannot connect to the service manager at "${path}": ${
          describeError(-socket)
        }; unset NOTIFY_SOCKET where there is none`,
      );
    }
    this.#socket = socket;
    const watchdogMs = Number(environment("WATCHDOG_USEC") ?? 0) / 1000;
    const watchedPid = Number(environment("WATCHDOG_PID") ?? process.pid);
    if (watchdogMs > 0 && watchedPid === process.pid) {
      setInterval(() => this.#say("WATCHDOG=1"), watchdogMs / 2);
    }
  }

  /** What is written to the inputs is read. */
  ready(): void {
    if (!this.#hasCommand) this.#say("READY=1");
  }

  /** `ready` comes when it is done. */
  reloading(): void {
    if (!this.#hasCommand) {
      this.#say(`RELOADING=1\nMONOTONIC_USEC=${monotonicMs() * 1000}`);
    }
  }

  /** @param longestMs how long it may take, also where the unit allows for less */
  stopping(longestMs: number): void {
    this.#say(`STOPPING=1\nEXTEND_TIMEOUT_USEC=${longestMs * 1000}`);
  }

  #say(state: string): void {
    if (this.#socket === undefined || this.#unsent.length === MAX_UNSENT) return;
    this.#unsent.push(encoder.encode(state));
    if (this.#unsent.length === 1) this.#send(this.#socket);
  }

  #send(socket: number): void {
    for (let state; (state = this.#unsent[0]) !== undefined; this.#unsent.shift()) {
      // Any other error means that there is no one left to tell.
      if (send(socket, addressOf(state), state.length) !== -EAGAIN) continue;
      setTimeout(() => this.#send(socket), RETRY_MS);
      return;
    }
  }
}
