/** What follows `--` on the command line: a program to start, whose streams are read. */

import type { CommandSpec } from "../child/command.ts";
import { UsageError } from "../errors.ts";
import { FORMAT_NAMES, namesInput } from "../formats/formats.ts";
import type { InputSpec } from "../input/input_spec.ts";
import { kindOf } from "../output/sinks.ts";
import { STANDARD_ERROR, STANDARD_OUTPUT } from "../output/stdout_sink.ts";
import { LineTurn } from "../threads/line_turn.ts";
import { type ResolvedOutput, resolveOutputs } from "./output.ts";
import type { RawFlags } from "./parse.ts";
import { choice } from "./values.ts";

/** Where the flags end and the command begins. */
const SEPARATOR = "--";

export interface CommandLine {
  /** What is meant for this program. */
  readonly args: readonly string[];
  /** The program to start and its arguments; undefined where there is no `--`. */
  readonly words: readonly string[] | undefined;
}

/** Parts the flags of this program from the command that it is to start. */
export function splitCommand(all: readonly string[]): CommandLine {
  const at = all.indexOf(SEPARATOR);
  return at < 0
    ? { args: all, words: undefined }
    : { args: all.slice(0, at), words: all.slice(at + 1) };
}

/** A thousand inputs are not a line that anybody reads. */
const MAX_WRITTEN = 1000;

/** The query of a URL; settings that follow it name files, and no keys. */
const QUERY = /(https?:\/\/[^?#]*)\?[^#]*/gi;

/**
 * As it was typed, but without what may be secret: the query of a URL, and the arguments
 * of the command.
 */
export function written({ args, words }: CommandLine): string {
  const shown = args.map((arg) => arg.replace(QUERY, "$1"));
  const command = words === undefined ? [] : [SEPARATOR, ...words.slice(0, 1)];
  const text = ["spillway", ...shown, ...command].join(" ");
  return text.length <= MAX_WRITTEN ? text : `${text.slice(0, MAX_WRITTEN)}…`;
}

/** @throws UsageError where there is no command, or something else to read as well. */
export function checkCommand(flags: RawFlags, { words }: CommandSpec): void {
  if (!words[0]) {
    throw new UsageError(
      "a command follows --, as in: spillway --output app.log -- /app --port 80",
    );
  }
  for (const name of ["fifo", "containerd", "create", "once", "recover"] as const) {
    if (!flags.has(name)) continue;
    throw new UsageError(
      `--${name} and a command after -- do not go together; leave one of them out`,
    );
  }
}

/** What is read of a command. */
export function streamsOf({ stdout, stderr }: CommandSpec): readonly InputSpec[] {
  return [
    streamOf("stdout", stdout, "the command's standard output"),
    streamOf("stderr", stderr, "the command's standard error"),
  ];
}

/**
 * Where a command's two streams go. Without --output they go where they would go if the
 * command ran alone, and reports come between their lines.
 *
 * @throws UsageError
 */
export function commandOutputs(
  flags: RawFlags,
  streams: readonly InputSpec[],
  { sharedOutput }: CommandSpec,
): readonly ResolvedOutput[] {
  if (flags.has("output")) return resolveOutputs(flags, streams, undefined).map(together);
  const turn = LineTurn.create().memory;
  if (sharedOutput) {
    return resolveOutputs(flags, streams, undefined).map(together)
      .map((route) => ({ ...route, output: { ...STANDARD_OUTPUT, turn } }));
  }
  return [...resolveOutputs(flags, streams.slice(0, 1), undefined), {
    inputs: streams.slice(1),
    output: { ...STANDARD_ERROR, turn },
    outputFolders: [],
    format: choice(flags, "format", FORMAT_NAMES, kindOf(STANDARD_ERROR).format),
  }];
}

function streamOf(label: string, number: number, name: string): InputSpec {
  return { label, source: { kind: "descriptor", number, name } };
}

/**
 * Where nothing in the output says which stream a line is of, both are read from one
 * pipe: then lines come in the order in which the command has written them.
 */
function together(route: ResolvedOutput): ResolvedOutput {
  return namesInput(route.format)
    ? route
    : { ...route, inputs: route.inputs.slice(0, 1) };
}
