import type { Outgoing } from "../formats/format.ts";
import {
  type FileIdentity,
  type HandJournal,
  NO_PROGRESS,
} from "../lane/hand_journal.ts";
import type { Sink } from "./sink.ts";

/** How far a hand has come: in the output that it makes, and in the input that it holds. */
export interface Reached {
  readonly output: number;
  readonly bytes: number;
  readonly lines: number;
}

const AT_BEGINNING: Reached = { output: 0, bytes: 0, lines: 0 };

/**
 * How far the hand of a lane that is kept has come, which is written down in its journal
 * whenever a part has arrived, and how far an earlier run had come with it: that part
 * does not go to the sink a second time. Only on the thread of its output loop.
 */
export class Headway {
  readonly #journal: HandJournal;
  readonly #sink: Sink;
  /** How far it was passed on, and what is known to be delivered of it. */
  #reached = AT_BEGINNING;
  #progress = NO_PROGRESS;
  #fileIdentity = "";
  /** What an earlier run has counted of the hand. */
  #before = AT_BEGINNING;
  /** What the file that is written to holds beyond that, as far as it is not passed yet. */
  #beyond: Uint8Array | undefined;

  constructor(journal: HandJournal, sink: Sink) {
    this.#journal = journal;
    this.#sink = sink;
  }

  /** Another batch is in the hand. */
  begin(): void {
    this.#reached = this.#before = AT_BEGINNING;
    this.#progress = this.#journal.progress;
    this.#fileIdentity = identityOf(this.#progress.file);
    this.#beyond = undefined;
  }

  /** An earlier run has delivered a part of what is in the hand. */
  resume(): void {
    this.begin();
    const { delivered, countedBytes, countedLines } = this.#progress;
    this.#before = { output: delivered, bytes: countedBytes, lines: countedLines };
    this.#beyond = this.#findBeyond();
  }

  /** An earlier run has delivered all that it had in its hand. */
  goOnAfter(): void {
    this.begin();
    this.#findBeyond();
  }

  #findBeyond(): Uint8Array | undefined {
    const { fileBytes } = this.#progress;
    const beyond = this.#sink.contentFrom?.(this.#fileIdentity, fileBytes);
    if (beyond?.length === 0) this.#sink.goOn?.();
    return beyond;
  }

  get reached(): Reached {
    return this.#reached;
  }

  /** An earlier run has counted the end of the line that is passed now. */
  get isLineCounted(): boolean {
    return this.#reached.lines < this.#before.lines;
  }

  /** So many bytes of the output were passed on, with so much of the input. */
  advance(output: number, bytes: number, lines: number): void {
    this.#reached = {
      output: this.#reached.output + output,
      bytes: this.#reached.bytes + bytes,
      lines: this.#reached.lines + lines,
    };
  }

  /** How many bytes of a piece that begins now an earlier run has delivered and counted. */
  counted(piece: Outgoing): number {
    return Math.max(
      0,
      Math.min(piece.length, this.#before.output - this.#reached.output),
    );
  }

  /** How many bytes of the piece, from `from` on, it has delivered without counting them. */
  uncounted(piece: Outgoing, from: number): number {
    const beyond = this.#beyond;
    if (beyond === undefined || from === piece.length) return 0;
    const rest = piece.bytes.subarray(from);
    const length = Math.min(rest.length, beyond.length);
    // What is there is somebody else's where it is not what comes next.
    const isOurs = rest.subarray(0, length).every((byte, at) => byte === beyond[at]);
    this.#beyond = isOurs ? beyond.subarray(length) : undefined;
    if (!isOurs || length === 0) return 0;
    if (length === beyond.length) this.#sink.goOn?.();
    return length;
  }

  /** It has arrived so far, or was refused, after all that comes before it. */
  note({ output, bytes, lines }: Reached): void {
    const { file, fileBytes, delivered } = this.#progress;
    this.#progress = {
      delivered: output,
      countedBytes: bytes,
      countedLines: lines,
      file,
      fileBytes: fileBytes + output - delivered,
    };
    this.#journal.progress = this.#progress;
  }

  /** See `Sink.onAppending`. */
  noteFile(identity: string, fileBytes: number): void {
    const isKnown = identity === this.#fileIdentity && this.#progress.file.inode > 0;
    if (isKnown && fileBytes === this.#progress.fileBytes) return;
    const [major = 0, minor = 0, inode = 0] = identity.split(":").map(Number);
    this.#fileIdentity = identity;
    this.#progress = { ...this.#progress, file: { major, minor, inode }, fileBytes };
    this.#journal.progress = this.#progress;
  }
}

/** As `FileStatus.identity` has it. */
function identityOf({ major, minor, inode }: FileIdentity): string {
  return `${major}:${minor}:${inode}`;
}
