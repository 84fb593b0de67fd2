import type { Point } from "./status.ts";

/** What a chart shows, in the units of its `viewBox`: a second is one unit wide. */
export const CHART_SECONDS = 120;
export const CHART_HEIGHT = 100;
/** The rest above it is where losses are marked. */
const CURVE_HEIGHT = 88;
const MARK_HEIGHT = 8;

/** The paths of one chart, and the rate that its highest point stands for. */
export interface Chart {
  /** Below the curve of what came in: seen also where both curves are one. */
  readonly area: string;
  readonly in: string;
  readonly out: string;
  readonly lost: string;
  readonly topPerSecond: number;
}

/** @param points the oldest first; those before the two minutes are left out */
export function chartOf(points: readonly Point[], nowMs: number): Chart {
  const shown = points.filter(([timeMs]) => nowMs - timeMs <= CHART_SECONDS * 1000);
  const topPerSecond = Math.max(0, ...shown.map(([, in_, out]) => Math.max(in_, out)));
  const x = ([timeMs]: Point) => tenth(CHART_SECONDS - (nowMs - timeMs) / 1000);
  const y = (rate: number) =>
    tenth(CHART_HEIGHT - (topPerSecond === 0 ? 0 : CURVE_HEIGHT * rate / topPerSecond));
  const curve = (rate: (point: Point) => number) =>
    shown.map((point) => `${x(point)} ${y(rate(point))}`).join("L");
  const [first, last] = [shown[0], shown.at(-1)];
  if (first === undefined || last === undefined) {
    return { area: "", in: "", out: "", lost: "", topPerSecond };
  }
  const cameIn = curve(([, in_]) => in_);
  const [left, right] = [x(first), x(last)];
  return {
    area: `M${left} ${CHART_HEIGHT}L${cameIn}L${right} ${CHART_HEIGHT}Z`,
    in: `M${cameIn}`,
    out: `M${curve(([, , out]) => out)}`,
    lost: shown.filter(([, , , lost]) => lost > 0)
      .map((point) => `M${tenth(x(point) - 1)} 0h1v${MARK_HEIGHT}h-1z`).join(""),
    topPerSecond,
  };
}

/** Short to write, and finer than a pixel. */
function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
