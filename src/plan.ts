/** What a command line comes to; cli/ makes it. Nothing beyond knows that there was one. */

import type { Container } from "./containerd/container.ts";
import type { FormatName } from "./formats/formats.ts";
import type { InputSpec } from "./input/pipe_source.ts";
import type { FullPolicy } from "./lane/ring_producer.ts";
import type { Destination } from "./output/sink.ts";
import type { ListenAddress } from "./runtime/tcp_listener.ts";

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

export interface Plan {
  readonly routes: readonly RoutePlan[];
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
  /** Whose logging binary this is, if it is one. */
  readonly container: Container | undefined;
}

/** Every input of a plan, in the order of its routes. */
export function inputsOf({ routes }: Pick<Plan, "routes">): InputSpec[] {
  return routes.flatMap(({ inputs }) => inputs);
}
