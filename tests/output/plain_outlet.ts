import { RawFormat } from "../../src/formats/raw.ts";
import { Outlet, type OutletContext } from "../../src/output/outlet.ts";
import { Board } from "../../src/threads/board.ts";

const ignored = () => {};

/** An outlet that is raw, with markers, and tells nobody anything, unless asked to. */
export function plainOutlet(
  settings: Pick<OutletContext, "lanes" | "sink"> & Partial<OutletContext>,
): Outlet {
  return new Outlet({
    run: "a run",
    stays: false,
    board: Board.create(),
    slot: 0,
    thread: 1,
    sinkEvents: {
      onSinkFailing: ignored,
      onSinkRecovered: ignored,
      onReopened: ignored,
      onSinkRejecting: ignored,
    },
    format: new RawFormat(),
    markers: true,
    whenFull: "overwrite",
    startTime: 0,
    onRoom: ignored,
    onFlushed: ignored,
    ...settings,
  });
}
