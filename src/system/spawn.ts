import { STDERR, STDOUT } from "./descriptors.ts";
import { ENOMEM } from "./errno.ts";
import { libc } from "./libc.ts";
import { addressOf } from "./memory.ts";

interface SpawnRequest {
  /**
   * The program's arguments, its name first, and its environment: any bytes, each string
   * with a NUL at its end. A name without a slash is looked up in PATH.
   */
  readonly args: Uint8Array;
  readonly environment: Uint8Array;
  /** What become its descriptors 1 and 2. */
  readonly stdout: number;
  readonly stderr: number;
  /** It leads a process group of its own, instead of joining this process's. */
  readonly ownGroup: boolean;
  /** Signals that it must not inherit as ignored. */
  readonly defaultSignals: readonly number[];
}

/** More than posix_spawnattr_t and posix_spawn_file_actions_t take in any C library. */
const OPAQUE_BYTES = 1024;
/** sigset_t of both C libraries; the kernel's 64 signals come first. */
const SIGSET_BYTES = 128;

const POSIX_SPAWN_SETPGROUP = 0x02;
const POSIX_SPAWN_SETSIGDEF = 0x04;
const POSIX_SPAWN_SETSIGMASK = 0x08;

/**
 * Starts a program: its process id, or `-errno`, also where it is not found or cannot
 * be executed. It inherits the descriptors that are not closed on exec, and blocks no
 * signal. posix_spawn(3) instead of fork, which would copy one thread of many.
 */
export function spawn(request: SpawnRequest): number {
  const { call } = libc();
  // The memory that the calls point to must be there until the last of them is over.
  const held: Uint8Array[] = [];
  const hold = (bytes: Uint8Array) => {
    held.push(bytes);
    return addressOf(bytes);
  };
  const [pid, actions, attributes] = [
    new Int32Array(1),
    hold(new Uint8Array(OPAQUE_BYTES)),
    hold(new Uint8Array(OPAQUE_BYTES)),
  ];
  if (call.posix_spawn_file_actions_init(actions) !== 0) return -ENOMEM;
  call.posix_spawnattr_init(attributes);
  try {
    for (
      const [from, to] of [[request.stdout, STDOUT], [request.stderr, STDERR]] as const
    ) {
      const error = call.posix_spawn_file_actions_adddup2(actions, from, to);
      if (error !== 0) return -error;
    }
    call.posix_spawnattr_setsigmask(attributes, hold(signalSet([])));
    call.posix_spawnattr_setsigdefault(
      attributes,
      hold(signalSet(request.defaultSignals)),
    );
    call.posix_spawnattr_setpgroup(attributes, 0);
    call.posix_spawnattr_setflags(
      attributes,
      POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
        (request.ownGroup ? POSIX_SPAWN_SETPGROUP : 0),
    );
    const args = hold(request.args);
    const error = call.posix_spawnp(
      hold(new Uint8Array(pid.buffer)),
      args,
      actions,
      attributes,
      hold(pointers(request.args, args)),
      hold(pointers(request.environment, hold(request.environment))),
    );
    return error === 0 ? pid[0]! : -error;
  } finally {
    call.posix_spawn_file_actions_destroy(actions);
    call.posix_spawnattr_destroy(attributes);
    held.length = 0;
  }
}

function signalSet(signals: readonly number[]): Uint8Array {
  const set = new Uint8Array(SIGSET_BYTES);
  for (const signal of signals) set[(signal - 1) >> 3]! |= 1 << ((signal - 1) & 7);
  return set;
}

/** Where each of the strings begins, and a null pointer at the end. */
function pointers(strings: Uint8Array, address: number): Uint8Array {
  const begins: bigint[] = [];
  for (let at = 0; at < strings.length; at = strings.indexOf(0, at) + 1) {
    begins.push(BigInt(address + at));
  }
  return new Uint8Array(BigUint64Array.from([...begins, 0n]).buffer);
}
