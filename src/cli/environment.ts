/** Flags that the environment sets, as is usual in containers: `SPILLWAY_CAPACITY=64MiB`. */

import { UsageError } from "../errors.ts";
import { CREDENTIAL_VARIABLES } from "../output/http/authorization.ts";
import { type Flag, type FlagName, FLAGS } from "./flags.ts";
import type { RawFlags } from "./parse.ts";
import { nearestFlag } from "./suggestion.ts";

export const VARIABLE_PREFIX = "SPILLWAY_";

/** What a flag without a value may be set to; empty is as good as not set. */
const SWITCH = new Map<string, boolean>([
  ...["1", "true", "yes", "on"].map((word) => [word, true] as const),
  ...["0", "false", "no", "off"].map((word) => [word, false] as const),
]);

/**
 * Kubernetes sets these in every container for every service, also for one that is
 * called spillway. `SPILLWAY_PORT` alone tells nothing, its value does.
 */
const SERVICE_LINK =
  /^\w+_(SERVICE_HOST|SERVICE_PORT\w*|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;
const SERVICE_URL = /^(tcp|udp|sctp):\/\//;

/** Flags that do something else than carry logs are for the command line alone. */
export function hasVariable(flag: Flag): boolean {
  return flag.commandLineOnly === undefined;
}

/** `drain-timeout` → `SPILLWAY_DRAIN_TIMEOUT` */
export function variableOf(name: string): string {
  return VARIABLE_PREFIX + name.toUpperCase().replaceAll("-", "_");
}

/**
 * Resolves the flags of the command line, and of the environment those that the
 * command line leaves out.
 *
 * @param given on the command line
 * @param variables all whose name begins with `SPILLWAY_`
 * @throws UsageError also for a variable that sets nothing: it was meant to.
 */
export function withEnvironment<T>(
  given: RawFlags,
  variables: ReadonlyMap<string, string>,
  resolve: (flags: RawFlags) => T,
): T {
  checkNames(variables);
  const added = flagsIn(variables, given);
  try {
    return resolve(new Map([...given, ...added]));
  } catch (error) {
    throw error instanceof UsageError
      ? explained(error, added.map(([name]) => name))
      : error;
  }
}

/**
 * What the environment sets of that which is not given.
 *
 * @throws UsageError for a value that cannot be that of its flag.
 */
export function flagsIn(
  variables: ReadonlyMap<string, string>,
  given: RawFlags,
): [FlagName, readonly string[]][] {
  return FLAGS.flatMap((flag): [FlagName, readonly string[]][] => {
    const text = variables.get(variableOf(flag.name)) ?? "";
    const isSet = text !== "" && !given.has(flag.name) && hasVariable(flag);
    const values = isSet ? valuesOf(flag, text) : [];
    return values.length === 0 ? [] : [[flag.name, values]];
  });
}

function checkNames(variables: ReadonlyMap<string, string>): void {
  const known = new Set<string>(CREDENTIAL_VARIABLES);
  for (const flag of FLAGS) if (hasVariable(flag)) known.add(variableOf(flag.name));
  for (const [name, value] of variables) {
    if (known.has(name) || SERVICE_LINK.test(name)) continue;
    if (name.endsWith("_PORT") && SERVICE_URL.test(value)) continue;
    const near = nearestFlag(
      name.slice(VARIABLE_PREFIX.length).toLowerCase().replaceAll("_", "-"),
    );
    throw new UsageError(
      `unknown variable ${name} in the environment; ${
        near === undefined || !known.has(variableOf(near))
          ? "see --help for those that there are"
          : `did you mean ${variableOf(near)}?`
      }`,
    );
  }
}

function valuesOf(flag: Flag, text: string): readonly string[] {
  if (flag.value !== undefined) {
    const values = flag.repeatable ? text.split(",") : [text];
    if (!values.includes("")) return values;
    throw new UsageError(`${variableOf(flag.name)}: "${text}" has a comma too many`);
  }
  const on = SWITCH.get(text.toLowerCase());
  if (on === undefined) {
    throw new UsageError(
      `${variableOf(flag.name)}: "${text}" is not one of ${
        [...SWITCH.keys()].join(", ")
      }`,
    );
  }
  return on ? [""] : [];
}

/** Says where the flags in a message come from, since they were not typed. */
function explained(error: UsageError, added: readonly FlagName[]): UsageError {
  const sources = added
    .filter((name) => new RegExp(`--${name}(?![\\w-])`).test(error.message))
    .map((name) => `--${name} is from ${variableOf(name)}`);
  if (sources.length === 0) return error;
  return new UsageError(`${error.message} (${sources.join(", ")})`);
}
