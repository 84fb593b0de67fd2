import { SinkError, SinkFailure } from "../errors.ts";
import type { Outgoing } from "../formats/format.ts";
import {
  close,
  describeError,
  fsync,
  O_APPEND,
  O_CREAT,
  O_NONBLOCK,
  O_WRONLY,
  open,
  status,
} from "../platform/posix.ts";
import { DescriptorWriter } from "./descriptor_writer.ts";
import type { Destination, Sink, SinkKind } from "./sink.ts";

interface FileDestination extends Destination {
  readonly kind: "file";
  readonly path: string;
}

/** `--output PATH` */
export const fileKind: SinkKind<FileDestination> = {
  kind: "file",
  format: "raw",
  reopens: true,
  parse: (path) => ({ kind: "file", name: `"${path}"`, path }),
  open: ({ name, path }) => new FileSink(name, path),
};

/** Readable for a group of log readers, not for everybody. */
const FILE_MODE = 0o640;

/** A file that is appended to, and made when it is missing. */
class FileSink implements Sink {
  readonly name: string;
  readonly #path: string;
  readonly #writer: DescriptorWriter;
  /** Devices such as /dev/null cannot be synced, and need not be. */
  readonly #isFile: boolean;

  /** @throws SinkError when the file cannot be opened for appending. */
  constructor(name: string, path: string) {
    this.name = name;
    this.#path = path;
    const found = status(path);
    if (typeof found !== "number" && (found.kind === "pipe" || found.kind === "socket")) {
      const instead = found.kind === "pipe" ? `fifo:${path}` : `unix:${path}`;
      throw new SinkError(
        `cannot append to ${this.name}: not a file but a ${found.kind}; write --output ${instead}`,
      );
    }
    const descriptor = this.#open();
    if (descriptor < 0) {
      throw new SinkError(
        `cannot open ${this.name} for appending: ${
          describeError(-descriptor)
        }; its folder must exist and be writable for this user`,
      );
    }
    this.#writer = new DescriptorWriter(this.name, descriptor);
    const opened = status(descriptor);
    this.#isFile = typeof opened !== "number" && opened.kind === "file";
  }

  #open(): number {
    // O_NONBLOCK means nothing to files; it keeps a FIFO that has taken the
    // name in the meantime from blocking this thread for ever.
    return open(this.#path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, FILE_MODE);
  }

  write(piece: Outgoing, from: number): number {
    return this.#writer.write(piece, from);
  }

  reopen(): void {
    const descriptor = this.#open();
    if (descriptor < 0) {
      throw new SinkFailure(
        `cannot reopen ${this.name}: ${
          describeError(-descriptor)
        }; writing goes on to the file that was open, until the next SIGHUP`,
      );
    }
    close(this.#writer.descriptor);
    this.#writer.descriptor = descriptor;
  }

  finish(): void {
    const outcome = this.#isFile ? fsync(this.#writer.descriptor) : 0;
    if (outcome < 0) {
      throw new SinkFailure(
        `cannot sync ${this.name} to disk: ${describeError(-outcome)}`,
      );
    }
    close(this.#writer.descriptor);
  }
}
