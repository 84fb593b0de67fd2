const TWO_32 = 2 ** 32;

/**
 * A 64-bit count as two halves. Counting with BigInt would allocate for every
 * frame; these are plain numbers.
 */
export class Count64 {
  #high = 0;
  #low = 0;

  /** @param amount a whole number from 0 to 2^52 */
  add(amount: number): void {
    const low = this.#low + amount;
    this.#high += Math.floor(low / TWO_32);
    this.#low = low % TWO_32;
  }

  copyFrom(other: Count64): void {
    this.#high = other.#high;
    this.#low = other.#low;
  }

  /** How much greater this is than `other`; exact up to 2^53. */
  minus(other: Count64): number {
    return (this.#high - other.#high) * TWO_32 + (this.#low - other.#low);
  }

  /** Exact up to 2^53, which no count of lines comes near. */
  get value(): number {
    return this.#high * TWO_32 + this.#low;
  }

  readFrom(view: DataView, offset: number): void {
    this.#low = view.getUint32(offset, true);
    this.#high = view.getUint32(offset + 4, true);
  }

  writeTo(view: DataView, offset: number): void {
    view.setUint32(offset, this.#low, true);
    view.setUint32(offset + 4, this.#high, true);
  }
}
