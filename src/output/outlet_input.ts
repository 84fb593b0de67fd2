import type { Stream } from "../formats/format.ts";
import { RECORDS_AT } from "../formats/record_writer.ts";
import { kernels } from "../kernels/kernels.ts";
import type { HandJournal } from "../lane/hand_journal.ts";
import type { Lane } from "../lane/lane.ts";
import { LaneCounters } from "../lane/lane_counters.ts";
import { RingConsumer } from "../lane/ring_consumer.ts";
import { UnusedPages } from "../lane/unused_pages.ts";
import { addressOfMemory } from "../system/memory.ts";
import type { Origin } from "./delivery.ts";
import { Headway } from "./headway.ts";
import { Refused } from "./refused.ts";
import type { Sink } from "./sink.ts";

export interface LabelledLane {
  readonly label: string;
  readonly lane: Lane;
  /** Of an input that was found in a folder; see `FoundFifo`. */
  readonly found?: number | undefined;
  /** Of an earlier run whose lines these are. Those of later runs come after them. */
  readonly run?: string | undefined;
}

/** What all inputs of an outlet have in common. */
export interface InputContext {
  /** Names this run among those of all machines; one like it was never made before. */
  readonly run: string;
  /** When the program started, in microseconds since 1970. */
  readonly startTime: number;
  readonly sink: Sink;
}

/** What an outlet keeps of one of its inputs. */
export interface Input extends Origin {
  /** See `LabelledLane`. */
  readonly run: string | undefined;
  readonly found: number | undefined;
  readonly consumer: RingConsumer;
  /** Where its lane is kept. */
  readonly journal: HandJournal | undefined;
  readonly stream: Stream;
  /** Numbers of the line and byte after those that were taken, from 0. */
  nextLine: number;
  nextByte: number;
  /** Its hand, and the records that formats write. */
  readonly pages: UnusedPages;
  /** What is missing in it was lost with the machine. */
  readonly isDamaged: boolean;
  /** The same input in an earlier run: its lines come first. */
  readonly earlier: Input | undefined;
}

/**
 * The outlet's end of a lane. On the thread of its loop.
 *
 * @param others those that it has
 */
export function inputOf(
  { label, run, lane, found }: LabelledLane,
  { sink, startTime, run: thisRun }: InputContext,
  others: readonly Input[],
): Input {
  const consumer = new RingConsumer(lane, startTime);
  const { journal } = consumer;
  const hand = { at: lane.handAt, bytes: lane.handBytes };
  const records = {
    at: lane.outputAt + RECORDS_AT,
    bytes: Math.max(0, lane.outputBytes - RECORDS_AT),
  };
  return {
    run,
    found,
    consumer,
    stream: {
      label,
      // Another input with the same label may have come before, and counted from 0, too.
      run: run ?? (found === undefined ? thisRun : `${thisRun}-${found}`),
      memory: new Uint8Array(lane.memory.buffer),
      kernels: kernels(lane.memory),
      handAt: lane.handAt,
      outputAt: lane.outputAt,
      address: addressOfMemory(lane.memory),
    },
    counters: new LaneCounters(lane),
    refused: new Refused(),
    journal,
    headway: journal && new Headway(journal, sink),
    nextLine: 0,
    nextByte: 0,
    pages: new UnusedPages(lane.memory, [
      ...(lane.kept ? [] : [hand]),
      records,
    ]),
    isDamaged: lane.damaged === true,
    earlier: lane.kept
      ? others.findLast(({ stream }) => stream.label === label)
      : undefined,
  };
}
