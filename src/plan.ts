/** What a command line comes to; cli/ makes it. Nothing beyond knows that there was one. */

import type { Container } from "./containerd/container.ts";
import type { FormatName } from "./formats/formats.ts";
import type { InputSpec } from "./input/input_spec.ts";
import type { FullPolicy } from "./lane/ring_producer.ts";
import type { Destination } from "./output/sink.ts";
import type { ListenAddress } from "./runtime/tcp_listener.ts";
import { MAX_ROUTES } from "./threads/board.ts";
import { MAX_PLATES } from "./threads/doorbell.ts";

export type ReportStyle = "text" | "json" | "none";

/** One or more inputs and the output that all their lines go to. */
export interface RoutePlan {
  readonly inputs: readonly InputSpec[];
  /** Of each input's ring. */
  readonly capacityBytes: number;
  readonly whenFull: FullPolicy;
  readonly maxLineBytes: number;
  readonly output: Destination;
  /** Folders of the output that placeholders name; made when missing. */
  readonly outputFolders: readonly string[];
  readonly format: FormatName;
  readonly markers: boolean;
}

/** Each may have an output of its own: as many as a board and a doorbell hold. */
export const MAX_INPUTS = Math.min(MAX_ROUTES, MAX_PLATES);

/** Folders whose named pipes are read, those that come while the program runs, too. */
export interface FoldersPlan {
  readonly paths: readonly string[];
  /** Each input has a route of its own; otherwise all go to the first route. */
  readonly perInput: boolean;
  /** What their routes are like, whatever the inputs are called. */
  readonly like: RoutePlan;
  /** @throws UsageError when the output cannot carry it. */
  routeOf(input: InputSpec): RoutePlan;
}

export interface Plan {
  readonly routes: readonly RoutePlan[];
  readonly folders: FoldersPlan | undefined;
  /** Make named pipes that are missing. */
  readonly create: boolean;
  /** An input ends when the last writer of its named pipe closes it. */
  readonly once: boolean;
  readonly pipeSizeBytes: number;
  readonly drainTimeoutMs: number;
  readonly report: ReportStyle;
  /** Reports come between the lines of a command, and tell only what is lost or stuck. */
  readonly quiet: boolean;
  readonly reportIntervalMs: number;
  readonly progress: boolean;
  readonly metrics: ListenAddress | undefined;
  readonly failOnLoss: boolean;
  /** The folder for lanes that outlive the process, and those that are made for it. */
  readonly keep: string | undefined;
  readonly keepFolders: readonly string[];
  /** A file that `keep` has left, and that is read in place of any input. */
  readonly recover: string | undefined;
  /** Where each input has an output of its own: the route of one that is not read. */
  readonly separate: ((input: InputSpec) => RoutePlan) | undefined;
  /** Whose logging binary this is, if it is one. */
  readonly container: Container | undefined;
}

/** Every input of a plan, in the order of its routes. */
export function inputsOf({ routes }: Pick<Plan, "routes">): InputSpec[] {
  return routes.flatMap(({ inputs }) => inputs);
}
