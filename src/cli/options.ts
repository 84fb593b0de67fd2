import {
  type Container,
  type ContainerEnvironment,
  containerOf,
} from "../containerd/container.ts";
import type { CommandSpec } from "../child/command.ts";
import { MAX_DRAIN_MS } from "../containerd/shim.ts";
import { UsageError } from "../errors.ts";
import { MAX_PORT } from "../host_port.ts";
import type { ListenAddress } from "../runtime/tcp_listener.ts";
import { MAX_CAPACITY, MIN_CAPACITY } from "../lane/lane.ts";
import type { FullPolicy } from "../lane/ring_producer.ts";
import type { Plan, RoutePlan } from "../plan.ts";
import { type InputSpec, STANDARD_INPUT } from "../input/input_spec.ts";
import type { FileKind } from "../system/file_status.ts";
import { kindOf } from "../output/sinks.ts";
import { formatSize } from "../units.ts";
import { checkCommand, commandOutputs, streamsOf } from "./command.ts";
import {
  checkLabels,
  checkOwnOutputs,
  type IsFolder,
  looksLikeFolder,
  resolveInputs,
} from "./inputs.ts";
import {
  isPerInput,
  placeholdersOf,
  type ResolvedOutput,
  resolveOutput,
  resolveOutputs,
} from "./output.ts";
import type { RawFlags } from "./parse.ts";
import { expand, namedFolders } from "./placeholders.ts";
import { checked, choice, duration, single, size } from "./values.ts";

/** What the kernel can be asked for at all: F_SETPIPE_SZ is an int. */
const MAX_PIPE_SIZE = 2 ** 30;
const MIN_PIPE_SIZE = 4096;
const DEFAULT_MAX_LINE = 64 * 1024;
const MIN_MAX_LINE = 64;
/** Four longest lines must fit the ring, or one could push out all the others. */
const LINES_PER_RING = 4;
const MIN_REPORT_INTERVAL_MS = 100;

const POLICIES: readonly FullPolicy[] = ["overwrite", "drop-newest", "block"];

/** Metrics are for this machine unless an address is given. */
const LOOPBACK = "127.0.0.1";

/**
 * Checks every value that can be checked without touching the system.
 *
 * @param environment looked at with --containerd only
 * @param standardInput what it is, where that is known
 * @param command what follows -- on the command line
 * @param isFolder whether --fifo names a folder
 * @throws UsageError that names the flag, the value and what would be right.
 */
export function resolvePlan(
  flags: RawFlags,
  environment: ContainerEnvironment = {},
  standardInput?: FileKind,
  command?: CommandSpec,
  isFolder: IsFolder = looksLikeFolder,
): Plan {
  if (command !== undefined) checkCommand(flags, command);
  if (flags.has("recover")) checkRecover(flags);
  const container = flags.has("containerd") ? containerOf(environment) : undefined;
  const read = command === undefined
    ? resolveInputs(flags, isFolder)
    : { inputs: streamsOf(command), folders: [] };
  const { inputs, folders } = read;
  const usualPolicy = isWriterless(inputs, standardInput) ? "block" : "overwrite";
  const routeTo = (route: ResolvedOutput) => routePlan(flags, route, usualPolicy);
  const outputs = command === undefined
    ? resolveOutputs(flags, inputs, container)
    : commandOutputs(flags, inputs, command);
  const routes = outputs.map(routeTo);
  const routeOf = (input: InputSpec) => {
    const route = isPerInput(flags)
      ? routeTo(resolveOutput(flags, [input], container))
      : routes[0]!;
    checkLabels(route.format, [input]);
    return route;
  };
  const like = routes[0] ?? routeTo(resolveOutput(flags, [EXAMPLE], container));
  checkOwnOutputs([like, ...routes].map(({ output }) => output), read);
  for (const { format, inputs: own } of routes) checkLabels(format, own);
  return {
    routes,
    folders: folders.length === 0
      ? undefined
      : { paths: folders, perInput: isPerInput(flags), like, routeOf },
    create: flags.has("create"),
    once: flags.has("once"),
    pipeSizeBytes: size(flags, "pipe-size", MIN_PIPE_SIZE, MAX_PIPE_SIZE),
    drainTimeoutMs: drainTimeout(flags),
    report: choice(flags, "report", ["text", "json", "none"]),
    quiet: command !== undefined && !flags.has("output") && !flags.has("report"),
    reportIntervalMs: duration(flags, "report-interval", MIN_REPORT_INTERVAL_MS),
    progress: flags.has("progress"),
    metrics: listenAddress(flags),
    failOnLoss: flags.has("fail-on-loss"),
    ...keepIn(flags, container, folders),
    recover: single(flags, "recover"),
    separate: isPerInput(flags) ? routeOf : undefined,
    container,
  };
}

/** What an input may be, where none is known yet. */
const EXAMPLE: InputSpec = { label: "LABEL", source: STANDARD_INPUT };

/** @param usualPolicy what --when-full means that was not given */
function routePlan(
  flags: RawFlags,
  route: ResolvedOutput,
  usualPolicy: FullPolicy,
): RoutePlan {
  const capacityBytes = size(flags, "capacity", MIN_CAPACITY, MAX_CAPACITY);
  const longest = Math.floor(capacityBytes / LINES_PER_RING);
  const usual = Math.min(kindOf(route.output).maxLineBytes ?? DEFAULT_MAX_LINE, longest);
  return {
    ...route,
    capacityBytes,
    whenFull: choice(flags, "when-full", POLICIES, usualPolicy),
    maxLineBytes: size(
      flags,
      "max-line",
      MIN_MAX_LINE,
      longest,
      formatSize(usual),
      "a quarter of --capacity",
    ),
    markers: !flags.has("no-markers"),
  };
}

/** The folder, and those in its path that placeholders name. */
function keepIn(
  flags: RawFlags,
  container: Container | undefined,
  inputFolders: readonly string[],
): Pick<Plan, "keep" | "keepFolders"> {
  const folder = single(flags, "keep");
  if (folder === undefined) return { keep: undefined, keepFolders: [] };
  if (inputFolders.length > 0) {
    throw new UsageError(
      `--keep does not go with a folder of named pipes, such as "${
        inputFolders[0]
      }"; name each pipe: --fifo LABEL=PATH`,
    );
  }
  const placeholders = placeholdersOf([], container);
  return checked("keep", () => ({
    keep: expand(folder, placeholders),
    keepFolders: namedFolders(folder, placeholders),
  }));
}

/** @throws UsageError for what would be read beside the file. */
function checkRecover(flags: RawFlags): void {
  for (const name of ["fifo", "create", "once", "containerd", "keep"] as const) {
    if (!flags.has(name)) continue;
    throw new UsageError(
      `--${name} and --recover do not go together: only what the file holds is read`,
    );
  }
}

/** A regular file has no writer that could be held up, and is there to be read whole. */
function isWriterless(inputs: readonly InputSpec[], standardInput?: FileKind): boolean {
  return standardInput === "file" && inputs[0]?.source === STANDARD_INPUT;
}

function drainTimeout(flags: RawFlags): number {
  const ms = duration(flags, "drain-timeout", 0);
  if (flags.has("containerd") && ms > MAX_DRAIN_MS) {
    throw new UsageError(
      `--drain-timeout: "${
        single(flags, "drain-timeout")
      }" is too long; at most ${MAX_DRAIN_MS}ms with --containerd, which kills its logging binary after 12s`,
    );
  }
  return ms;
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
