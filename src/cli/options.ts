import {
  type Container,
  type ContainerEnvironment,
  containerOf,
  expand,
  namedFolders,
} from "../containerd/container.ts";
import { CONTAINER_INPUTS, MAX_DRAIN_MS } from "../containerd/shim.ts";
import { UsageError } from "../errors.ts";
import { FORMAT_NAMES, type FormatName, labelsOf } from "../formats/formats.ts";
import type { RotationSettings } from "../output/file_rotation.ts";
import type { Destination, OutputSettings } from "../output/sink.ts";
import { type InputSpec, STANDARD_INPUT } from "../input/pipe_source.ts";
import { kindOf, parseDestination } from "../output/sinks.ts";
import type { ListenAddress } from "../platform/tcp_listener.ts";
import type { ReportStyle } from "../report/console.ts";
import { MAX_CAPACITY, MIN_CAPACITY } from "../ring/ring_memory.ts";
import type { FullPolicy } from "../ring/ring_producer.ts";
import { formatSize, parseDuration, parseSize } from "../units.ts";
import type { FlagName } from "./flags.ts";
import type { RawFlags } from "./parse.ts";

/** A checked command line. */
export interface Options {
  readonly inputs: readonly InputSpec[];
  readonly create: boolean;
  readonly once: boolean;
  readonly pipeSizeBytes: number;
  readonly capacityBytes: number;
  readonly whenFull: FullPolicy;
  readonly maxLineBytes: number;
  readonly output: Destination;
  readonly format: FormatName;
  readonly markers: boolean;
  readonly drainTimeoutMs: number;
  readonly report: ReportStyle;
  readonly reportIntervalMs: number;
  readonly progress: boolean;
  readonly metrics: ListenAddress | undefined;
  readonly failOnLoss: boolean;
  /** Whose logging binary this is, if it is one. */
  readonly container: Container | undefined;
  /** Folders of the output that are named after the container; made when missing. */
  readonly outputFolders: readonly string[];
}

const MAX_INPUTS = 64;
/** What the kernel can be asked for at all: F_SETPIPE_SZ is an int. */
const MAX_PIPE_SIZE = 2 ** 30;
const MIN_PIPE_SIZE = 4096;
const DEFAULT_MAX_LINE = 64 * 1024;
const MIN_MAX_LINE = 64;
/** Four longest lines must fit the ring, or one could push out all the others. */
const LINES_PER_RING = 4;
const MIN_REPORT_INTERVAL_MS = 100;
const MAX_MAX_SIZE = 2 ** 50;
/** Each rotation renames them all. */
const MAX_MAX_FILES = 1000;

/** Metrics are for this machine unless an address is given. */
const LOOPBACK = "127.0.0.1";
const MAX_PORT = 65_535;

/**
 * Checks every value that can be checked without touching the system.
 *
 * @param environment looked at with --containerd only
 * @throws UsageError that names the flag, the value and what would be right.
 */
