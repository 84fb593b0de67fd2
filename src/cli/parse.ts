// @ts-types="./std_cli_parse_args.d.ts"
import { parseArgs } from "@std/cli/parse-args";
import { UsageError } from "../errors.ts";
import { type Flag, type FlagName, FLAGS } from "./flags.ts";
import { nearestFlag } from "./suggestion.ts";

/** Its arguments are made from the keys and values of a URL. */
const FROM_URL = "--containerd";

/** What the command line says, unchecked: values in the order they were given. */
export type RawFlags = ReadonlyMap<FlagName, readonly string[]>;

const ALL: readonly Flag[] = FLAGS;
const NAMES = ALL.map(({ name }) => name);
const WITH_VALUE = ALL.filter(takesValue).map(({ name }) => name);
const WITHOUT_VALUE = NAMES.filter((name) => !WITH_VALUE.includes(name));
const SHORT_NAMES = Object.fromEntries(
  ALL.flatMap(({ name, short }) => short === undefined ? [] : [[name, short]]),
);

/**
 * Sorts the arguments by flag.
 *
 * @throws UsageError for an unknown flag, a stray argument, a missing or
 * superfluous value, and a single flag that is given twice.
 */
export function parseFlags(args: readonly string[]): RawFlags {
  const parsed = parseArgs(strict(args), {
    string: [...WITH_VALUE, "_"],
    boolean: WITHOUT_VALUE,
    collect: NAMES,
    alias: SHORT_NAMES,
    unknown: (arg, key) => {
      if (key !== undefined) throw unknownFlag(arg.startsWith("--") ? arg : `-${key}`);
    },
  });
  const found = new Map<FlagName, readonly string[]>();
  for (const flag of inOrder(parsed)) {
    const values = parsed[flag.name]!.map((value) => valueOf(flag, value));
    if (values.length === 0) continue;
    if (values.length > 1 && !flag.repeatable) {
      throw new UsageError(`--${flag.name} was given twice; it may be given once`);
    }
    found.set(flag.name, values);
  }
  const stray = parsed._.find((arg) => arg !== "" || !isContainerd(args));
  if (stray !== undefined) throw strayArgument(stray);
  return found;
}

/**
 * The arguments as parseArgs takes them at their word. By itself it finds no value in
 * `--output -`, and is kind to mistakes: `--once=no` and `--once true` are `--once`
 * to it, and `--no-output=x` is `--output=x`.
 *
 * @throws UsageError for these mistakes
 */
function strict(args: readonly string[]): string[] {
  const taken: string[] = [];
  for (const [index, given] of args.entries()) {
    const isForFlag = takesNext(args[index - 1]);
    const arg = isForFlag ? given : withoutShortcut(given);
    if (!isForFlag && isLongWithOneDash(arg)) throw unknownFlag(arg);
    const [, name, value] = /^--([^=]+)=(.*)$/s.exec(arg) ?? [];
    const flag = ALL.find((flag) => flag.name === name);
    if (name !== undefined && flag === undefined) throw unknownFlag(arg);
    if (flag !== undefined) valueOf(flag, value);
    if (!isForFlag && /^(true|false)$/.test(arg)) throw strayArgument(arg);
    if (isForFlag && arg === "-") taken[taken.length - 1] += "=-";
    else taken.push(arg);
  }
  return taken;
}

/**
 * Such as `-help`. Nor is the value of a short flag taken from behind it: `-oapp.log` is
 * too near to `-once`, which means `--once` and not a file that is called `nce`.
 */
function isLongWithOneDash(arg: string): boolean {
  if (!/^-[A-Za-z][^=]/.test(arg)) return false;
  const letters = ALL.filter((flag) => !takesValue(flag)).map(({ short }) => short);
  return ![...arg.slice(1)].every((letter) => letters.includes(letter));
}

/** `-q` is `--report=none`. */
function withoutShortcut(arg: string): string {
  const flag = ALL.find(({ shortcut }) => arg === `-${shortcut?.letter}`);
  return flag === undefined ? arg : `--${flag.name}=${flag.shortcut!.value}`;
}

/** The flags that were given, the first one first. */
function inOrder(parsed: object): (Flag & { readonly name: FlagName })[] {
  return Object.keys(parsed).flatMap((key) =>
    FLAGS.find(({ name }) => name === key) ?? []
  );
}

/** True where the next argument is a value. */
function takesNext(arg: string | undefined): boolean {
  return ALL.some((flag) =>
    takesValue(flag) && (arg === `--${flag.name}` || arg === `-${flag.short}`)
  );
}

function takesValue(flag: Flag): boolean {
  return flag.value !== undefined;
}

function unknownFlag(arg: string): UsageError {
  const [, dashes = "", name = ""] = /^(--?)(.[^=]*)/s.exec(arg) ?? [];
  const short = ALL.find((flag) => flag.short === name[0] && takesValue(flag))?.short;
  const near = nearestFlag(name);
  if (dashes === "-" && name.length > 1 && near === undefined && short !== undefined) {
    return new UsageError(
      `unknown flag -${name}; did you mean -${short} ${name.slice(1)}?`,
    );
  }
  return new UsageError(
    `unknown flag ${dashes}${name}; ${
      near === undefined ? "see --help" : `did you mean --${near}?`
    }`,
  );
}

function strayArgument(arg: string): UsageError {
  return new UsageError(
    `"${arg}" is not a flag; input comes from standard input, --fifo or a command after --, see --help`,
  );
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
    throw new UsageError(
      `${other} does not belong in a log URI: nobody would see what it prints`,
    );
  }
}

/** True for a logging binary, whose flags without a value come with an empty one. */
export function isContainerd(args: readonly string[]): boolean {
  return args.includes(FROM_URL);
}

/** @param value what parseArgs has found, `true` for a flag by itself */
function valueOf(flag: Flag, value: unknown): string {
  if (!takesValue(flag)) {
    if (typeof value !== "string") return "";
    throw new UsageError(`--${flag.name} takes no value, but was given "${value}"`);
  }
  if (typeof value === "string" && value !== "") return value;
  throw new UsageError(`--${flag.name} needs a value: --${flag.name} ${flag.value}`);
}
