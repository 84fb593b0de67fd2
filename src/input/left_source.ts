import type { Source } from "./input_loop.ts";
import { ENDED } from "./pipe_source.ts";

/** In the place of an input of which an earlier run has read all that is to be had. */
export class LeftSource implements Source {
  readonly descriptor = -1;
  readonly isOpen = false;
  readonly readableBytes = 0;
  readonly pendingBytes = 0;
  readonly pipeBytes = 0;
  readonly isNamed = false;
  readonly needsLooks = false;
  readonly leaves = false;
  readonly unpollable = false;
  readonly replaced = false;

  constructor(readonly name: string) {}

  read(): number {
    return ENDED;
  }

  probe(): number {
    return ENDED;
  }

  awaitNextWriter(): boolean {
    return false;
  }

  look(): void {}

  close(): void {}
}
