import type { Container } from "../containerd/container.ts";
import { UsageError } from "../errors.ts";
import { FORMAT_NAMES, type FormatName } from "../formats/formats.ts";
import type { InputSpec } from "../input/input_spec.ts";
import { OutputNames } from "../output/output_names.ts";
import { type Destination, type RotationSettings } from "../output/sink.ts";
import { kindOf, parseDestination, shownOutput } from "../output/sinks.ts";
import { hostName } from "../system/process.ts";
import type { RawFlags } from "./parse.ts";
import { expand, namedFolders, type Placeholders } from "./placeholders.ts";
import { checked, choice, count, single, size } from "./values.ts";

const MAX_MAX_SIZE = 2 ** 50;
/** Each rotation renames them all. */
const MAX_MAX_FILES = 1000;

/** Which inputs go where, and how. */
export interface ResolvedOutput {
  readonly inputs: readonly InputSpec[];
  readonly output: Destination;
  /** Folders that placeholders name; made when missing. */
  readonly outputFolders: readonly string[];
  readonly format: FormatName;
}

/** Where the output names its input, every input has an output of its own. */
const PER_INPUT = "{input}";

/** True where every input has an output of its own. */
export function isPerInput(flags: RawFlags): boolean {
  return (single(flags, "output") ?? "-").includes(PER_INPUT);
}

/** @throws UsageError when that cannot be meant. */
export function resolveOutputs(
  flags: RawFlags,
  inputs: readonly InputSpec[],
  container: Container | undefined,
): readonly ResolvedOutput[] {
  const text = single(flags, "output") ?? "-";
  if (!isPerInput(flags)) return [resolveOutput(flags, inputs, container)];
  const outputs = inputs.map((input) => resolveOutput(flags, [input], container));
  const names = new OutputNames();
  for (const { output, inputs: [input] } of outputs) {
    const obstacle = names.take(input?.label ?? "", output);
    if (obstacle === undefined) continue;
    throw new UsageError(
      `--output "${
        shownOutput(text)
      }": of the inputs ${obstacle}; give them other labels`,
    );
  }
  return outputs;
}

/** One output for all of these inputs. @throws UsageError as `resolveOutputs` */
export function resolveOutput(
  flags: RawFlags,
  inputs: readonly InputSpec[],
  container: Container | undefined,
): ResolvedOutput {
  const rotation = resolveRotation(flags);
  const text = single(flags, "output") ?? "-";
  const placeholders = placeholdersOf(inputs, container);
  const output = withOwnName(
    text,
    checked(
      "output",
      () => parseDestination(expand(text, placeholders), { rotation }),
    ),
    inputs[0]?.label ?? "",
  );
  const { formats = FORMAT_NAMES, format, isFile } = kindOf(output);
  if (rotation !== undefined && !isFile) {
    throw new UsageError(
      `--max-size goes with --output PATH: ${output.name} cannot be rotated`,
    );
  }
  return {
    inputs,
    output,
    outputFolders: isFile ? namedFolders(text, placeholders) : [],
    format: choice(flags, "format", formats, format),
  };
}

/**
 * What a destination is called says nothing of its settings, nor of what a server is
 * asked for, which may hold a key. Where only they tell the outputs of inputs apart, as in
 * `syslog://HOST?tag={input}`, they are called by their inputs, too.
 */
function withOwnName(template: string, output: Destination, label: string): Destination {
  const [place, rest] = /^([a-z][a-z+]*:[^?#]*)(.*)$/s.exec(template)?.slice(1) ?? [];
  const isOnlyInRest = rest?.includes(PER_INPUT) && !place?.includes(PER_INPUT);
  return isOnlyInRest ? { ...output, name: `${output.name} (${label})` } : output;
}

/** What names mean, those of the first input among them. */
export function placeholdersOf(
  [input]: readonly InputSpec[],
  container: Container | undefined,
): Placeholders {
  return {
    ...(input && { input: () => input.label }),
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
