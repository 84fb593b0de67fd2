import { InputError } from "../errors.ts";
import { status } from "../system/file_status.ts";
import { type InputSpec, nameOfSource } from "./input_spec.ts";

/** The output, as far as it matters here: see `Destination`. */
export interface Written {
  readonly name: string;
  readonly readableAt?: string | number;
}

/**
 * Reading what this program itself writes would never end. Under whatever name: two
 * paths can lead to one FIFO, and a shell can redirect both ways to one file.
 *
 * @throws InputError when an input is what an output leads to.
 */
export function refuseOwnOutput(
  inputs: readonly InputSpec[],
  outputs: readonly Written[],
): void {
  const written = writtenAt(outputs);
  if (written.size === 0) return;
  for (const { source } of inputs) {
    if (source.kind === "kept") continue;
    const at = loopThrough(source.kind === "fifo" ? source.path : source.number);
    const output = at === undefined ? undefined : written.get(at);
    if (output === undefined) continue;
    throw new InputError(
      `cannot read ${
        nameOfSource(source)
      }: it is the same as the output ${output.name}, and what is written would be read again for ever; write to another place`,
    );
  }
}

/** What could be read of the outputs, by what it is known by now. Looks at each. */
export function writtenAt(outputs: Iterable<Written>): Map<string, Written> {
  const written = new Map<string, Written>();
  for (const output of outputs) {
    const at = loopThrough(output.readableAt);
    if (at !== undefined) written.set(at, output);
  }
  return written;
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
