/** The live meter as lines of text; `meter_screen.ts` puts them on the terminal. */

// @ts-types="./std_fmt_colors.d.ts"
import { bold, cyan, dim, green, red, yellow } from "@std/fmt/colors";
import { formatSize } from "../units.ts";
import { lost, total } from "../lane/counters.ts";
import {
  inputsOf,
  type InputState,
  type Snapshot,
  stalledMs,
  totalOf,
} from "./events.ts";
import { percent, rate, size, span } from "./quantities.ts";
import { STALL_MS } from "./reporter.ts";

interface MeterLook {
  /** Of the terminal; one column stays free, or some terminals begin a new line. */
  readonly columns: number;
  readonly rows: number;
  readonly colour: boolean;
}

type Paint = (text: string) => string;

/** What one line shows: an input, or all of them together. */
interface Row {
  readonly label: string;
  readonly bufferedBytes: number;
  readonly capacityBytes: number;
  readonly inBytesPerSecond: number;
  readonly outBytesPerSecond: number;
  readonly lostLines: bigint;
}

/** What all lines have in common. */
interface Page {
  readonly look: MeterLook;
  readonly narrow: boolean;
  readonly labelWidth: number;
  /** The fastest of all rates: a full rate bar. */
  readonly topRate: number;
  readonly stalledMs: number;
}

/** A piece of a line: its text takes exactly `width` columns. */
interface Cell {
  readonly text: string;
  readonly paint: Paint;
}

const FULL = "█";
const EMPTY = "░";
/** Eighths of a column. */
const PARTS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** From here on labels have room. */
const LABEL_COLUMNS = 60;
const WIDE_COLUMNS = 110;
const MEDIUM_COLUMNS = 70;
const MAX_LABEL_COLUMNS = 16;
const MAX_NARROW_LABEL_COLUMNS = 6;
const MAX_RING_COLUMNS = 60;
/** From here on a narrow meter says for how long the output has been stalled. */
const STALL_COLUMNS = 50;
/** `1.34 MB/s`, `1.34MB/s` and `1.34M`: three digits, four where they round up to 1000. */
const RATE_COLUMNS = 9;
const TIGHT_RATE_COLUMNS = 8;
const SHORT_RATE_COLUMNS = 5;
/** `1,234,567`; what is longer is said as `12.3M`. */
const COUNT_COLUMNS = 9;

const plain: Paint = (text) => text;

/**
 * A line for each input, and with several inputs one for all of them; as many as
 * fit the screen. Labels are ASCII, so every character takes one column.
 */
export function renderMeter(snapshot: Snapshot, look: MeterLook): string[] {
  const rows = rowsOf(snapshot, look.rows);
  const longest = rows.length === 1 ? 0 : Math.max(...rows.map(labelLength));
  const longLabel = Math.min(longest, MAX_LABEL_COLUMNS);
  const narrow = look.columns < MEDIUM_COLUMNS + (longLabel === 0 ? 0 : longLabel + 1);
  const page: Page = {
    look,
    narrow,
    labelWidth: look.columns < LABEL_COLUMNS
      ? Math.min(longest, MAX_NARROW_LABEL_COLUMNS)
      : longLabel,
    topRate: Math.max(
      ...rows.map((row) => Math.max(row.inBytesPerSecond, row.outBytesPerSecond)),
    ),
    stalledMs: Math.max(
      0,
      ...snapshot.routes.map(({ output }) => stalledMs(snapshot, output)),
    ),
  };
  return rows.map((row) => line(row, page));
}

function labelLength({ label }: Row): number {
  return label.length;
}

function rowsOf(snapshot: Snapshot, screenRows: number): Row[] {
  const inputs = inputsOf(snapshot);
  const rows = inputs.map((input) => ({
    label: input.label,
    bufferedBytes: Number(input.bytesBuffered),
    capacityBytes: input.capacityBytes,
    inBytesPerSecond: input.inBytesPerSecond,
    outBytesPerSecond: input.outBytesPerSecond,
    lostLines: lost(input).lines,
  }));
  if (rows.length === 1) return rows;
  const sum = (value: (input: InputState) => number) =>
    inputs.reduce((sum, input) => sum + value(input), 0);
  const all = total(inputs);
  // One row for the sum, and one for the prompt that comes after.
  return [...worst(rows, Math.max(0, screenRows - 2)), {
    label: inputs.length > screenRows - 2 ? `all ${inputs.length}` : "all",
    bufferedBytes: Number(all.bytesBuffered),
    capacityBytes: sum((input) => input.capacityBytes),
    inBytesPerSecond: sum((input) => input.inBytesPerSecond),
    outBytesPerSecond: sum((input) => input.outBytesPerSecond),
    lostLines: lost(totalOf(snapshot)).lines,
  }];
}

/** So many of them, in their own order: lines that change places could not be read. */
function worst(rows: readonly Row[], count: number): Row[] {
  if (rows.length <= count) return [...rows];
  const share = (row: Row) => row.bufferedBytes / row.capacityBytes;
  const chosen = new Set(
    rows.toSorted((one, other) =>
      share(other) - share(one) ||
      Number(other.lostLines - one.lostLines) ||
      other.inBytesPerSecond - one.inBytesPerSecond
    ).slice(0, count),
  );
  return rows.filter((row) => chosen.has(row));
}

