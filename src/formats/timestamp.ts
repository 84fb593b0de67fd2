const ZERO = 48;
const POINT = 46;
const Z = 90;
/** `2026-11-22T10:00:00` */
const SECONDS_LENGTH = 19;
const FRACTION_DIGITS = 6;

/**
 * RFC 3339 in UTC as ASCII, with as many digits after the point as there are
 * microseconds to show: what Go calls RFC3339Nano, and Docker and containerd write.
 * It makes no string while the second stays the same.
 */
export class Timestamp {
  readonly bytes = new Uint8Array(SECONDS_LENGTH + 1 + FRACTION_DIGITS + 1);
  length = 0;
  #second = NaN;

  /** @param micros since 1970 */
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

export function timestampText(micros: number): string {
  const timestamp = new Timestamp();
  timestamp.set(micros);
  return String.fromCharCode(...timestamp.bytes.subarray(0, timestamp.length));
}
