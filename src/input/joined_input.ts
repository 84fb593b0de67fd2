import type { Lane } from "../lane/lane.ts";
import { LaneCounters } from "../lane/lane_counters.ts";
import { type FullPolicy, RingProducer } from "../lane/ring_producer.ts";
import type { ThreadActivity } from "../system/process.ts";
import { Pace } from "./give_way.ts";
import { InputLoop, type Source } from "./input_loop.ts";
import { LineFramer } from "./line_framer.ts";

interface InputParts {
  readonly source: Source;
  readonly lane: Lane;
  readonly maxLineBytes: number;
  readonly whenFull: FullPolicy;
  /** When the last writer has left, the next one is waited for. */
  readonly waitsForNextWriter: boolean;
  /** Of the output loop; undefined where it is not known. */
  activity(): ThreadActivity | undefined;
  /** Lines have been lost. */
  onLoss(): void;
}

/** Joins a source to its lane: what is read is cut into frames, and pushed. */
export function joinInput(parts: InputParts): InputLoop {
  const { source, lane, maxLineBytes, whenFull, waitsForNextWriter } = parts;
  const counters = new LaneCounters(lane);
  const producer = new RingProducer(lane, whenFull);
  const framer = new LineFramer(lane, producer, counters, maxLineBytes, parts.onLoss);
  const pace = new Pace(counters, parts.activity);
  return new InputLoop(source, framer, pace, lane, waitsForNextWriter);
}
