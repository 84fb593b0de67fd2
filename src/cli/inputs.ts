import { CONTAINER_INPUTS } from "../containerd/shim.ts";
import { UsageError } from "../errors.ts";
import { type FormatName, labelsOf } from "../formats/formats.ts";
import { type InputSpec, STANDARD_INPUT } from "../input/pipe_source.ts";
import type { Destination } from "../output/sink.ts";
import { MAX_ROUTES } from "../threads/board.ts";
import { MAX_PLATES } from "../threads/doorbell.ts";
import type { RawFlags } from "./parse.ts";
import { single } from "./values.ts";

/** Each may have an output of its own: as many as a board and a doorbell hold. */
const MAX_INPUTS = Math.min(MAX_ROUTES, MAX_PLATES);

/** What is to be read. @throws UsageError when that cannot be meant. */
export function resolveInputs(flags: RawFlags): readonly InputSpec[] {
  const fifos = flags.get("fifo");
  if (fifos === undefined && flags.has("create")) {
    throw new UsageError("--create goes with --fifo: it makes the named pipes");
  }
  if (fifos === undefined && flags.has("once")) {
    throw new UsageError(
      "--once goes with --fifo: standard input always ends when its writers have closed it",
    );
  }
  if (flags.has("containerd")) return containerInputs(flags);
  return fifos === undefined
    ? [{ label: "stdout", source: STANDARD_INPUT }]
    : namedInputs(fifos);
}

function namedInputs(fifos: readonly string[]): InputSpec[] {
  if (fifos.length > MAX_INPUTS) {
    throw new UsageError(
      `--fifo was given ${fifos.length} times; at most ${MAX_INPUTS} work`,
    );
  }
  const named = fifos.map(parseFifo);
  const [paths, labels] = [new Set<string>(), new Set<string>()];
  for (const { label, path } of named) {
    if (paths.has(path)) throw new UsageError(`--fifo "${path}" was given twice`);
    if (labels.has(label)) {
      throw new UsageError(
        `two inputs are called "${label}"; name each: --fifo LABEL=PATH`,
      );
    }
    paths.add(path);
    labels.add(label);
  }
  return named.map(({ label, path }) => ({ label, source: { kind: "fifo", path } }));
}

/** `LABEL=PATH`, or a PATH, which may hold `=` after its first slash. */
function parseFifo(text: string): { label: string; path: string } {
  const match = /^([^/=]*)=(.*)$/s.exec(text);
  if (match === null) return { label: "stdout", path: text };
  const [, label, path] = match as unknown as [string, string, string];
  if (!/^[A-Za-z0-9_.-]{1,64}$/.test(label)) {
    throw new UsageError(
      `--fifo "${text}": a label is 1 to 64 letters, digits, dots, dashes and underscores; write ./${text} if it is a path`,
    );
  }
  if (path === "") throw new UsageError(`--fifo "${text}" names no path after the label`);
  return { label, path };
}

/** A logging binary has its inputs, and nobody at its standard output. */
function containerInputs(flags: RawFlags): readonly InputSpec[] {
  if (flags.has("fifo")) {
    throw new UsageError("--containerd reads the container's streams; leave --fifo out");
  }
  if ((single(flags, "output") ?? "-") === "-") {
    throw new UsageError(
      "--containerd needs an --output, such as /var/log/{namespace}/{id}.log: nobody reads the standard output of a logging binary",
    );
  }
  return CONTAINER_INPUTS;
}

/** Other names for the same FIFO are found when the program starts. */
export function checkOwnOutputs(
  outputs: readonly Destination[],
  inputs: readonly InputSpec[],
): void {
  const read = new Set<Destination["readableAt"]>();
  for (const { source } of inputs) if (source.kind === "fifo") read.add(source.path);
  for (const { name, readableAt } of outputs) {
    if (!read.has(readableAt)) continue;
    throw new UsageError(
      `--output: ${name} is what --fifo reads, and what is written would be read again for ever; write to another place`,
    );
  }
}

export function checkLabels(format: FormatName, inputs: readonly InputSpec[]): void {
  const labels = labelsOf(format);
  const other = labels && inputs.find(({ label }) => !labels.includes(label));
  if (other === undefined) return;
  const path = other.source.kind === "fifo" ? other.source.path : "PATH";
  throw new UsageError(
    `--format ${format} cannot carry the input "${other.label}", only ${
      labels?.join(" and ")
    }; write --fifo ${labels?.[0]}=${path}, or take another format`,
  );
}
