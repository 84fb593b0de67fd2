import { InputError } from "../errors.ts";
import { status } from "../system/file_status.ts";
import { type InputSpec, nameOfSource } from "./pipe_source.ts";

/** The output, as far as it matters here: see `Destination`. */
export interface Written {
  readonly name: string;
  readonly readableAt?: string | number;
}

/**
 * Reading what this program itself writes would never end. Under whatever name: two
 * paths can lead to one FIFO, and a shell can redirect both ways to one file.
 *
 * @throws InputError when an input is what the output leads to.
 */
export function refuseOwnOutput(
  inputs: readonly InputSpec[],
  { name, readableAt }: Written,
): void {
  const written = loopThrough(readableAt);
  if (written === undefined) return;
  for (const { source } of inputs) {
    const at = source.kind === "fifo" ? source.path : source.number;
    if (loopThrough(at) !== written) continue;
    throw new InputError(
      `cannot read ${
        nameOfSource(source)
      }: it is the same as the output ${name}, and what is written would be read again for ever; write to another place`,
    );
  }
}

/**
 * What a pipe or file is known by. Of a socket or a terminal, other bytes come in
 * than go out.
 */
function loopThrough(at: string | number | undefined): string | undefined {
  const found = at === undefined ? undefined : status(at);
  if (found === undefined || typeof found === "number") return undefined;
  return found.kind === "pipe" || found.kind === "file" ? found.identity : undefined;
}
