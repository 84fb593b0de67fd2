/** What control does with the lanes of a run that was killed, without their files. */

import type { Lane } from "../../src/lane/lane.ts";
import { beginWithLine, LeftLane } from "../../src/lane/left_lane.ts";

export interface KeptLane {
  /** Number of its input. */
  readonly index: number;
  readonly lane: Lane;
  /** The run that has read what is in it. */
  readonly run: string;
  readonly isLeft: boolean;
  /** Nothing is to be put into its ring. */
  readonly ended?: boolean;
  /** It began with an unfinished line that another had. */
  readonly carried?: { readonly from: Lane; readonly lineAt: number };
}

/** As a run finds them: those that hold something, and the new ones after them. */
export function goOn(
  before: readonly KeptLane[],
  fresh: readonly Lane[],
  run: string,
  maxLineBytes: number,
): KeptLane[] {
  const found = before.flatMap((kept) => {
    const { lineAt } = before.find(({ carried }) =>
      carried?.from === kept.lane
    )?.carried ?? {};
    const left = new LeftLane(kept.lane, true, lineAt);
    return left.isEmpty ? [] : [{ kept, left }];
  });
  const made = fresh.map((lane, index): KeptLane => {
    const last = found.findLast(({ kept }) => kept.index === index);
    const bytes = last?.left.unfinishedBytes ?? 0;
    if (last === undefined || bytes === 0 || bytes > maxLineBytes) {
      return { index, lane, run, isLeft: false };
    }
    const carried = { from: last.kept.lane, lineAt: last.left.unfinishedAt };
    beginWithLine(lane, last.left.takeUnfinished(), last.left.unfinishedTime);
    return { index, lane, run, isLeft: false, carried };
  });
  for (const { left } of found) left.prepare(1);
  const left = found.map(({ kept, left: { ended } }) => ({
    ...kept,
    isLeft: true,
    ended,
  }));
  return [...left, ...made];
}
