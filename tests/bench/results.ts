/** What the bench finds, in rows, and how a measure comes to them. */

import { median } from "./statistics.ts";
import type { Subject } from "./subjects.ts";

export interface Goal {
  readonly text: string;
  readonly met: boolean;
  /** A quick run is too short to tell. */
  readonly needsTime?: boolean;
}

export interface Row {
  /** What was measured, under the measure's own title. */
  readonly what: string;
  readonly subject: string;
  readonly unit: string;
  /** One for each round, or for each case of a grid. */
  readonly values: readonly number[];
  /** The cases of the grid; in the JSON only. */
  readonly cases?: readonly string[];
  /** The same divided by another's in the same round. */
  readonly ratio?: Ratio | undefined;
  readonly goal?: Goal | undefined;
}

export interface Ratio {
  readonly to: string;
  readonly values: readonly number[];
}

export interface Measure {
  /** For --only. */
  readonly name: string;
  readonly title: string;
  /** It takes time but no part of the machine: it begins with the first of all. */
  readonly alongside?: true;
  /** It takes minutes: a quick run leaves it out, unless it is named. */
  readonly isLong?: true;
  run(extent: Extent): Promise<Row[]>;
}

/** How much is measured. */
export interface Extent {
  readonly quick: boolean;
  readonly rounds: number;
}

/**
 * Runs all subjects in turns, so that what else happens on the machine happens to
 * all of them, and collects what each round found.
 */
export async function inTurns<T>(
  subjects: readonly Subject[],
  rounds: number,
  run: (subject: Subject, round: number) => Promise<T>,
): Promise<Map<string, T[]>> {
  const found = new Map<string, T[]>(subjects.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const subject of subjects) {
      found.get(subject.name)!.push(await run(subject, round));
    }
  }
  return found;
}

/** Each round's value divided by the best that one of the others had in it. */
export function ratioToBest(
  values: readonly number[],
  others: ReadonlyMap<string, readonly number[]>,
): Ratio | undefined {
  if (others.size === 0) return undefined;
  const best = values.map((_, round) =>
    Math.max(...[...others.values()].map((rounds) => rounds[round]!))
  );
  return {
    to: others.size === 1 ? [...others.keys()][0]! : "best peer",
    values: values.map((value, round) => value / best[round]!),
  };
}

/** Of a speed, which needs several rounds. */
export function atLeast(limit: number, text: string, values: readonly number[]): Goal {
  return { text, met: median(values) >= limit, needsTime: true };
}

export function atMost(
  limit: number,
  text: string,
  values: readonly number[],
  { needsTime = false } = {},
): Goal {
  return { text, met: median(values) <= limit, needsTime };
}

/** As a quick run shows them: it says nothing of goals that it cannot judge. */
export function withoutHastyGoals(rows: readonly Row[]): Row[] {
  return rows.map((row) => row.goal?.needsTime ? { ...row, goal: undefined } : row);
}
