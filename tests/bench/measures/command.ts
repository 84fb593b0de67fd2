/** What it costs a command to be started by Spillway, beside being started alone. */

import { inFolder } from "../pipeline.ts";
import { inTurns, type Measure, type Ratio, type Row } from "../results.ts";
import { isSpillway, SPILLWAYS, type Subject } from "../subjects.ts";
import type { Written } from "../command_writer.ts";

const MEGABYTE = 1e6;
const STARTS = 10;
const WRITER = new URL("../command_writer.ts", import.meta.url).pathname;
const ALONE: Subject = { name: "alone", command: [], version: undefined };
const SUBJECTS = [...SPILLWAYS, ALONE];

export const command: Measure = {
  name: "command",
  title: "A command started by Spillway",
  async run({ quick, rounds }) {
    const megabytes = quick ? 200 : 2000;
    const flood = (sink: Sink) =>
      inTurns(SUBJECTS, rounds, (subject) => write(subject, megabytes, sink));
    const starts = await inTurns(SUBJECTS, rounds, startMs);
    const read = await flood("read");
    const frozen = await flood("frozen");
    const lines = `${megabytes} MB of 100-byte lines`;
    return [
      ...rows("true, from its start to its end", "ms", starts),
      ...rows(`${lines} to a reader`, "MB/s", of(read, speedOf(megabytes))),
      ...rows(`${lines}, nobody reads`, "MB/s", of(frozen, speedOf(megabytes))),
      ...rows(`${lines}, nobody reads: longest write`, "ms", of(frozen, longestOf)),
    ];
  },
};

/** Who reads what the command writes; nobody, where it is "frozen". */
type Sink = "read" | "frozen";

function of(
  found: ReadonlyMap<string, readonly Written[]>,
  value: (written: Written) => number,
): Map<string, number[]> {
  return new Map([...found].map(([subject, rounds]) => [subject, rounds.map(value)]));
}

function speedOf(megabytes: number): (written: Written) => number {
  return ({ seconds }) => megabytes / seconds;
}

function longestOf({ longestMs }: Written): number {
  return longestMs;
}

/** Each beside the command alone. */
function rows(what: string, unit: string, found: ReadonlyMap<string, number[]>): Row[] {
  const alone = found.get(ALONE.name)!;
  return [...found].map(([subject, values]) => {
    const ratio: Ratio | undefined = isSpillway(subject)
      ? { to: ALONE.name, values: values.map((value, round) => value / alone[round]!) }
      : undefined;
    return { what, subject, unit, values, ratio };
  });
}

/** The mean of some. */
async function startMs({ command }: Subject): Promise<number> {
  const args = command.length === 0 ? ["true"] : [...command, "--", "true"];
  const beforeMs = performance.now();
  for (let start = 0; start < STARTS; start++) await finish(args, THROWN_AWAY);
  return (performance.now() - beforeMs) / STARTS;
}

/** Alone it has a reader in any case: without one it would only show that it blocks. */
function write(
  { name, command }: Subject,
  megabytes: number,
  sink: Sink,
): Promise<Written> {
  return inFolder(async (folder) => {
    const file = `${folder}/written`;
    const writer = [
      // Deno takes no smaller permission for a file in /dev.
      ...[Deno.execPath(), "run", "--quiet", "--allow-all"],
      ...[WRITER, `${megabytes * MEGABYTE}`, file],
    ];
    if (!isSpillway(name)) await finish(writer, READ);
    else if (sink === "read") {
      await finish([...command, "--when-full", "block", "--", ...writer], READ);
    } else await finishUnread([...command, "--drain-timeout", "0ms", "--", ...writer]);
    return JSON.parse(await Deno.readTextFile(file));
  });
}

/** What is done with what it writes, as a shell has it. */
const THROWN_AWAY = 'exec "$@" >/dev/null';
const READ = 'set -o pipefail; "$@" | cat >/dev/null';

async function finish(args: readonly string[], script: string): Promise<void> {
  const { success, stderr } = await new Deno.Command("bash", {
    args: ["-c", script, "bash", ...args],
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

async function finishUnread([program, ...args]: readonly string[]): Promise<void> {
  const child = new Deno.Command(program!, {
    args,
    stdout: "piped",
    stderr: "null",
  }).spawn();
  await child.status;
  await child.stdout.cancel();
}
