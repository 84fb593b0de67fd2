import { result } from "./errno.ts";
import { status } from "./file_status.ts";
import { libc } from "./libc.ts";
import { addressOf } from "./memory.ts";

const TIOCGWINSZ = 0x5413;

/** True for terminals, and for the console of the machine. */
export function isTerminal(descriptor: number): boolean {
  const found = status(descriptor);
  return typeof found !== "number" && found.kind === "terminal";
}

/** Columns and rows of the terminal behind a descriptor, or `-errno`. 0: it does not say. */
export function terminalSize(
  descriptor: number,
): { readonly columns: number; readonly rows: number } | number {
  // struct winsize: rows, columns, and pixels that nobody fills in.
  const size = new Uint16Array(4);
  const address = addressOf(new Uint8Array(size.buffer));
  const outcome = result(libc().call.ioctl(descriptor, TIOCGWINSZ, address));
  return outcome < 0 ? outcome : { columns: size[1]!, rows: size[0]! };
}
