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
  /** How often threads went to sleep of their own accord. */
  readonly sleeps: number;
  /** Processor time of the threads that run, to the nanosecond. */
  readonly cpuSeconds: number;
}

export function activityOf(pid: number): Activity {
  let [sleeps, cpuSeconds] = [0, 0];
  for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
    const task = `/proc/${pid}/task/${name}`;
    const status = Deno.readTextFileSync(`${task}/status`);
    sleeps += Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(status)?.[1] ?? NaN);
    cpuSeconds += Number(Deno.readTextFileSync(`${task}/schedstat`).split(" ")[0]) / 1e9;
  }
  return { sleeps, cpuSeconds };
}
