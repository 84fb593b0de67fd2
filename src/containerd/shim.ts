/**
 * The containerd shim that has started this program as a container's logging
 * binary, as `runtime/v2/logging` in containerd defines it: descriptors 3 and 4
 * are the read ends of the container's standard output and standard error, 5 is
 * where to say ready, and the working folder is the shim's own. Main thread only.
 */

import { InputError } from "../errors.ts";
import type { ContainerEnvironment } from "./container.ts";
import {
  close,
  O_NONBLOCK,
  O_WRONLY,
  open,
  STDERR,
  write,
} from "../system/descriptors.ts";
import { status } from "../system/file_status.ts";
import { addressOf } from "../system/memory.ts";
import { mkdir } from "../system/names.ts";

/** From the end of the container's output and SIGTERM until SIGKILL. */
const SHIM_PATIENCE_MS = 12_000;
/** What stopping may take beside the draining. */
const FAREWELL_MS = 1000;
/** The longest time to go on writing that the shim leaves. */
export const MAX_DRAIN_MS = SHIM_PATIENCE_MS - FAREWELL_MS;

const READY = 5;

export const CONTAINER_INPUTS = [
  {
    label: "stdout",
    source: { kind: "descriptor", number: 3, name: "the container's standard output" },
  },
  {
    label: "stderr",
    source: { kind: "descriptor", number: 4, name: "the container's standard error" },
  },
] as const;

const PIPES = [...CONTAINER_INPUTS.map(({ source }) => source.number), READY];

/**
 * True where a shim has started this program, even if its log URI forgets to say
 * --containerd: nobody else would see what it then says on standard error.
 */
export function startedByShim(environment: ContainerEnvironment): boolean {
  return Boolean(environment.CONTAINER_ID && environment.CONTAINER_NAMESPACE) &&
    isShimFolder() && PIPES.every(isPipe);
}

/**
 * The runtime's own descriptors take these numbers where nobody has handed any over.
 *
 * @throws InputError when it was not a shim that has started this program.
 */
export function checkPipes(): void {
  for (const descriptor of PIPES) {
    if (!isPipe(descriptor)) {
      throw new InputError(
        `--containerd: descriptor ${descriptor} is not a pipe; containerd starts this program itself and hands over 3, 4 and 5, as in ctr run --log-uri binary:///path/spillway?--containerd=`,
      );
    }
  }
}

/** Tells the shim, which waits for it, that the container may start. Once. */
export function announceReady(): void {
  write(READY, addressOf(new Uint8Array(1)), 1);
  close(READY);
}

/** A FIFO in the shim's folder; containerd copies it into its own log. */
const SHIM_LOG = "log";
const NULL_DEVICE = "/dev/null";

/**
 * Where reports reach a person: the shim gives its logging binary /dev/null as
 * standard error, but its own is a FIFO in the working folder.
 */
export function openReports(): number {
  const stderr = status(STDERR);
  const nowhere = status(NULL_DEVICE);
  const leadsNowhere = typeof stderr === "number" ||
    typeof nowhere !== "number" && stderr.identity === nowhere.identity;
  if (!leadsNowhere || !isShimFolder()) return STDERR;
  const log = open(SHIM_LOG, O_WRONLY | O_NONBLOCK);
  return log < 0 ? STDERR : log;
}

function isShimFolder(): boolean {
  return isPipe(SHIM_LOG);
}

function isPipe(target: string | number): boolean {
  const found = status(target);
  return typeof found !== "number" && found.kind === "pipe";
}

const FOLDER_MODE = 0o700;

/**
 * Keeps the container from starting; only before `announceReady`.
 *
 * `NewBinaryIO` of containerd's shim (`pkg/process/io.go` in 1.6, and in 2.x
 * `cmd/containerd-shim-runc-v2/process/io.go`) takes the end of its logging binary for
 * its being ready: it reads the ready pipe and accepts `io.EOF`. Only a log URI that
 * begins with `binary-v2://`, which came late (containerd issue 12490), is treated
 * otherwise; with any other the container would run with no reader at its pipes.
 *
 * So a folder takes the name of the file that runc is about to write its
 * process id to, which makes runc, and so the start, fail before anything of the
 * container has run. It goes with the bundle. A process that is executed beside a
 * container has no bundle under its id, and with a terminal the name is taken, since
 * the logging binary is started after runc: then nothing is done.
 */
export function refuseStart(containerId: string): void {
  // What containerd takes for an id cannot lead out of the shim's folders.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(containerId)) return;
  const bundle = `../${containerId}`;
  const isBundle = typeof status(`${bundle}/config.json`) !== "number";
  if (isShimFolder() && isBundle) mkdir(`${bundle}/init.pid`, FOLDER_MODE);
}
