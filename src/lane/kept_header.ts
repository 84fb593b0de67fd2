import { arePossible, type LaneSizes } from "./lane.ts";

/**
 * What a kept lane's file begins with: two lines of text, which say to people and to
 * other versions what it is, and zeros up to where the lane begins.
 *
 *      0                                   64 KiB
 *      ┌──────────────────────────────────┬────────────────────────────┐
 *      │ spillway ring 2 ⏎ {…} ⏎ 0 0 0 …  │ lane, but its output area  │
 *      └──────────────────────────────────┴────────────────────────────┘
 */
export const KEPT_HEADER_BYTES = 64 * 1024;

const MAGIC = "spillway ring ";
/** Of the header, of the words, and of frames: another one is another layout. */
const VERSION = 2;

/** What a lane was made for. */
export interface KeptHeader extends Omit<LaneSizes, "outputBytes"> {
  readonly label: string;
  /** The run that it belongs to, by a name that no other has. */
  readonly run: string;
  /** When that began, in milliseconds since 1970; after the runs that came before it. */
  readonly startMs: number;
  /** What the kernel calls the time since the machine was started. */
  readonly boot: string;
  /** Where its lines went, and how: what was delivered of a batch depends on it. */
  readonly output: string;
  readonly format: string;
  /** Its frames have checksums: see `Lane.checkSeed`. */
  readonly checked?: boolean | undefined;
  /** It has what could be trusted of a file that was damaged, and no more. */
  readonly damaged?: boolean | undefined;
  /** An unfinished line was taken over from another file in the same folder. */
  readonly carried?: { readonly from: string; readonly lineAt: number } | undefined;
}

export function encodeHeader(header: KeptHeader): Uint8Array<ArrayBuffer> {
  const text = `${MAGIC}${VERSION}\n${JSON.stringify(header)}\n`;
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > KEPT_HEADER_BYTES) throw new Error("the header is too long");
  return bytes;
}

/** @returns in words what is wrong with it */
export function decodeHeader(bytes: Uint8Array): KeptHeader | string {
  const end = bytes.indexOf(0);
  const text = new TextDecoder().decode(bytes.subarray(0, end < 0 ? bytes.length : end));
  const [first = "", json = ""] = text.split("\n");
  if (!first.startsWith(MAGIC)) return "it is no ring that Spillway has kept";
  const version = first.slice(MAGIC.length);
  if (version !== `${VERSION}`) {
    return `it has version ${version}, and this program knows version ${VERSION}`;
  }
  try {
    const header: KeptHeader = JSON.parse(json);
    return isSound(header) ? header : "its header makes no sense";
  } catch {
    return "its header makes no sense";
  }
}

function isSound(header: KeptHeader): boolean {
  const { label, run, startMs, boot, output, format } = header;
  return [label, run, boot, output, format].every((text) => typeof text === "string") &&
    /^[A-Za-z0-9_.-]{1,64}$/.test(label) &&
    [header.capacityBytes, header.landingBytes, header.handBytes, startMs].every(
      (size) => Number.isSafeInteger(size) && size >= 0,
    ) && arePossible({ ...header, outputBytes: 0 });
}