export function resolveOptions(
  flags: RawFlags,
  environment: ContainerEnvironment = {},
): Options {
  const container = flags.has("containerd") ? containerOf(environment) : undefined;
  const inputs = container === undefined ? resolveInputs(flags) : containerInputs(flags);
  if (flags.has("create") && !flags.has("fifo")) {
    throw new UsageError("--create goes with --fifo: it makes the named pipes");
  }
  if (flags.has("once") && !flags.has("fifo")) {
    throw new UsageError(
      "--once goes with --fifo: standard input always ends when its writers have closed it",
    );
  }
  const capacityBytes = size(flags, "capacity", "16MiB", MIN_CAPACITY, MAX_CAPACITY);
  const longestLine = Math.floor(capacityBytes / LINES_PER_RING);
  const rotation = resolveRotation(flags);
  const outputText = single(flags, "output") ?? "-";
  const output = checked(
    "output",
    () =>
      destination(container ? expand(outputText, container) : outputText, { rotation }),
  );
  if (rotation !== undefined && output.kind !== "file") {
    throw new UsageError(
      `--max-size goes with --output PATH: ${output.name} cannot be rotated`,
    );
  }
  checkOwnOutput(output, inputs);
  const kind = kindOf(output);
  const format = choice(flags, "format", kind.formats ?? FORMAT_NAMES, kind.format);
  checkLabels(format, inputs);
  return {
    inputs,
    create: flags.has("create"),
    once: flags.has("once"),
    pipeSizeBytes: size(flags, "pipe-size", "1MiB", MIN_PIPE_SIZE, MAX_PIPE_SIZE),
    capacityBytes,
    whenFull: choice(flags, "when-full", ["overwrite", "drop-newest", "block"]),
    maxLineBytes: size(
      flags,
      "max-line",
      formatSize(Math.min(DEFAULT_MAX_LINE, longestLine)),
      MIN_MAX_LINE,
      longestLine,
    ),
    output,
    format,
    markers: !flags.has("no-markers"),
    drainTimeoutMs: drainTimeout(flags),
    report: choice(flags, "report", ["text", "json", "none"]),
    reportIntervalMs: duration(flags, "report-interval", "10s", MIN_REPORT_INTERVAL_MS),
    progress: flags.has("progress"),
    metrics: listenAddress(flags),
    failOnLoss: flags.has("fail-on-loss"),
    container,
    outputFolders: container && output.kind === "file"
      ? namedFolders(outputText, container)
      : [],
  };
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

function drainTimeout(flags: RawFlags): number {
  const ms = duration(flags, "drain-timeout", "10s", 0);
  if (flags.has("containerd") && ms > MAX_DRAIN_MS) {
    throw new UsageError(
      `--drain-timeout: "${
        single(flags, "drain-timeout")
      }" is too long; at most ${MAX_DRAIN_MS}ms with --containerd, which kills its logging binary after 12s`,
    );
  }
  return ms;
}

function resolveInputs(flags: RawFlags): InputSpec[] {
  const fifos = flags.get("fifo");
  if (fifos === undefined) return [{ label: "stdout", source: STANDARD_INPUT }];
  if (fifos.length > MAX_INPUTS) {
    throw new UsageError(
      `--fifo was given ${fifos.length} times; at most ${MAX_INPUTS} work`,
    );
  }
  const named = fifos.map(parseFifo);
  for (const [index, { label, path }] of named.entries()) {
    const earlier = named.slice(0, index);
    if (earlier.some((other) => other.path === path)) {
      throw new UsageError(`--fifo "${path}" was given twice`);
    }
    if (earlier.some((other) => other.label === label)) {
      throw new UsageError(
        `two inputs are called "${label}"; name each: --fifo LABEL=PATH`,
      );
    }
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

/** Other names for the same FIFO are found when the program starts. */
function checkOwnOutput({ name, readableAt }: Destination, inputs: readonly InputSpec[]) {
  for (const { source } of inputs) {
    if (source.kind !== "fifo" || source.path !== readableAt) continue;
    throw new UsageError(
      `--output: ${name} is what --fifo reads, and what is written would be read again for ever; write to another place`,
    );
  }
}

function checkLabels(format: FormatName, inputs: readonly InputSpec[]): void {
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

function resolveRotation(flags: RawFlags): RotationSettings | undefined {
  if (!flags.has("max-size")) {
    for (const name of ["max-files", "compress"] as const) {
      if (flags.has(name)) {
        throw new UsageError(
          `--${name} goes with --max-size: without it a file is never rotated`,
        );
      }
    }
    return undefined;
  }
  const rotation = {
    maxBytes: size(flags, "max-size", "", 1, MAX_MAX_SIZE),
    maxFiles: count(flags, "max-files", "5", MAX_MAX_FILES),
    compress: flags.has("compress"),
  };
  if (rotation.compress && rotation.maxFiles === 1) {
    throw new UsageError(
      "--compress needs --max-files 2 or more: a single file is emptied when it is full",
    );
  }
  return rotation;
}

/** Something like a URL is a mistyped destination, not the name of a file. */
function destination(text: string, settings: OutputSettings): Destination {
  const found = parseDestination(text, settings);
  if (found.kind === "file" && /^[a-z][a-z0-9+]*:/.test(text)) {
    throw new UsageError(
      `"${text}" is no destination that is known; see --help, or write ./${text} for a file`,
    );
  }
  return found;
}

/** `HOST:PORT`, `[IPV6]:PORT`, `:PORT` or `PORT`. */
function listenAddress(flags: RawFlags): ListenAddress | undefined {
  const text = single(flags, "metrics");
  if (text === undefined) return undefined;
  const match = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9_.-]*)):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > MAX_PORT) {
    throw new UsageError(
      `--metrics: "${text}" is not an address to listen on; write a port such as 9464, or HOST:PORT such as 0.0.0.0:9464 or [::1]:9464`,
    );
  }
  return { host: match[1] || match[2] || LOOPBACK, port };
}

function single(flags: RawFlags, name: FlagName): string | undefined {
  return flags.get(name)?.[0];
}

/** Adds the flag's name to what is wrong with its value. */
function checked<T>(name: FlagName, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`--${name}: ${error.message}`);
    throw error;
  }
}

function size(
  flags: RawFlags,
  name: FlagName,
  standard: string,
  min: number,
  max: number,
): number {
  return checked(name, () => {
    const text = single(flags, name) ?? standard;
    const bytes = parseSize(text);
    if (bytes < min || bytes > max) {
      throw new UsageError(
        `"${text}" is out of bounds; write a size from ${formatSize(min)} to ${
          formatSize(max)
        }`,
      );
    }
    return bytes;
  });
}

/** A whole number from 1 on. */
function count(flags: RawFlags, name: FlagName, standard: string, max: number): number {
  const text = single(flags, name) ?? standard;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > max) {
    throw new UsageError(`--${name}: "${text}" is not a number from 1 to ${max}`);
  }
  return value;
}

function duration(
  flags: RawFlags,
  name: FlagName,
  standard: string,
  minMs: number,
): number {
  return checked(name, () => {
    const text = single(flags, name) ?? standard;
    const ms = parseDuration(text);
    if (ms < minMs) throw new UsageError(`"${text}" is too short; at least ${minMs}ms`);
    return ms;
  });
}

function choice<T extends string>(
  flags: RawFlags,
  name: FlagName,
  known: readonly T[],
  standard: T = known[0]!,
): T {
  const text = single(flags, name) ?? standard;
  const found = known.find((word) => word === text);
  if (found === undefined) {
    throw new UsageError(`--${name}: "${text}" is not one of ${known.join(", ")}`);
  }
  return found;
}
