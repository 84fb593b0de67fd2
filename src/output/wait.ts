/**
 * What has to happen before an outlet can go on, beside that its lanes have something
 * for it; any one of these is enough. It is filled in by whoever cannot go on, and
 * cleared before each step.
 */
export class Wait {
  /** A descriptor, or -1 for none, and the events of poll(2) that are waited for. */
  descriptor = -1;
  events = 0;
  /** On the clock of `performance.now`; Infinity: no time. */
  atMs = Infinity;
  /** It never rejects. Only where the event loop runs. */
  promise: Promise<void> | undefined;

  clear(): void {
    this.descriptor = -1;
    this.events = 0;
    this.atMs = Infinity;
    this.promise = undefined;
  }

  forDescriptor(descriptor: number, events: number): void {
    this.descriptor = descriptor;
    this.events = events;
  }

  /** At the latest then. */
  until(timeMs: number): void {
    this.atMs = Math.min(this.atMs, timeMs);
  }
}
