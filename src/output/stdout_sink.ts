import { PermanentError } from "../errors.ts";
import type { Outgoing } from "../formats/format.ts";
import {
  appends,
  O_NONBLOCK,
  O_WRONLY,
  openAgain,
  STDERR,
  STDOUT,
  write,
} from "../system/descriptors.ts";
import { describeError, EAGAIN } from "../system/errno.ts";
import { type FileKind, type FileStatus, status } from "../system/file_status.ts";
import { PIPE_BUF, pipeSize, setPipeSize } from "../system/pipes.ts";
import { poll, POLLOUT } from "../system/poll.ts";
import { send } from "../system/sockets.ts";
import { LineTurn } from "../threads/line_turn.ts";
import { DescriptorSink } from "./descriptor_sink.ts";
import { endLine, endsInsideLine } from "./file/torn_end.ts";
import { SharedDescriptorSink } from "./shared_descriptor_sink.ts";
import { DESCRIPTORS, type Destination, type Sink, type SinkKind } from "./sink.ts";
import type { Wait } from "./wait.ts";

/**
 * A kernel pipe's usual 64 KiB change hands so often that waking each other costs
 * us and the reader more than the bytes do.
 */
const PIPE_BYTES = 256 * 1024;

/** A descriptor that this program was started with. */
interface StandardDestination extends Destination {
  readonly kind: "stdout" | "stderr";
}

export const STANDARD_OUTPUT: StandardDestination = {
  kind: "stdout",
  name: "standard output",
  readableAt: STDOUT,
};

export const STANDARD_ERROR: StandardDestination = {
  kind: "stderr",
  name: "standard error",
  readableAt: STDERR,
};

/** `--output -` */
export const stdoutKind: SinkKind<StandardDestination> = {
  ...standardKind(STANDARD_OUTPUT, STDOUT),
  help: "- (standard output)",
  parse: (output) => output === "-" ? STANDARD_OUTPUT : undefined,
};

/** Where a command's standard error goes; no --output asks for it. */
export const stderrKind: SinkKind<StandardDestination> = {
  ...standardKind(STANDARD_ERROR, STDERR),
  parse: () => undefined,
};

function standardKind({ kind }: StandardDestination, descriptor: number) {
  return {
    kind,
    format: "raw",
    loop: () => loopOfDescriptor(descriptor),
    open: (destination: StandardDestination) => openStandard(descriptor, destination),
  } as const;
}

/** Pipes and terminals are written without blocking; files keep their thread. */
function loopOfDescriptor(descriptor: number): string {
  const found = status(descriptor);
  return typeof found !== "number" && found.kind === "file"
    ? `device ${found.device}`
    : DESCRIPTORS;
}

/** @throws PermanentError when the descriptor is closed. */
function openStandard(
  descriptor: number,
  { name, turn }: StandardDestination,
): Sink {
  const found = status(descriptor);
  if (typeof found === "number") {
    throw new PermanentError(
      `cannot write to ${name}: ${
        describeError(-found)
      }; redirect it, or name an --output`,
    );
  }
  const sink = openFound(name, descriptor, found);
  return turn === undefined
    ? sink
    : new SharedDescriptorSink(sink, LineTurn.attach(turn));
}

function openFound(name: string, descriptor: number, found: FileStatus): DescriptorSink {
  const { kind, bytes } = found;
  if (kind === "file" && appends(descriptor)) {
    return new AppendingSink(name, descriptor, bytes);
  }
  const plain = kind === "file" || kind === "device";
  return plain
    ? new DescriptorSink(name, descriptor, write, kind !== "file")
    : withoutBlocking(name, descriptor, kind);
}

/** `>>file`: what an earlier run has left at its end is not to be glued to. */
class AppendingSink extends DescriptorSink {
  #endsInsideLine: boolean;

  constructor(name: string, descriptor: number, bytes: number) {
    super(name, descriptor, write, false);
    this.#endsInsideLine = endsInsideLine(descriptor, bytes);
  }

  override write(piece: Outgoing, from: number, wait: Wait): number {
    if (this.#endsInsideLine) {
      endLine(this.name, this.descriptor);
      this.#endsInsideLine = false;
    }
    return super.write(piece, from, wait);
  }
}

/**
 * A write that blocks in the middle cannot say how far it came, and then
 * no one could tell what was delivered when the drain deadline passes; and it keeps
 * others that are written by the same thread. So nothing is written that blocks.
 */
function withoutBlocking(
  name: string,
  descriptor: number,
  kind: FileKind,
): DescriptorSink {
  // What systemd connects with the journal, and inetd with the network.
  if (kind === "socket") return new DescriptorSink(name, descriptor, sendSome);
  const own = openAgain(descriptor, O_WRONLY | O_NONBLOCK);
  // Best effort, and refused by terminals: it is only faster.
  if (own >= 0 && pipeSize(own) < PIPE_BYTES) setPipeSize(own, PIPE_BYTES);
  return own >= 0
    ? new DescriptorSink(name, own)
    : new DescriptorSink(name, descriptor, writeIntoRoom);
}

/** A socket of datagrams takes no more at once. */
const MAX_SEND_BYTES = 32 * 1024;

function sendSome(descriptor: number, address: number, length: number): number {
  return send(descriptor, address, Math.min(length, MAX_SEND_BYTES));
}

/** Another user's pipe is not to be opened again; it has room for so much, or for nothing. */
function writeIntoRoom(descriptor: number, address: number, length: number): number {
  if (poll(descriptor, POLLOUT, 0) === 0) return -EAGAIN;
  return write(descriptor, address, Math.min(length, PIPE_BUF));
}
