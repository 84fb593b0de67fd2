import type { Lane } from "../lane/lane.ts";
import type { FullPolicy } from "../lane/ring_producer.ts";
import type { InputSpec } from "./input_spec.ts";

/** One input, and where what is read goes. */
export interface ReaderLane {
  readonly input: InputSpec;
  readonly lane: Lane;
  readonly maxLineBytes: number;
  readonly whenFull: FullPolicy;
  /** A number that inputs share whose lines go to one output. */
  readonly route: number;
  /** Says that something was put into the ring. */
  ring(): void;
}
