/** What is seen to before a thread starts, and can go wrong. Control thread only. */

import { checkPipes } from "../containerd/shim.ts";
import { InputError, messageOf } from "../errors.ts";
import { namesInput, outputBytesFor } from "../formats/formats.ts";
import { createFifo } from "../input/fifo.ts";
import { createFolder } from "../input/fifo_folder.ts";
import { landingBytesFor } from "../input/landing.ts";
import { refuseOwnOutput } from "../input/own_output.ts";
import type { InputSpec } from "../input/input_spec.ts";
import { openFilesLimit, setOpenFilesLimit } from "../system/limits.ts";
import { allocateLanes, type Lane, type LaneSizes } from "../lane/lane.ts";
import { inputsOf, MAX_INPUTS, type Plan, type RoutePlan } from "../plan.ts";

/**
 * What can go wrong, before any input is read.
 *
 * @throws InputError, PermanentError
 */
export function prepare(plan: Plan): void {
  const { routes, folders, container, create } = plan;
  const inputs = inputsOf(plan);
  checkOpenFilesLimit(inputs, routes);
  if (container) checkPipes();
  if (create) createInputs(inputs, folders?.paths ?? []);
  // Now, since it may be a FIFO that was missing.
  refuseOwnOutput(inputs, routes.map(({ output }) => output));
}

/**
 * Of outputs that do not show whose a line is. Both streams of a container in one file
 * are what everybody expects.
 */
export function mergedInputs({ container, routes, folders }: Plan): string[] {
  if (container) return [];
  return routes.filter(({ format, inputs }) =>
    !namesInput(format) && (inputs.length > 1 || folders?.perInput === false)
  ).map(({ inputs, output }) =>
    `the lines of ${
      folders ? "all" : inputs.length
    } inputs go to ${output.name} as they are, and do not show whose they are; a --format such as ndjson names the input, and {input} in --output gives each a file of its own`
  );
}

/** What the runtime and an output take; Deno has 33 open when it is idle. */
const OWN_DESCRIPTORS = 48;

/**
 * A runtime that runs out of descriptors half-way dies without saying of what.
 *
 * @throws InputError when so many inputs and outputs could bring that about.
 */
function checkOpenFilesLimit(
  inputs: readonly InputSpec[],
  routes: readonly RoutePlan[],
): void {
  const limit = openFilesLimit().soft;
  // One output is among the program's own.
  const needed = OWN_DESCRIPTORS + inputs.length + routes.length - 1;
  if (limit >= needed) return;
  throw new InputError(
    `cannot start with at most ${limit} open files: with ${
      counted(inputs.length, "input")
    } and ${
      counted(routes.length, "output")
    } it takes ${needed}; raise the limit (ulimit -n, LimitNOFILE=)`,
  );
}

/** Named pipes of folders, as many as there may be. */
interface Room {
  readonly maxInputs: number;
  /** In words, what the limit is. */
  readonly limitedBy: string;
}

/**
 * How many named pipes of folders can be read at the same time. How many there will
 * be is not known before, so the limit of open files is raised as far as it can be.
 *
 * @param routes those that there are from the start
 * @param each how many descriptors each takes, with its output
 */
export function roomForFolders(
  inputs: readonly InputSpec[],
  routes: readonly RoutePlan[],
  each: number,
): Room {
  const { hard } = openFilesLimit();
  setOpenFilesLimit({ soft: hard, hard });
  const limit = openFilesLimit().soft;
  const left = limit - OWN_DESCRIPTORS - inputs.length - routes.length;
  const byFiles = Math.max(0, Math.floor(left / each));
  const byPlaces = MAX_INPUTS - inputs.length;
  return byFiles < byPlaces
    ? {
      maxInputs: byFiles,
      limitedBy:
        `with at most ${limit} open files ${byFiles} can be read; raise the limit (ulimit -Hn, LimitNOFILE=)`,
    }
    : { maxInputs: byPlaces, limitedBy: `at most ${MAX_INPUTS} inputs can be read` };
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

/** `--create`: makes the named pipes and folders that are missing. @throws InputError */
function createInputs(
  inputs: readonly InputSpec[],
  folders: readonly string[],
): void {
  for (const { source } of inputs) {
    if (source.kind === "fifo") createFifo(source.path);
  }
  folders.forEach(createFolder);
}

/** A batch of an outlet; it must hold the longest line. */
const HAND_BYTES = 256 * 1024;

/**
 * The lanes of each route's inputs. Routes whose lanes have the same sizes share their
 * memories.
 *
 * @throws InputError when the system has not so much.
 */
export function allocateRoutes(plans: readonly RoutePlan[]): Lane[][] {
  const alike = Map.groupBy(plans, (plan) => Object.values(sizesOf(plan)).join());
  const lanes = new Map<RoutePlan, Lane[]>();
  for (const plans of alike.values()) {
    const all = allocate(plans);
    for (const plan of plans) lanes.set(plan, all.splice(0, plan.inputs.length));
  }
  return plans.map((plan) => lanes.get(plan)!);
}

/** @param plans at least one; the lanes of all have the same sizes */
function allocate(plans: readonly RoutePlan[]): Lane[] {
  const count = plans.reduce((sum, { inputs }) => sum + inputs.length, 0);
  const sizes = sizesOf(plans[0]!);
  try {
    return allocateLanes(count, sizes);
  } catch (error) {
    throw new InputError(
      `cannot reserve ${count} × ${sizes.capacityBytes} bytes of memory: ${
        messageOf(error)
      }; ask for a smaller --capacity or --max-line`,
    );
  }
}

/** The sizes of the lanes of a route. */
export function sizesOf({ capacityBytes, maxLineBytes, format }: RoutePlan): LaneSizes {
  return {
    capacityBytes,
    landingBytes: landingBytesFor(maxLineBytes),
    handBytes: Math.max(HAND_BYTES, maxLineBytes + 1),
    outputBytes: outputBytesFor(format, maxLineBytes),
  };
}
