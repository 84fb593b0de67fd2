import { makeFormat } from "../formats/formats.ts";
import { Delivery } from "../output/delivery.ts";
import { DescriptorLoop } from "../output/descriptor_loop.ts";
import { Outlet } from "../output/outlet.ts";
import { ServedLoop } from "../output/served_loop.ts";
import { SERVED } from "../output/sink.ts";
import { kindOf, loopOf, openSink } from "../output/sinks.ts";
import { hostName } from "../system/process.ts";
import { Board } from "../threads/board.ts";
import { Doorbell } from "../threads/doorbell.ts";
import { Gate } from "../threads/gate.ts";
import { wakeReader } from "../threads/wake_pipe.ts";
import { note, say } from "./thread_messages.ts";
import type { DataThreadStart } from "./thread_start.ts";

export async function runFlusherThread(start: DataThreadStart): Promise<void> {
  const { options } = start;
  const doorbell = Doorbell.attach(start.doorbell);
  const loop = loopOf(options.output) === SERVED
    ? new ServedLoop(doorbell)
    : new DescriptorLoop(doorbell);
  let failure: unknown;
  loop.add(openOutlet(start), {
    onEnded: () => {},
    onFailed: (error) => failure = error,
  });
  Gate.attach(start.flusherReady).open();
  await loop.run();
  if (failure !== undefined) throw failure;
}

function openOutlet(start: DataThreadStart): Outlet {
  const { options } = start;
  const board = Board.attach(start.board);
  const sink = openSink(options.output, {
    onRotationFailing: (message) => note({ event: "rotation_failing", message }),
    onRotationRecovered: (message) => note({ event: "rotation_recovered", message }),
    onPlainFiles: (files) => say({ kind: "plain files", files }),
  }, options.format);
  return new Outlet({
    labels: options.inputs.map((input) => input.label),
    rings: start.rings,
    board,
    delivery: new Delivery(sink, board, {
      onSinkFailing: (message) => say({ kind: "sink failing", message }),
      onSinkRecovered: () => say({ kind: "sink recovered" }),
      onReopened: () => say({ kind: "reopened" }),
      onSinkRejecting: (message) => note({ event: "sink_rejecting", message }),
    }),
    format: makeFormat(options.format, {
      maxLineBytes: options.maxLineBytes,
      run: crypto.randomUUID(),
      host: hostName(),
      bare: kindOf(options.output).makesDocuments ?? false,
      ...(options.output.syslog && { syslog: options.output.syslog }),
    }),
    markers: options.markers,
    gapReason: options.whenFull === "overwrite" ? "overwritten" : "dropped",
    startTime: start.startTime,
    onRoom: () => wakeReader(start.wakePipe),
  });
}
