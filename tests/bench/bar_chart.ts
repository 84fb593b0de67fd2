/** Plain horizontal bars as SVG, readable on light and on dark pages. */

import { escapeXml } from "../xml.ts";

export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly lowest: number;
  readonly highest: number;
  /** The subject of the chart, not one that it is compared with. */
  readonly emphasized: boolean;
}

export interface BarGroup {
  readonly name: string;
  readonly bars: readonly Bar[];
}

export interface BarChart {
  readonly title: string;
  readonly unit: string;
  readonly groups: readonly BarGroup[];
  /** When and where this was measured. */
  readonly footer: string;
}

const WIDTH = 760;
const LABEL_WIDTH = 170;
const VALUE_WIDTH = 110;
const PLOT_WIDTH = WIDTH - LABEL_WIDTH - VALUE_WIDTH;
const BAR_HEIGHT = 16;
const ROW_HEIGHT = 22;
const GROUP_HEIGHT = 34;
const TITLE_HEIGHT = 36;
const FOOTER_HEIGHT = 32;

/** Colours without a scheme are those for a viewer that does not tell. */
const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 16px; font-weight: 600 }
  .group { font-weight: 600 }
  .small { font-size: 11px; fill: #6e7781 }
  .right { text-anchor: end }
  .ours { fill: #1f6feb }
  .peer { fill: #9aa4af }
  .range { stroke: #24292f; stroke-width: 1.5 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .small { fill: #9198a1 }
    .ours { fill: #4493f8 }
    .peer { fill: #656c76 }
    .range { stroke: #e6edf3 }
  }`;

export function barChartSvg({ title, unit, groups, footer }: BarChart): string {
  const most = Math.max(...groups.flatMap(({ bars }) => bars.map((bar) => bar.highest)));
  const parts: string[] = [text(0, 20, title, "title")];
  let y = TITLE_HEIGHT;
  for (const group of groups) {
    parts.push(text(0, y + 20, group.name, "group"));
    y += GROUP_HEIGHT;
    for (const bar of group.bars) {
      parts.push(barSvg(bar, y, PLOT_WIDTH / most, unit));
      y += ROW_HEIGHT;
    }
  }
  parts.push(text(0, y + 22, footer, "small"));
  const height = y + FOOTER_HEIGHT;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">
<title>${escapeXml(title)}</title>
<style>${STYLE}
</style>
${parts.join("\n")}
</svg>
`;
}

function barSvg(bar: Bar, y: number, scale: number, unit: string): string {
  const x = (value: number) => (LABEL_WIDTH + value * scale).toFixed(1);
  const middle = y + BAR_HEIGHT / 2;
  const width = (bar.value * scale).toFixed(1);
  const value = `${new Intl.NumberFormat("en").format(rounded(bar.value))} ${unit}`;
  return [
    text(LABEL_WIDTH - 8, middle + 4, bar.name, "right"),
    `<rect class="${
      bar.emphasized ? "ours" : "peer"
    }" x="${LABEL_WIDTH}" y="${y}" width="${width}" height="${BAR_HEIGHT}" rx="2"/>`,
    `<line class="range" x1="${x(bar.lowest)}" y1="${middle}" x2="${
      x(bar.highest)
    }" y2="${middle}"/>`,
    text(Number(x(bar.highest)) + 8, middle + 4, value, ""),
  ].join("\n");
}

function rounded(value: number): number {
  return value < 10 ? Math.round(value * 100) / 100 : Math.round(value);
}

function text(x: number, y: number, content: string, style: string): string {
  return `<text class="${style}" x="${x}" y="${y}">${escapeXml(content)}</text>`;
}
