/** What the kernel knows of a running process, from /proc. */

export interface Memory {
  /** Resident now, and at most since the start. */
  readonly residentBytes: number;
  readonly peakBytes: number;
}

export function memoryOf(pid: number): Memory {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return { residentBytes: field(status, "VmRSS"), peakBytes: field(status, "VmHWM") };
}

function field(status: string, name: string): number {
  return 1024 *
    Number(new RegExp(`^${name}:\\s*(\\d+) kB`, "m").exec(status)?.[1] ?? NaN);
}

const TICKS_PER_SECOND = 100;

/** Processor time of all threads so far, those that have ended included. */
export function cpuSecondsOf(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  // The name, in parentheses, may hold anything; fields are counted after it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

export interface Activity {
  /** How often a thread went to sleep of its own accord. */
  readonly sleeps: number;
  /** Its processor time, to the nanosecond. */
  readonly cpuSeconds: number;
}

/** What each thread has done so far. */
export function activityOf(pid: number): Map<string, Activity> {
  const threads = new Map<string, Activity>();
  for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
    const task = `/proc/${pid}/task/${name}`;
    const status = Deno.readTextFileSync(`${task}/status`);
    const schedule = Deno.readTextFileSync(`${task}/schedstat`);
    threads.set(name, {
      sleeps: Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(status)?.[1] ?? NaN),
      cpuSeconds: Number(schedule.split(" ")[0]) / 1e9,
    });
  }
  return threads;
}

/** What all threads that are there now have done since then. */
export function activitySince(
  before: ReadonlyMap<string, Activity>,
  now: ReadonlyMap<string, Activity>,
): Activity {
  let [sleeps, cpuSeconds] = [0, 0];
  for (const [thread, activity] of now) {
    sleeps += activity.sleeps - (before.get(thread)?.sleeps ?? 0);
    cpuSeconds += activity.cpuSeconds - (before.get(thread)?.cpuSeconds ?? 0);
  }
  return { sleeps, cpuSeconds };
}
