/** What is seen to before a thread starts, and can go wrong. Control thread only. */

import { InputError, messageOf, SinkError } from "../errors.ts";
import { outputBytesFor } from "../formats/formats.ts";
import { createFifo } from "../input/fifo.ts";
import { landingBytesFor } from "../input/line_framer.ts";
import type { InputSpec } from "../input/pipe_source.ts";
import { describeError, EEXIST } from "../system/errno.ts";
import { mkdir } from "../system/names.ts";
import { openFilesLimit } from "../system/limits.ts";
import { allocateLanes, type Lane } from "../lane/lane.ts";
import type { RoutePlan } from "../plan.ts";

/** What the runtime and an output take; Deno has 33 open when it stands idle. */
const OWN_DESCRIPTORS = 48;
/** One to read from, and one that holds the lock. */
const FIFO_DESCRIPTORS = 2;

/**
 * A runtime that runs out of descriptors half-way dies without saying of what.
 *
 * @throws InputError when so many inputs could bring that about.
 */
export function checkOpenFilesLimit(inputs: readonly InputSpec[]): void {
  const limit = openFilesLimit().soft;
  const needed = inputs.reduce(
    (sum, { source }) => sum + (source.kind === "fifo" ? FIFO_DESCRIPTORS : 1),
    OWN_DESCRIPTORS,
  );
  if (limit >= needed) return;
  throw new InputError(
    `cannot start with at most ${limit} open files: with ${inputs.length} ${
      inputs.length === 1 ? "input" : "inputs"
    } it takes ${needed}; raise the limit (ulimit -n, LimitNOFILE=)`,
  );
}

/** `--create`: makes the named pipes that are missing. @throws InputError */
export function createFifos(inputs: readonly InputSpec[]): void {
  for (const { source } of inputs) {
    if (source.kind === "fifo") createFifo(source.path);
  }
}

/** As the file in it: for a group of log readers, not for everybody. */
const FOLDER_MODE = 0o750;

/** @throws SinkError when it is missing and cannot be made. */
export function makeFolder(path: string): void {
  const outcome = mkdir(path, FOLDER_MODE);
  if (outcome === -EEXIST || outcome >= 0) return;
  throw new SinkError(
    `cannot make folder "${path}" for the output: ${
      describeError(-outcome)
    }; what it is in must exist and be writable`,
  );
}

/** A batch of an outlet; it must hold the longest line. */
const HAND_BYTES = 256 * 1024;

/** The memory of a route's inputs. @throws InputError when the system has not so much. */
export function allocateRoute(plan: RoutePlan): Lane[] {
  const { inputs, capacityBytes, maxLineBytes, format } = plan;
  try {
    return allocateLanes(inputs.length, {
      capacityBytes,
      landingBytes: landingBytesFor(maxLineBytes),
      handBytes: Math.max(HAND_BYTES, maxLineBytes + 1),
      outputBytes: outputBytesFor(format, maxLineBytes),
    });
  } catch (error) {
    throw new InputError(
      `cannot reserve ${inputs.length} × ${capacityBytes} bytes of memory: ${
        messageOf(error)
      }; ask for a smaller --capacity or --max-line`,
    );
  }
}
