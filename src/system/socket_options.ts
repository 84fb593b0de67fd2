import { describeError, result } from "./errno.ts";
import { libc } from "./libc.ts";
import { addressOf } from "./memory.ts";

export const SOL_SOCKET = 1;
export const IPPROTO_TCP = 6;

/** @throws Error with the system's words when it refuses. */
export function setOption(
  socket: number,
  level: number,
  name: number,
  value: number,
): void {
  const cell = new Int32Array([value]);
  const at = addressOf(new Uint8Array(cell.buffer));
  const outcome = result(libc().call.setsockopt(socket, level, name, at, 4));
  if (outcome < 0) {
    throw new Error(`setsockopt ${level}/${name} failed: ${describeError(-outcome)}`);
  }
}

/** The first `bytes` bytes of an option, or `-errno`. */
export function getOption(
  socket: number,
  level: number,
  name: number,
  bytes: number,
): DataView | number {
  const value = new Uint8Array(bytes);
  const length = new Uint32Array([bytes]);
  const outcome = result(
    libc().call.getsockopt(
      socket,
      level,
      name,
      addressOf(value),
      addressOf(new Uint8Array(length.buffer)),
    ),
  );
  return outcome < 0 ? outcome : new DataView(value.buffer);
}
