/** Reading the values of single flags; each names the flag in what it throws. */

import { UsageError } from "../errors.ts";
import { formatSize, parseDuration, parseSize } from "../units.ts";
import { type FlagName, FLAGS } from "./flags.ts";
import { whatWasMeant } from "./meant.ts";
import type { RawFlags } from "./parse.ts";

/** The value as it was given; undefined where the flag was not given. */
export function single(flags: RawFlags, name: FlagName): string | undefined {
  return flags.get(name)?.[0];
}

/** As the help names it. */
function defaultOf(name: FlagName): string {
  return FLAGS.find((flag) => flag.name === name)?.default ?? "";
}

/** Adds the flag's name to what is wrong with its value. */
export function checked<T>(name: FlagName, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`--${name}: ${error.message}`);
    throw error;
  }
}

/**
 * In bytes.
 *
 * @param standard what a flag means that was not given
 * @param whyMax what the largest size comes from, if that can be changed
 */
export function size(
  flags: RawFlags,
  name: FlagName,
  min: number,
  max: number,
  standard = defaultOf(name),
  whyMax?: string,
): number {
  return checked(name, () => {
    const text = single(flags, name) ?? standard;
    const bytes = parseSize(text);
    if (bytes < min || bytes > max) {
      throw new UsageError(
        `"${text}" is out of bounds; write a size from ${formatSize(min)} to ${
          formatSize(max)
        }${whyMax === undefined ? "" : `, ${whyMax}`}`,
      );
    }
    return bytes;
  });
}

/** A whole number from 1 on. */
export function count(flags: RawFlags, name: FlagName, max: number): number {
  const text = single(flags, name) ?? defaultOf(name);
  const value = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > max) {
    throw new UsageError(`--${name}: "${text}" is not a number from 1 to ${max}`);
  }
  return value;
}

/** In milliseconds. */
export function duration(flags: RawFlags, name: FlagName, minMs: number): number {
  return checked(name, () => {
    const text = single(flags, name) ?? defaultOf(name);
    const ms = parseDuration(text);
    if (ms < minMs) throw new UsageError(`"${text}" is too short; at least ${minMs}ms`);
    return ms;
  });
}

/** One of the words in `known`. @param standard as for `size` */
export function choice<T extends string>(
  flags: RawFlags,
  name: FlagName,
  known: readonly T[],
  standard = defaultOf(name),
): T {
  const text = single(flags, name) ?? standard;
  const found = known.find((word) => word === text);
  if (found === undefined) {
    throw new UsageError(
      `--${name}: "${text}" is not one of ${known.join(", ")}${whatWasMeant(name, text)}`,
    );
  }
  return found;
}
