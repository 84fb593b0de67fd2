import { addressOf } from "../../system/memory.ts";

/** What may be under way before the window is full. */
const MAX_UNARRIVED_BYTES = 2 * 1024 * 1024;
/** What is kept when room is needed: under way, or arrived and perhaps not yet read. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024;
const BUFFER_BYTES = 8 * 1024 * 1024;
/** The longest chunk that a window takes. */
export const MAX_CHUNK_BYTES = 1024 * 1024;
const MAX_UNARRIVED_CHUNKS = 4096;
const MAX_KEPT_CHUNKS = 2 * MAX_UNARRIVED_CHUNKS;
/**
 * What has arrived at a peer's system was not always read by the peer, and what it
 * has read may die with it. What arrived longer ago than this is taken to be safe.
 */
const DOUBT_MS = 10_000;

if (MAX_UNARRIVED_BYTES + MAX_CHUNK_BYTES > MAX_KEPT_BYTES) {
  throw new Error("what is under way would be forgotten");
}
if (MAX_KEPT_BYTES + MAX_CHUNK_BYTES > BUFFER_BYTES) {
  throw new Error("a chunk would not fit beside what is kept");
}

/** What one write took, as it goes over the connection. */
interface Chunk {
  readonly start: number;
  readonly end: number;
  /** Its last record goes on in the next chunk. */
  readonly endsInside: boolean;
  /** When it arrived, in milliseconds on a steady clock; undefined until it has. */
  arrivedMs: number | undefined;
}

/**
 * The latest bytes of a stream that goes over connections that may break: what has
 * not arrived over one goes over the next, from the beginning of a record on. It
 * knows nothing of sockets.
 *
 * Positions count bytes since the start, and only `rewind` takes any of them back:
 *
 *      0 … forgotten … base ─ kept ─ arrived ─ under way ─ sent ─ unsent ─ end
 */
export class ResendWindow {
  readonly #bytes = new Uint8Array(BUFFER_BYTES);
  readonly #address = addressOf(this.#bytes);
  #chunks: Chunk[] = [];
  /** The first chunk that has not arrived over this connection. */
  #next = 0;
  #arrivedChunks = 0;
  #base = 0;
  #arrived = 0;
  #sent = 0;
  #end = 0;

  /** How many chunks have arrived since the start; none counts twice. */
  get arrivedChunks(): number {
    return this.#arrivedChunks;
  }

  /** Room for a chunk of `MAX_CHUNK_BYTES`. */
  get hasRoom(): boolean {
    return this.#end - this.#arrived < MAX_UNARRIVED_BYTES &&
      this.#chunks.length - this.#next < MAX_UNARRIVED_CHUNKS;
  }

  /** All there is has arrived. */
  get settled(): boolean {
    return this.#arrived === this.#end;
  }

  /** Bytes that are to be sent next, and their address in this process. */
  get unsentBytes(): number {
    return this.#end - this.#sent;
  }

  get unsentAddress(): number {
    return this.#address + this.#sent - this.#base;
  }

  /** A copy of these bytes. */
  get unsent(): Uint8Array {
    return this.#bytes.slice(this.#sent - this.#base, this.#end - this.#base);
  }

  /** Copies bytes to the end of the stream; `endChunk` makes a chunk of them. */
  append(bytes: Uint8Array): void {
    if (this.#end - this.#base + bytes.length > BUFFER_BYTES) this.#forget();
    this.#bytes.set(bytes, this.#end - this.#base);
    this.#end += bytes.length;
  }

  /** @param endsInside the last record has not ended yet */
  endChunk(endsInside: boolean): void {
    const start = this.#chunks.at(-1)?.end ?? this.#base;
    this.#chunks.push({ start, end: this.#end, endsInside, arrivedMs: undefined });
    if (this.#chunks.length > MAX_KEPT_CHUNKS) this.#forget();
  }

  /** The connection has taken so many of the unsent bytes. */
  sent(bytes: number): void {
    if (bytes < 0 || bytes > this.unsentBytes) {
      throw new Error(`a connection says it took ${bytes} of ${this.unsentBytes} bytes`);
    }
    this.#sent += bytes;
  }

  /** All has arrived that was sent, but for at most `bytes`. */
  arrivedBut(bytes: number, nowMs: number): void {
    this.#arrived = Math.max(this.#arrived, this.#sent - bytes);
    for (;;) {
      const chunk = this.#chunks[this.#next];
      if (chunk === undefined || chunk.end > this.#arrived) return;
      if (chunk.arrivedMs === undefined) this.#arrivedChunks++;
      chunk.arrivedMs = nowMs;
      this.#next++;
    }
  }

  /**
   * The connection has broken: what has not arrived, or only in the last ten seconds,
   * is unsent again, from the beginning of a record on, as far as it is still kept.
   */
  rewind(nowMs: number): void {
    let next = this.#next;
    while (next > 0 && this.#arrivedAfter(next - 1, nowMs - DOUBT_MS)) next--;
    while (next > 0 && this.#chunks[next - 1]!.endsInside) next--;
    this.#next = next;
    this.#sent = this.#arrived = this.#chunks[next]?.start ?? this.#end;
  }

  #arrivedAfter(index: number, timeMs: number): boolean {
    return (this.#chunks[index]!.arrivedMs ?? Infinity) > timeMs;
  }

  /** Makes room by giving up the oldest chunks that have arrived. */
  #forget(): void {
    let gone = 0;
    while (gone < this.#next && this.#isTooMuch(this.#chunks[gone]!, gone)) gone++;
    this.#chunks = this.#chunks.slice(gone);
    this.#next -= gone;
    const base = this.#chunks[0]?.start ?? this.#end;
    this.#bytes.copyWithin(0, base - this.#base, this.#end - this.#base);
    this.#base = base;
  }

  #isTooMuch(oldest: Chunk, gone: number): boolean {
    return this.#end - oldest.start > MAX_KEPT_BYTES ||
      this.#chunks.length - gone > MAX_UNARRIVED_CHUNKS;
  }
}
