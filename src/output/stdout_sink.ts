import { SinkError } from "../errors.ts";
import type { Outgoing } from "../formats/format.ts";
import {
  appends,
  O_NONBLOCK,
  O_WRONLY,
  openAgain,
  STDOUT,
} from "../system/descriptors.ts";
import { describeError } from "../system/errno.ts";
import { status } from "../system/file_status.ts";
import { PIPE_BUF, pipeSize, setPipeSize } from "../system/pipes.ts";
import { DescriptorSink } from "./descriptor_sink.ts";
import { endLine, endsInsideLine } from "./file/torn_end.ts";
import { DESCRIPTORS, type Destination, type SinkKind } from "./sink.ts";
import type { Wait } from "./wait.ts";

const NAME = "standard output";
/**
 * A kernel pipe's usual 64 KiB change hands so often that waking each other costs
 * us and the reader more than the bytes do.
 */
const PIPE_BYTES = 256 * 1024;

interface StdoutDestination extends Destination {
  readonly kind: "stdout";
}

/** `--output -` */
export const stdoutKind: SinkKind<StdoutDestination> = {
  kind: "stdout",
  help: "- (standard output)",
  format: "raw",
  parse: (output) =>
    output === "-" ? { kind: "stdout", name: NAME, readableAt: STDOUT } : undefined,
  loop: loopOfStdout,
  open: openStdout,
};

/** Pipes and terminals are written without blocking; files keep their thread. */
function loopOfStdout(): string {
  const found = status(STDOUT);
  return typeof found !== "number" && found.kind === "file"
    ? `device ${found.device}`
    : DESCRIPTORS;
}

/** @throws SinkError when standard output is closed. */
function openStdout(): DescriptorSink {
  const found = status(STDOUT);
  if (typeof found === "number") {
    throw new SinkError(
      `cannot write to standard output: ${
        describeError(-found)
      }; redirect it, or name an --output`,
    );
  }
  if (found.kind === "file" && appends(STDOUT)) return new AppendedStdout(found.bytes);
  const plain = found.kind === "file" || found.kind === "device";
  return plain
    ? new DescriptorSink(NAME, STDOUT, Infinity, found.kind !== "file")
    : withoutBlocking();
}

/** `>>file`: what an earlier run has left at its end is not to be glued to. */
class AppendedStdout extends DescriptorSink {
  #endsInsideLine: boolean;

  constructor(bytes: number) {
    super(NAME, STDOUT, Infinity, false);
    this.#endsInsideLine = endsInsideLine(STDOUT, bytes);
  }

  override write(piece: Outgoing, from: number, wait: Wait): number {
    if (this.#endsInsideLine) {
      endLine(NAME, STDOUT);
      this.#endsInsideLine = false;
    }
    return super.write(piece, from, wait);
  }
}

/**
 * A write that blocks in the middle cannot say how far it came, and then
 * nobody could tell what was delivered when the drain deadline passes. So pipes
 * and terminals are written without blocking; where that is refused, writes
 * are small enough to be taken whole or not at all.
 */
function withoutBlocking(): DescriptorSink {
  const own = openAgain(STDOUT, O_WRONLY | O_NONBLOCK);
  // Best effort, and refused by terminals: it is only faster.
  if (own >= 0 && pipeSize(own) < PIPE_BYTES) setPipeSize(own, PIPE_BYTES);
  return own >= 0
    ? new DescriptorSink(NAME, own)
    : new DescriptorSink(NAME, STDOUT, PIPE_BUF);
}
