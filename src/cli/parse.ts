import { parseArgs } from "node:util";
import { UsageError } from "../errors.ts";
import { type Flag, type FlagName, FLAGS } from "./flags.ts";
import { nearestFlag } from "./suggestion.ts";

/** Its arguments are made from the keys and values of a URL. */
const FROM_URL = "--containerd";

/** What stands on the command line, unchecked: values in the order they were given. */
export type RawFlags = ReadonlyMap<FlagName, readonly string[]>;

/**
 * Sorts the arguments by flag.
 *
 * @throws UsageError for an unknown flag, a stray argument, a missing or
 * superfluous value, and a single flag that is given twice.
 */
export function parseFlags(args: readonly string[]): RawFlags {
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(FLAGS.map((flag) => [flag.name, {
      type: flag.value === undefined ? "boolean" : "string",
      ...(flag.short === undefined ? {} : { short: flag.short }),
    }])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const found = new Map<FlagName, string[]>();
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      if (token.value === "" && isContainerd(args)) continue;
      throw new UsageError(
        `"${token.value}" is not a flag; input comes from standard input or --fifo, see --help`,
      );
    }
    const flag = FLAGS.find((flag) => flag.name === token.name);
    if (flag === undefined) {
      const near = nearestFlag(token.name);
      throw new UsageError(
        `unknown flag ${token.rawName}; ${
          near === undefined ? "see --help" : `did you mean --${near}?`
        }`,
      );
    }
    const values = found.get(flag.name) ?? [];
    if (values.length > 0 && !flag.repeatable) {
      throw new UsageError(`--${flag.name} was given twice; it may be given once`);
    }
    values.push(valueOf(flag, token.value, token.inlineValue));
    found.set(flag.name, values);
  }
  return found;
}

/**
 * Refuses what would do something else than log, in a log URI.
 *
 * @throws UsageError
 */
export function checkLogUri(args: readonly string[]): void {
  if (!isContainerd(args)) {
    throw new UsageError(
      "the log URI does not say --containerd=, as in binary:///path/spillway?--containerd=&--output=/var/log/{id}.log",
    );
  }
  const other = args.find((arg) => /^(-h|--help|-V|--version)$/.test(arg));
  if (other !== undefined) {
    throw new UsageError(`${other} has no place in a log URI; nobody would read it`);
  }
}

/** True for a logging binary, whose flags without a value come with an empty one. */
export function isContainerd(args: readonly string[]): boolean {
  return args.includes(FROM_URL);
}

function valueOf(
  flag: Flag,
  value: string | undefined,
  inline: boolean | undefined,
): string {
  if (flag.value === undefined) {
    if (value !== undefined) {
      throw new UsageError(`--${flag.name} takes no value, but was given "${value}"`);
    }
    return "";
  }
  const isNextFlag = !inline && value !== undefined && /^-./.test(value);
  if (value === undefined || value === "" || isNextFlag) {
    throw new UsageError(`--${flag.name} needs a value: --${flag.name} ${flag.value}`);
  }
  return value;
}
