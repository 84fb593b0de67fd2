import type { Escapes } from "../kernels/escape_table.ts";
import type { Gap } from "./format.ts";
import type { Stamp } from "./timestamp.ts";

/** Where the arrival time goes in a layout's text, as the layout's stamp writes it. */
export const TIME = "\u0001";
/**
 * Where in the text before a message the number of the line goes, from 1, and of the
 * piece, if it is not the first: `42`, `42.1`, `42.2`.
 */
export const LINE = "\u0002";

/** What surrounds a message; the newline that ends the record included. */
export interface RecordText {
  /** May hold one LINE, and after it one TIME. */
  readonly before: string;
  /** May hold one TIME. */
  readonly after: string;
}

/**
 * One format's records. Messages are the lines without their newlines; lines that
 * are too long, or that paused in the middle, come as several pieces.
 */
export interface RecordLayout {
  /** What must not appear in a message as it is; without it messages are copied. */
  readonly escapes?: Escapes;
  /** The `\r` of a `\r\n` goes with the newline. */
  readonly stripsCarriageReturn?: true;
  /** How it writes times; RFC 3339 where it does not say. */
  readonly makeStamp?: () => Stamp;
  /**
   * @param goesOn the line goes on in the next record of this stream
   * @param run see `Stream`
   */
  record(label: string, goesOn: boolean, run: string): RecordText;
  /** A whole record that says what is missing. @param time as the stamp writes it */
  marker(gap: Gap, label: string, time: string, run: string): string;
}
