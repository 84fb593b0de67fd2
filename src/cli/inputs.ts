import { CONTAINER_INPUTS } from "../containerd/shim.ts";
import { UsageError } from "../errors.ts";
import { type FormatName, labelsOf } from "../formats/formats.ts";
import { isLabel, LABEL_RULE } from "../input/label.ts";
import { type InputSpec, STANDARD_INPUT } from "../input/input_spec.ts";
import type { Destination } from "../output/sink.ts";
import { kindOf } from "../output/sinks.ts";
import { MAX_INPUTS } from "../plan.ts";
import type { RawFlags } from "./parse.ts";
import { single } from "./values.ts";

/** What is to be read. */
interface ResolvedInputs {
  readonly inputs: readonly InputSpec[];
  /** Folders whose named pipes are read. */
  readonly folders: readonly string[];
}

/** Whether there is a folder at a path. */
export type IsFolder = (path: string) => boolean;

/** A path that ends with a slash is that of a folder, also where it is missing. */
export function looksLikeFolder(path: string): boolean {
  return path.endsWith("/");
}

/** @throws UsageError when that cannot be meant. */
export function resolveInputs(flags: RawFlags, isFolder: IsFolder): ResolvedInputs {
  const fifos = flags.get("fifo");
  if (fifos === undefined && flags.has("create")) {
    throw new UsageError("--create goes with --fifo: it makes the named pipes");
  }
  if (fifos === undefined && flags.has("once")) {
    throw new UsageError(
      "--once goes with --fifo: standard input always ends when its writers have closed it",
    );
  }
  if (flags.has("containerd")) return { inputs: containerInputs(flags), folders: [] };
  // The file says what it is of.
  if (flags.has("recover")) return { inputs: [], folders: [] };
  if (fifos === undefined) {
    return { inputs: [{ label: "stdout", source: STANDARD_INPUT }], folders: [] };
  }
  const { folders = [], pipes = [] } = Object.groupBy(
    fifos,
    (text) => isFolder(splitFifo(text).path) ? "folders" : "pipes",
  );
  return { inputs: namedInputs(pipes), folders: folderPaths(flags, folders) };
}

function folderPaths(flags: RawFlags, fifos: readonly string[]): string[] {
  if (fifos.length > 0 && flags.has("once")) {
    throw new UsageError(
      `--once goes with named pipes that are given one by one: others may come into the folder "${
        splitFifo(fifos[0]!).path
      }" at any time`,
    );
  }
  const paths = new Set<string>();
  for (const { label, path } of fifos.map(splitFifo)) {
    if (label !== undefined) {
      throw new UsageError(
        `--fifo "${label}=${path}": the named pipes in a folder are labelled by their own names; write --fifo ${path}`,
      );
    }
    if (paths.has(path)) throw new UsageError(`--fifo "${path}" was given twice`);
    paths.add(path);
  }
  return [...paths];
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
function splitFifo(text: string): { label: string | undefined; path: string } {
  const [, label, path = text] = /^([^/=]*)=(.*)$/s.exec(text) ?? [];
  return { label, path };
}

function parseFifo(text: string): { label: string; path: string } {
  const { label = "stdout", path } = splitFifo(text);
  if (!isLabel(label)) {
    throw new UsageError(
      `--fifo "${text}": ${LABEL_RULE}; write ./${text} if it is a path`,
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
  { inputs, folders }: ResolvedInputs,
): void {
  const read = new Set<Destination["readableAt"]>();
  for (const { source } of inputs) if (source.kind === "fifo") read.add(source.path);
  const readFolders = new Set(folders.map((path) => path.replace(/\/*$/, "/")));
  for (const output of outputs) {
    const { name, readableAt } = output;
    const folder = typeof readableAt === "string" && kindOf(output).isFile === undefined
      ? readableAt.replace(/[^/]*$/, "")
      : undefined;
    if (!read.has(readableAt) && !(folder && readFolders.has(folder))) continue;
    throw new UsageError(
      `--output: ${name} is what --fifo reads, and what is written would be read again for ever; write to another place`,
    );
  }
}

export function checkLabels(format: FormatName, inputs: readonly InputSpec[]): void {
  const labels = labelsOf(format);
  const other = labels && inputs.find(({ label }) => !labels.includes(label));
  if (other === undefined) return;
  const { source } = other;
  const path = source.kind === "fifo" ? source.path : "PATH";
  const remedy = source.kind === "fifo" && source.inFolder
    ? "give it such a name"
    : `write --fifo ${labels?.[0]}=${path}`;
  throw new UsageError(
    `--format ${format} cannot carry the input "${other.label}", only ${
      labels?.join(" and ")
    }; ${remedy}, or take another format`,
  );
}
