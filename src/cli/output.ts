import type { Container } from "../containerd/container.ts";
import { UsageError } from "../errors.ts";
import { FORMAT_NAMES, type FormatName } from "../formats/formats.ts";
import { type Destination, type RotationSettings } from "../output/sink.ts";
import { kindOf, parseDestination } from "../output/sinks.ts";
import { hostName } from "../system/process.ts";
import type { RawFlags } from "./parse.ts";
import { expand, namedFolders, type Placeholders } from "./placeholders.ts";
import { checked, choice, count, single, size } from "./values.ts";

const MAX_MAX_SIZE = 2 ** 50;
/** Each rotation renames them all. */
const MAX_MAX_FILES = 1000;

/** Where to write, and how. @throws UsageError when that cannot be meant. */
export function resolveOutput(flags: RawFlags, container: Container | undefined): {
  readonly output: Destination;
  /** Folders that placeholders name; made when missing. */
  readonly outputFolders: readonly string[];
  readonly format: FormatName;
} {
  const rotation = resolveRotation(flags);
  const text = single(flags, "output") ?? "-";
  const placeholders = placeholdersOf(container);
  const output = checked(
    "output",
    () => parseDestination(expand(text, placeholders), { rotation }),
  );
  if (rotation !== undefined && output.kind !== "file") {
    throw new UsageError(
      `--max-size goes with --output PATH: ${output.name} cannot be rotated`,
    );
  }
  const { formats = FORMAT_NAMES, format } = kindOf(output);
  return {
    output,
    outputFolders: output.kind === "file" ? namedFolders(text, placeholders) : [],
    format: choice(flags, "format", formats, format),
  };
}

function placeholdersOf(container: Container | undefined): Placeholders {
  return {
    host: hostName,
    ...(container && { id: () => container.id, namespace: () => container.namespace }),
  };
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
    maxBytes: size(flags, "max-size", 1, MAX_MAX_SIZE),
    maxFiles: count(flags, "max-files", MAX_MAX_FILES),
    compress: flags.has("compress"),
  };
  if (rotation.compress && rotation.maxFiles === 1) {
    throw new UsageError(
      "--compress needs --max-files 2 or more: a single file is emptied when it is full",
    );
  }
  return rotation;
}
