const INITIAL_BYTES = 64 * 1024;
const NEWLINE = "\n".charCodeAt(0);

/**
 * The text of metrics, as its bytes. Of a thousand inputs it has megabytes, made of few
 * parts: whoever writes samples encodes each once, and here it is only copied.
 */
export class MetricText {
  #bytes = new Uint8Array(INITIAL_BYTES);
  #length = 0;

  add(part: Uint8Array): void {
    this.#reserve(part.length);
    this.#bytes.set(part, this.#length);
    this.#length += part.length;
  }

  /** The last of a sample. Every digit is there. */
  addValue(value: bigint | number): void {
    // With many inputs most are zero.
    const text = value === 0n ? "0" : value === Infinity ? "+Inf" : String(value);
    this.#reserve(text.length + 1);
    for (let at = 0; at < text.length; at++) {
      this.#bytes[this.#length++] = text.charCodeAt(at);
    }
    this.#bytes[this.#length++] = NEWLINE;
  }

  /** All that was added. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.bytes);
    this.#bytes = larger;
  }
}
