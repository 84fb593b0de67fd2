const ZERO = 48;
const POINT = 46;
const Z = 90;
/** `2026-11-22T10:00:00` */
const SECONDS_LENGTH = 19;
const FRACTION_DIGITS = 6;

/** A time as a format writes it. */
export interface Stamp {
  readonly bytes: Uint8Array;
  /** How many of the bytes count. */
  readonly length: number;
  /** @param micros since 1970 */
  set(micros: number): void;
  /** Where every record has a time of its own: to be called before each. */
  next?(): void;
}

/**
 * RFC 3339 in UTC as ASCII, with as many digits after the point as there are
 * microseconds to show: what Go calls RFC3339Nano, and Docker and containerd write.
 * It makes no string while the second stays the same.
 */
export class Timestamp implements Stamp {
  readonly bytes = new Uint8Array(SECONDS_LENGTH + 1 + FRACTION_DIGITS + 1);
  length = 0;
  #second = NaN;

  set(micros: number): void {
    const second = Math.floor(micros / 1e6);
    if (second !== this.#second) {
      const text = new Date(second * 1000).toISOString();
      for (let at = 0; at < SECONDS_LENGTH; at++) this.bytes[at] = text.charCodeAt(at);
      this.#second = second;
    }
    let fraction = Math.floor(micros - second * 1e6);
    let end = SECONDS_LENGTH;
    if (fraction > 0) {
      this.bytes[end++] = POINT;
      for (let unit = 1e5; fraction > 0; unit /= 10) {
        const digit = Math.floor(fraction / unit);
        this.bytes[end++] = ZERO + digit;
        fraction -= digit * unit;
      }
    }
    this.bytes[end] = Z;
    this.length = end + 1;
  }
}

/** In English, whatever the machine speaks. */
const MONTHS = [
  ...["Jan", "Feb", "Mar", "Apr", "May", "Jun"],
  ...["Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
];

/** `Nov 25 06:10:15`, in local time: what syslog(3) writes. */
export class LocalTime implements Stamp {
  readonly bytes = new Uint8Array(15);
  readonly length = 15;
  #second = NaN;

  set(micros: number): void {
    const second = Math.floor(micros / 1e6);
    if (second === this.#second) return;
    this.#second = second;
    const date = new Date(second * 1000);
    const day = `${date.getDate()}`.padStart(2);
    const time = [date.getHours(), date.getMinutes(), date.getSeconds()]
      .map((number) => `${number}`.padStart(2, "0")).join(":");
    const text = `${MONTHS[date.getMonth()]} ${day} ${time}`;
    for (let at = 0; at < this.length; at++) this.bytes[at] = text.charCodeAt(at);
  }
}

export function stampText({ bytes, length }: Stamp): string {
  return String.fromCharCode(...bytes.subarray(0, length));
}

/** `1732510000123456`. */
const MICROS_DIGITS = 16;
const NANOS_DIGITS = 3;
const MAX_NANOS = 999;

/**
 * A clock that is put back by more than this was wrong, and what was ahead of it would be
 * so for all that time: Loki refuses lines from more than ten minutes in the future.
 */
const MAX_CORRECTION_MICROS = 60e6;

/**
 * Nanoseconds since 1970 in ASCII, each later than the one before, also where many
 * lines arrived together or the clock was put back a little: there are servers that sort
 * by time, and some that take a line of the same time and text for one sent twice.
 */
export class UnixNanos implements Stamp {
  readonly bytes = new Uint8Array(MICROS_DIGITS + NANOS_DIGITS).fill(ZERO);
  readonly length = MICROS_DIGITS + NANOS_DIGITS;
  #micros = 0;
  /** Of the microsecond; -1 before its first. */
  #nanos = -1;

  set(micros: number): void {
    const aheadMicros = this.#micros - micros;
    if (aheadMicros >= 0 && aheadMicros <= MAX_CORRECTION_MICROS) return;
    this.#micros = micros;
    this.#nanos = -1;
    this.#write(micros, MICROS_DIGITS);
  }

  next(): void {
    if (this.#nanos === MAX_NANOS) this.set(this.#micros + 1);
    this.#nanos++;
    this.#write(this.#nanos, this.length, MICROS_DIGITS);
  }

  /** Decimal digits, up to `end` and from `start` on. */
  #write(value: number, end: number, start = 0): void {
    for (let at = end - 1; at >= start; at--) {
      const rest = Math.floor(value / 10);
      this.bytes[at] = ZERO + value - 10 * rest;
      value = rest;
    }
  }
}
