/** The part of @std/cli/parse-args that is used; its npm package carries no types. */

export interface ParseOptions {
  /** Flags with a value; one without it gets an empty string. `_`: leave numbers text. */
  readonly string: readonly string[];
  /** Flags without a value. */
  readonly boolean: readonly string[];
  /** Flags that become the list of all their values, empty where they are not given. */
  readonly collect: readonly string[];
  /** By a flag, its other name. */
  readonly alias: Readonly<Record<string, string>>;
  /** Called for what none of these names, and without a key for what is no flag. */
  readonly unknown: (arg: string, key?: string) => unknown;
}

/** Flags by their names, in the order they were first given, and under `_` the rest. */
export function parseArgs(
  args: readonly string[],
  options: ParseOptions,
): { readonly _: readonly string[]; readonly [name: string]: readonly unknown[] };
