import process from "node:process";
import type { Container } from "../containerd/container.ts";
import { STDERR, STDOUT } from "../system/descriptors.ts";
import { isTerminal, terminalSize } from "../system/terminal.ts";
// @ts-types="./std_fmt_colors.d.ts"
import { stripAnsiCode } from "@std/fmt/colors";
import type { ReportStyle } from "../plan.ts";
import type { ReportEvent, Snapshot } from "./events.ts";
import { toJson } from "./json.ts";
import { renderMeter } from "./meter.ts";
import { MeterScreen } from "./meter_screen.ts";
import type { Stderr } from "./stderr.ts";
import { toText } from "./text.ts";
import { wrapWords } from "./word_wrap.ts";

/** What a terminal has that does not know its size. */
const STANDARD_SIZE = { columns: 80, rows: 24 };

/**
 * What people see on standard error: reports, and on a terminal the meter below
 * them. Control thread only; it never waits for the terminal.
 */
export class Console {
  readonly #stderr: Stderr;
  readonly #style: ReportStyle;
  readonly #container: Container | undefined;
  readonly #onlyInput: boolean;
  readonly #onTerminal = isTerminal(STDERR);
  readonly #screen = new MeterScreen();
  /** What the meter shows now; undefined while there is none. */
  #frame: readonly string[] | undefined;

  /** @param onlyInput see `toText` */
  constructor(
    stderr: Stderr,
    style: ReportStyle,
    container: Container | undefined,
    onlyInput: boolean,
  ) {
    this.#stderr = stderr;
    this.#style = style;
    this.#container = container;
    this.#onlyInput = onlyInput;
  }

  report(event: ReportEvent): void {
    // Why the program failed is said in any case.
    if (this.#style === "none" && event.event !== "error") return;
    const count = this.#stderr.takeLeftOut();
    if (count > 0) {
      this.#print({ timeMs: event.timeMs, event: "reports_left_out", count });
    }
    this.#print(event);
  }

  #print(event: ReportEvent): void {
    const text = this.#style === "json"
      ? toJson(event, this.#container)
      : toText(event, this.#container, this.#onlyInput);
    const { columns } = size();
    const erased = this.#screen.erase(columns);
    const wraps = this.#onTerminal && this.#style === "text";
    const shown = wraps ? wrapWords(text, columns) : text;
    this.#stderr.print(`${erased}${shown}\n${this.#draw(columns)}`);
  }

  /** Draws the meter, unless it would look the same or the terminal is behind. */
  show(snapshot: Snapshot): void {
    if (this.#stderr.behind) return;
    const { columns, rows } = size();
    const frame = renderMeter(snapshot, { columns, rows, colour: wantsColour() });
    if (frame.join() === this.#frame?.join()) return;
    this.#frame = frame;
    this.#stderr.print(this.#draw(columns));
  }

  /** The program was stopped and goes on: the meter begins where the cursor is now. */
  resume(): void {
    this.#screen.forget();
    this.#frame = undefined;
  }

  /** Takes the meter away for good. */
  close(): void {
    this.#frame = undefined;
    const erased = this.#screen.erase(size().columns);
    if (erased !== "") this.#stderr.print(erased);
  }

  #draw(columns: number): string {
    if (this.#frame === undefined) return "";
    const widths = this.#frame.map((line) => stripAnsiCode(line).length);
    return this.#screen.draw(this.#frame, widths, columns);
  }
}

/**
 * True where a meter can be drawn: on a terminal that understands it, and that
 * the output does not write to as well.
 */
export function meterFits(outputIsStdout: boolean): boolean {
  return isTerminal(STDERR) && process.env.TERM !== "dumb" &&
    !(outputIsStdout && isTerminal(STDOUT));
}

/** https://no-color.org */
function wantsColour(): boolean {
  return (process.env.NO_COLOR ?? "") === "";
}

interface Size {
  readonly columns: number;
  readonly rows: number;
}

function size(): Size {
  return knownSize(terminalSize(STDERR));
}

/** What a terminal leaves out is as on a standard one: some know their columns alone. */
export function knownSize(found: Size | number): Size {
  if (typeof found === "number") return STANDARD_SIZE;
  const { columns, rows } = STANDARD_SIZE;
  return { columns: found.columns || columns, rows: found.rows || rows };
}
