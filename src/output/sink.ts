import type { Outgoing, Progress } from "../formats/format.ts";
import type { FormatName } from "../formats/formats.ts";
import type { SyslogIdentity } from "../formats/syslog.ts";
import type { RotatedFilesSpec } from "./file/rotated_files.ts";
import type { Wait } from "./wait.ts";

/**
 * A place that takes bytes. No call waits for it, though a file may keep its thread for
 * as long as its disk takes: whoever cannot go on says in `wait` what for, and is asked
 * again when that has happened, or earlier. Only on the thread of its output loop.
 */
export interface Sink {
  /**
   * Where the destination may have no one at the other end: false while there is
   * no one. Asked before lines are taken out of the ring, where newer ones can still
   * take their place.
   *
   * @throws TemporaryError, PermanentError, SinkClosedError, as `write`.
   */
  ready?(wait: Wait): boolean;

  /**
   * Takes what it can of `piece` from its byte `from` on and says how many bytes
   * that were; 0 when it cannot take any now. Asked again with the same piece until
   * it has taken all of it.
   *
   * @throws TemporaryError when trying again may help, SinkRejection when it would not
   * for some bytes, PermanentError when it never will, SinkClosedError when no one is left
   * to read.
   */
  write(piece: Outgoing, from: number, wait: Wait): number;

  /**
   * Told right before bytes are appended to a file, so that after a crash its length says
   * how many of them it has: which file, as `FileStatus.identity` says it, and how long.
   */
  onAppending?: ((identity: string, bytes: number) => void) | undefined;

  /**
   * Before the first write: what a file holds beyond so many bytes, if it is the file
   * that is written to now, and that was written to last.
   */
  contentFrom?(identity: string, bytes: number): Uint8Array | undefined;

  /** What the file ends with is what the next write goes on with. */
  goOn?(): void;

  /** Where taking is not yet arriving: what was taken counts as out when it arrives. */
  readonly custody?: Custody;

  /**
   * Opens the destination again under its name, as log rotation asks with SIGHUP; only
   * where `SinkKind.reopens`. When it cannot it says so by itself, and goes on with the
   * old one.
   */
  reopen?(): void;

  /**
   * Makes what was taken lasting, and closes. False until that is done.
   *
   * @throws TemporaryError, PermanentError
   */
  finish(wait: Wait): boolean;
}

/** The loop of outputs that never keep their thread. */
export const DESCRIPTORS = "descriptors";
/** The loop of outputs that need the runtime's event loop: TLS, HTTP, client libraries. */
export const SERVED = "served";

/** What has become of the bytes of one write. */
export interface Verdict {
  /** Why they were refused for good; undefined when they have arrived. */
  readonly rejected?: string;
  /** Of so much of what the write took of the input only; the next verdict is of more. */
  readonly of?: Readonly<Progress>;
}

export const ARRIVED: Verdict = {};

/**
 * What a sink has taken and keeps until it has arrived: it is sent again when the
 * connection breaks. Only on the thread of its output loop.
 */
export interface Custody {
  /**
   * What has become of the oldest write that took anything and has not been reported
   * yet; undefined while that is not known.
   */
  takeVerdict(): Verdict | undefined;

  /** Nothing is kept, and there is no verdict more to be taken. */
  readonly settled: boolean;

  /** Nothing more comes before this has been settled: it need not be waited for. */
  hurry?(): void;

  /**
   * Gets on with what has not arrived, without new bytes; to be asked again as `wait`
   * says.
   *
   * @throws TemporaryError, PermanentError
   */
  tend(wait: Wait): void;
}

/** A checked --output, in a form that can be sent to the flusher thread. */
export interface Destination {
  readonly kind: string;
  /** How messages call it, such as `"/var/log/app.log"`. Never holds credentials. */
  readonly name: string;
  /** Where what was written could be read as an input: a path or a descriptor. */
  readonly readableAt?: string | number;
  /** The path of a file whose rotated ones are beside it: see `OutputNames`. */
  readonly rotates?: string;
  /** Where reports are written to the same file: `LineTurn.memory`. */
  readonly turn?: SharedArrayBuffer;
  /** What syslog messages are to say of the sender. */
  readonly syslog?: SyslogIdentity;
}

/** --max-size, --max-files and --compress. */
export interface RotationSettings {
  /**
   * A file is larger only by the record at its end, if that alone is longer or has
   * come in pieces.
   */
  readonly maxBytes: number;
  /** Counts the file that is written to. 1: the file is emptied when it is full. */
  readonly maxFiles: number;
  readonly compress: boolean;
}

/** What the flags beside --output say about it. */
export interface OutputSettings {
  readonly rotation: RotationSettings | undefined;
}

/** What a sink has to say beside what it answers. */
export interface SinkNotices {
  /** A person should know, but it goes on. */
  onNotice(message: string): void;
  /** Nothing is lost by it, and it is tried again; once until it works. */
  onRotationFailing(message: string): void;
  onRotationRecovered(message: string): void;
  /** There are rotated files that a compressor may compress. */
  onPlainFiles(files: RotatedFilesSpec): void;
}

/**
 * One kind of destination. A new one is a new file that has this, and its import and
 * its place in `sinks.ts`.
 */
export interface SinkKind<D extends Destination> {
  readonly kind: D["kind"];
  /** How --output is written for it, and what the help says of that, if one can ask for it. */
  readonly help?: string;
  /** The format it takes unless --format says otherwise. */
  readonly format: FormatName;
  /** Pieces of longer lines would not fit what it sends, unless --max-line says otherwise. */
  readonly maxLineBytes?: number;
  /** The only formats it can carry; undefined when it takes any. */
  readonly formats?: readonly FormatName[];
  /** It puts what is around the records of a document in its place itself. */
  readonly makesDocuments?: true;
  /**
   * The loop that it is to be in: DESCRIPTORS where it says nothing. What can hold up a
   * thread (a disk, a name server) has a loop that is named after it, and holds up only
   * those that need it as well. Asked on the control thread.
   */
  loop?(destination: D): string;
  /** It is a file: it can be rotated, and folders that placeholders name are made for it. */
  readonly isFile?: true;
  /** SIGHUP means `reopen`; elsewhere it ends the program, as it does with others. */
  readonly reopens?: true;

  /**
   * What --output says, if it is of this kind; undefined if it is not.
   *
   * @throws UsageError when it is of this kind but malformed.
   */
  parse(output: string, settings: OutputSettings): D | undefined;

  /** @throws PermanentError when the destination can never work. */
  open(destination: D, notices: SinkNotices, format: FormatName): Sink;
}
