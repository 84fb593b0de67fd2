import { messageOf, OutputError, SinkClosedError } from "../errors.ts";
import { makeFormat } from "../formats/formats.ts";
import { Delivery } from "../output/delivery.ts";
import { DescriptorLoop } from "../output/descriptor_loop.ts";
import { unpackLane } from "../lane/sent_lane.ts";
import { Outlet } from "../output/outlet.ts";
import { ServedLoop } from "../output/served_loop.ts";
import { SERVED } from "../output/sink.ts";
import { kindOf } from "../output/sinks.ts";
import { signal } from "../system/event_counter.ts";
import { hostName } from "../system/process.ts";
import { Board } from "../threads/board.ts";
import { Doorbell } from "../threads/doorbell.ts";
import { Gate } from "../threads/gate.ts";
import { note, type RouteEnd, say } from "./thread_messages.ts";
import type { OutletStart, OutputStart } from "./thread_start.ts";

/** An output loop's thread, until all its outlets have ended. */
export async function runOutputThread(start: OutputStart): Promise<void> {
  const board = Board.attach(start.shared.board);
  const doorbell = Doorbell.attach(start.doorbell);
  const loop = start.loop === SERVED
    ? new ServedLoop(doorbell)
    : new DescriptorLoop(doorbell);
  for (const [plate, outlet] of start.outlets.entries()) {
    const { route } = outlet;
    try {
      loop.add(plate, openOutlet(outlet, board, start), {
        onEnded: () => say({ kind: "route flushed", route }),
        onFailed: (error) => say(routeFailed(route, error)),
      });
    } catch (error) {
      say(routeFailed(route, error));
    }
  }
  Gate.attach(start.shared.outletsReady).arrive();
  await loop.run();
}

function routeFailed(route: number, error: unknown): RouteEnd {
  const message = messageOf(error);
  if (error instanceof SinkClosedError) {
    return { kind: "route failed", route, cause: "closed", message };
  }
  const cause = error instanceof OutputError ? "refused" : "fault";
  return { kind: "route failed", route, cause, message };
}

/** @throws PermanentError when the destination can never work. */
function openOutlet(
  { route, plan, lanes }: OutletStart,
  board: Board,
  { thread, memories, shared: { startTime, wakeUps } }: OutputStart,
): Outlet {
  const { output, format, maxLineBytes, whenFull, markers } = plan;
  const kind = kindOf(output);
  const sink = kind.open(output, {
    onNotice: (message) => note({ event: "output_notice", message }),
    onRotationFailing: (message) => note({ event: "rotation_failing", message }),
    onRotationRecovered: (message) => note({ event: "rotation_recovered", message }),
    onPlainFiles: (files) => say({ kind: "plain files", files }),
  }, format);
  return new Outlet({
    lanes: plan.inputs.map(({ label }, index) => ({
      label,
      lane: unpackLane(lanes[index]!, memories),
    })),
    board,
    delivery: new Delivery(sink, {
      board,
      words: board.route(route),
      steps: board.steps(thread),
      events: {
        onSinkFailing: (message) => say({ kind: "sink failing", route, message }),
        onSinkRecovered: () => say({ kind: "sink recovered", route }),
        onReopened: () => say({ kind: "reopened", route }),
        onSinkRejecting: (message) => say({ kind: "sink rejecting", route, message }),
      },
    }),
    format: makeFormat(format, {
      maxLineBytes,
      run: crypto.randomUUID(),
      host: hostName(),
      bare: kind.makesDocuments ?? false,
      ...(output.syslog && { syslog: output.syslog }),
    }),
    markers,
    gapReason: whenFull === "overwrite" ? "overwritten" : "dropped",
    startTime,
    onRoom: () => signal(wakeUps),
  });
}
