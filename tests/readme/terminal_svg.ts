/** Draws what a terminal shows, with its colours, as SVG; several screens as a film. */

import { escapeXml } from "../xml.ts";

const CELL = { width: 8.4, height: 18 };
const FONT_PX = 14;
const MARGIN = 14;
const COLOURS: Record<string, string> = {
  text: "#d7dde5",
  background: "#161b22",
  "31": "#ff7b72",
  "32": "#56d364",
  "33": "#e3b341",
  "36": "#76c7ff",
};
/** The block elements of which the meter's bars consist, as shares of a cell. */
const BLOCKS = "▏▎▍▌▋▊▉█";
const TRACK = "░";

interface Look {
  colour: string;
  bold: boolean;
  dim: boolean;
}

/** Text in one look, without escape sequences. */
interface Run extends Look {
  readonly text: string;
}

export interface Recording {
  /** What the terminal showed, with escape sequences, and for how long. */
  readonly screens: readonly string[];
  readonly screenMs: number;
  readonly columns: number;
  readonly rows: number;
  /** The screen that is seen where nothing moves, by its index. */
  readonly still: number;
  /** What the picture shows, for those who do not see it. */
  readonly title: string;
}

export function toSvg(
  { screens, screenMs, columns, rows, still, title }: Recording,
): string {
  const width = Math.ceil(columns * CELL.width + 2 * MARGIN);
  const height = rows * CELL.height + 2 * MARGIN;
  const frames = screens.map((screen, index) => {
    // Negative, so that the film of each screen runs from the start.
    const delay = ((index - screens.length) * screenMs / 1000).toFixed(2);
    const names = index === still ? "screen still" : "screen";
    const film = screens.length === 1
      ? ""
      : ` class="${names}" style="animation-delay:${delay}s"`;
    return `<g${film}>${drawScreen(screen)}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>${escapeXml(title)}</title>
<style>
text { font: ${FONT_PX}px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; white-space: pre; }
${screens.length === 1 ? "" : filmStyle(screens.length, screenMs)}</style>
<rect width="${width}" height="${height}" rx="8" fill="${COLOURS.background}"/>
${frames.join("\n")}
</svg>
`;
}

/** Each screen is seen for its share of the film. */
function filmStyle(screens: number, screenMs: number): string {
  const seconds = (screens * screenMs / 1000).toFixed(2);
  const share = (100 / screens).toFixed(3);
  return `.screen { visibility: hidden; animation: screen ${seconds}s step-end infinite; }
.still { visibility: visible; }
@keyframes screen { 0% { visibility: visible; } ${share}%, 100% { visibility: hidden; } }
@media (prefers-reduced-motion: reduce) { .screen { animation: none; } }
`;
}

function drawScreen(screen: string): string {
  // A look goes on in the next line.
  const look: Look = { colour: "text", bold: false, dim: false };
  return screen.split("\n").map((line, row) => drawLine(runsOf(line, look), row)).join(
    "",
  );
}

function drawLine(runs: readonly Run[], row: number): string {
  let column = 0;
  let svg = "";
  for (const run of runs) {
    const pieces = run.text.match(/[▏▎▍▌▋▊▉█]+|░+|[^▏▎▍▌▋▊▉█░]+/g) ?? [];
    for (const piece of pieces) {
      svg += drawPiece(piece, run, column, row);
      column += piece.length;
    }
  }
  return svg;
}

function drawPiece(piece: string, look: Look, column: number, row: number): string {
  const x = (MARGIN + column * CELL.width).toFixed(1);
  const top = MARGIN + row * CELL.height;
  const fill = COLOURS[look.colour] ?? COLOURS.text;
  const block = (cells: number, opacity: string) =>
    `<rect x="${x}" y="${top + 3}" width="${(cells * CELL.width).toFixed(1)}" height="${
      CELL.height - 6
    }" fill="${fill}"${opacity}/>`;
  if (piece.startsWith(TRACK)) return block(piece.length, ` opacity=".25"`);
  if (BLOCKS.includes(piece[0]!)) {
    const last = (BLOCKS.indexOf(piece.at(-1)!) + 1) / BLOCKS.length;
    return block(piece.length - 1 + last, "");
  }
  if (piece.trim() === "") return "";
  const weight = look.bold ? ` font-weight="bold"` : "";
  const opacity = look.dim ? ` opacity=".65"` : "";
  // The length keeps columns where they are, whatever font there is.
  return `<text x="${x}" y="${top + 13}" fill="${fill}"${weight}${opacity} textLength="${
    (piece.length * CELL.width).toFixed(1)
  }">${escapeXml(piece)}</text>`;
}

/** Splits at SGR sequences (ECMA-48), of which only the few in use are known. */
function runsOf(line: string, look: Look): Run[] {
  const runs: Run[] = [];
  // deno-lint-ignore no-control-regex
  for (const part of line.split(/(\x1b\[[\d;]*m)/)) {
    // deno-lint-ignore no-control-regex
    const codes = /^\x1b\[([\d;]*)m$/.exec(part)?.[1];
    if (codes === undefined) runs.push({ ...look, text: part });
    else codes.split(";").forEach((code) => apply(code, look));
  }
  return runs;
}

function apply(code: string, look: Look): void {
  switch (code) {
    case "":
    case "0":
      Object.assign(look, { colour: "text", bold: false, dim: false });
      break;
    case "1":
      look.bold = true;
      break;
    case "2":
      look.dim = true;
      break;
    case "22":
      look.bold = look.dim = false;
      break;
    case "49":
      // The background is the same everywhere.
      break;
    case "39":
      look.colour = "text";
      break;
    default:
      if (!(code in COLOURS)) throw new Error(`SGR ${code} is not drawn`);
      look.colour = code;
  }
}