/** The ring's bar takes what the other cells leave. */
function line(row: Row, page: Page): string {
  const { columns, colour } = page.look;
  const room = columns - 1;
  const label = labelCells(row, page);
  const numbers = page.narrow
    ? narrowCells(row, page)
    : wideCells(row, page, columns < WIDE_COLUMNS ? 5 : 10);
  const left = room - widthOf(label) - widthOf(numbers);
  const ring = left < 1 ? [] : ringCells(row, Math.min(left, MAX_RING_COLUMNS));
  const cells = [...label, ...ring, ...numbers];
  if (left < 0) return cells.map(({ text }) => text).join("").slice(0, Math.max(0, room));
  return cells.map(({ text, paint }) => colour ? paint(text) : text).join("").trimEnd();
}

function widthOf(cells: readonly Cell[]): number {
  return cells.reduce((width, { text }) => width + text.length, 0);
}

function labelCells({ label }: Row, { labelWidth }: Page): Cell[] {
  if (labelWidth === 0) return [];
  const text = label.length > labelWidth ? `${label.slice(0, labelWidth - 1)}…` : label;
  return [{ text: `${text.padEnd(labelWidth)} `, paint: bold }];
}

function ringCells(row: Row, columns: number): Cell[] {
  const share = Math.min(1, row.bufferedBytes / capacityOf(row));
  return barCells(
    share,
    columns,
    share < 0.5 ? green : share < 0.9 ? yellow : red,
    EMPTY,
  );
}

/** Not 0, which all inputs have together before the first has come. */
function capacityOf({ capacityBytes }: Row): number {
  return Math.max(1, capacityBytes);
}

/** `░` for the rest also shows, where there is no colour, how long a full bar is. */
function barCells(share: number, columns: number, paint: Paint, rest: string): Cell[] {
  const eighths = Math.round(share * columns * PARTS.length);
  const filled = FULL.repeat(Math.floor(eighths / PARTS.length)) +
    PARTS[eighths % PARTS.length];
  return [
    { text: filled, paint },
    { text: rest.repeat(columns - filled.length), paint: dim },
  ];
}

function fillCell(row: Row): Cell {
  const text = percent(row.bufferedBytes, capacityOf(row));
  return { text: ` ${text.padStart(4)}`, paint: bold };
}

/** ` 54% of 16MiB  in ██ 120 MB/s  out ▍ 20 MB/s  lost 12,345 lines` */
function wideCells(row: Row, page: Page, rateColumns: number): Cell[] {
  const { topRate, look } = page;
  const bar = (bytesPerSecond: number, paint: Paint) =>
    barCells(topRate === 0 ? 0 : bytesPerSecond / topRate, rateColumns, paint, " ");
  const capacity = look.columns < WIDE_COLUMNS
    ? ""
    : ` of ${formatSize(row.capacityBytes)}`;
  const out = page.stalledMs < STALL_MS
    ? [
      ...bar(row.outBytesPerSecond, green),
      { text: rate(row.outBytesPerSecond).padStart(RATE_COLUMNS + 1), paint: plain },
    ]
    : [{
      text: `stalled ${span(page.stalledMs)}`.padEnd(rateColumns + RATE_COLUMNS + 1),
      paint: stalled,
    }];
  return [
    fillCell(row),
    { text: `${capacity}  in `, paint: dim },
    ...bar(row.inBytesPerSecond, cyan),
    { text: rate(row.inBytesPerSecond).padStart(RATE_COLUMNS + 1), paint: plain },
    { text: "  out ", paint: dim },
    ...out,
    { text: "  lost ", paint: dim },
    {
      text: look.columns < WIDE_COLUMNS
        ? count(row.lostLines).padEnd(COUNT_COLUMNS)
        : lines(row.lostLines).padEnd(COUNT_COLUMNS + " lines".length),
      paint: row.lostLines > 0n ? alarm : plain,
    },
  ];
}

/** ` 54% 120M→20MB/s  lost 12.3k`: one unit for both, or a line would not fit. */
function narrowCells(row: Row, page: Page): Cell[] {
  const longOut = page.look.columns < STALL_COLUMNS ? "stalled" : "stalled 59s";
  const stalledFor = longOut === "stalled" ? "" : ` ${shortSpan(page.stalledMs)}`;
  const out = page.stalledMs < STALL_MS
    ? { text: `${shortRate(row.outBytesPerSecond)}B/s`, paint: plain }
    : { text: `stalled${stalledFor}`, paint: stalled };
  return [
    fillCell(row),
    {
      text: ` ${shortRate(row.inBytesPerSecond).padStart(SHORT_RATE_COLUMNS)}→`,
      paint: plain,
    },
    { ...out, text: out.text.padEnd(Math.max(TIGHT_RATE_COLUMNS, longOut.length)) },
    { text: " lost ", paint: dim },
    {
      text: shortCount(row.lostLines).padEnd(5),
      paint: row.lostLines > 0n ? alarm : plain,
    },
  ];
}

function stalled(text: string): string {
  return bold(yellow(text));
}

function alarm(text: string): string {
  return bold(red(text));
}

/** `1.34 MB` → `1.34M` */
function shortRate(bytesPerSecond: number): string {
  return size(Math.round(bytesPerSecond)).replace(" ", "").replace(/B$/, "");
}

/** `1,234,567`, and `12.3M` where that would be too long. */
function count(count: bigint): string {
  const text = count.toLocaleString("en");
  return text.length <= COUNT_COLUMNS ? text : shortCount(count);
}

function lines(lines: bigint): string {
  return `${count(lines)} ${lines === 1n ? "line" : "lines"}`;
}

function shortCount(count: bigint): string {
  return shortRate(Number(count));
}

function shortSpan(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  return `${Math.floor(seconds / 3600)}h`;
}
