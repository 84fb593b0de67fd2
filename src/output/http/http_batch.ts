import type { DocumentShape } from "../../formats/document.ts";
import type { Progress } from "../../formats/format.ts";
import type { Verdict } from "../sink.ts";
import { makeBody } from "./request_body.ts";

/** A batch is sent when no more fits, or when its first unit has waited for so long. */
const BATCH_BYTES = 1024 * 1024;
const BATCH_AGE_MS = 200;

const NEWLINE = 10;

/** What is known of records that are added at a time. */
interface Origin {
  /** The input that they come from. */
  readonly label: string;
  /** They go on with a line that earlier ones have begun. */
  readonly startsInside: boolean;
  /** It speaks of lines, and holds none. */
  readonly isMarker: boolean;
  /** How much of the input each holds, where there are several, a line each. */
  readonly inputBytes?: Uint32Array | undefined;
}

/** Records that were added at a time, and share a verdict. */
interface Unit extends Origin {
  readonly start: number;
  readonly end: number;
  /** What of the input this one holds, where it was split off from others. */
  readonly of?: Readonly<Progress>;
  verdict: Verdict | undefined;
}

/** A part of a batch, to be sent in one request. */
export interface BatchPart {
  readonly body: Uint8Array;
  /** Of the units alone. */
  readonly recordBytes: number;
  readonly units: readonly Unit[];
}

/**
 * Records on their way to a server: gathered until they are worth a request, then
 * sealed, and kept until each unit has its verdict and has passed it on.
 */
export class HttpBatch {
  #bytes = new Uint8Array(BATCH_BYTES);
  #length = 0;
  #units: Unit[] = [];
  #told = 0;
  #sinceMs = 0;
  #sealed = false;
  readonly #shape: DocumentShape | undefined;

  /** @param shape of the body, where that is more than the records one after the other */
  constructor(shape?: DocumentShape) {
    this.#shape = shape;
  }

  get isEmpty(): boolean {
    return this.#units.length === 0;
  }

  /** When it should be sent; `seal` makes it due at once. */
  get dueMs(): number {
    if (this.isEmpty) return Infinity;
    return this.#sealed ? -Infinity : this.#sinceMs + BATCH_AGE_MS;
  }

  /** One that is alone fits in any case. */
  fits(bytes: number): boolean {
    return this.isEmpty || (!this.#sealed && this.#length + bytes <= BATCH_BYTES);
  }

  add(bytes: Uint8Array, nowMs: number, origin: Origin): void {
    if (this.isEmpty) {
      this.#sinceMs = nowMs;
      if (bytes.length > this.#bytes.length) this.#bytes = new Uint8Array(bytes.length);
    }
    this.#bytes.set(bytes, this.#length);
    const start = this.#length;
    this.#length += bytes.length;
    const end = this.#length;
    this.#units.push({ ...origin, start, end, verdict: undefined });
  }

  /** Nothing is added from now on, so that what is sent twice is the same. */
  seal(): void {
    this.#sealed = true;
  }

  /**
   * The first records without a verdict, at least one and otherwise up to `maxBytes` of
   * them; units that are longer are split into their records.
   */
  nextPart(maxBytes: number): BatchPart | undefined {
    this.#split(maxBytes);
    const units: Unit[] = [];
    let recordBytes = 0;
    const last = new Map<string, Unit>();
    for (const unit of this.#units) {
      const before = last.get(unit.label);
      last.set(unit.label, unit);
      // What is left of a line whose beginning was refused is no line.
      if (unit.startsInside && before?.verdict?.rejected !== undefined) {
        unit.verdict ??= before.verdict;
      }
      if (unit.verdict !== undefined) continue;
      const bytes = unit.end - unit.start;
      if (units.length > 0 && recordBytes + bytes > maxBytes) break;
      units.push(unit);
      recordBytes += bytes;
    }
    if (units.length === 0) return undefined;
    const parts = units.map(({ label, start, end }) => ({
      label,
      bytes: this.#bytes.subarray(start, end),
    }));
    return { body: makeBody(parts, this.#shape), recordBytes, units };
  }

  #split(maxBytes: number): void {
    const isTooLong = ({ start, end, inputBytes, verdict }: Unit) =>
      end - start > maxBytes && inputBytes !== undefined && verdict === undefined;
    if (!this.#units.some(isTooLong)) return;
    this.#units = this.#units.flatMap((unit) =>
      isTooLong(unit) ? this.#recordsOf(unit) : [unit]
    );
  }

  /** What the last of them holds is what is left of the unit; it may have no newline. */
  #recordsOf({ inputBytes = new Uint32Array(), ...unit }: Unit): Unit[] {
    const units: Unit[] = [];
    let at = unit.start;
    for (const bytes of inputBytes.subarray(0, -1)) {
      const recordEnd = this.#bytes.indexOf(NEWLINE, at) + 1;
      units.push({ ...unit, start: at, end: recordEnd, of: { bytes, lines: 1 } });
      at = recordEnd;
    }
    return [...units, { ...unit, start: at }];
  }

  /** The next verdict in the order of the units; after the last the batch is empty. */
  takeVerdict(): Verdict | undefined {
    const { verdict, of } = this.#units[this.#told] ?? {};
    if (verdict === undefined) return undefined;
    this.#told++;
    if (this.#told === this.#units.length) this.#clear();
    return of === undefined ? verdict : { ...verdict, of };
  }

  #clear(): void {
    this.#units = [];
    this.#told = this.#length = 0;
    this.#sealed = false;
    if (this.#bytes.length > BATCH_BYTES) this.#bytes = new Uint8Array(BATCH_BYTES);
  }
}
