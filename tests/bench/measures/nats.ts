/** How fast lines get into a stream of NATS JetStream, and what that takes. */

import { jetstreamManager } from "@nats-io/jetstream";
import { isInstalled } from "../../end_to_end/installed.ts";
import { NatsCluster, withNats } from "../../end_to_end/nats_servers.ts";
import { until } from "../../end_to_end/run.ts";
import { inFolder, run, writtenPerSecond } from "../pipeline.ts";
import { type Extent, inTurns, type Measure, ratioToBest, type Row } from "../results.ts";
import { isSpillway, SPILLWAYS, type Subject } from "../subjects.ts";

const MIB = 1024 ** 2;
/** Small, so that what warms it up fills it: then as much is stored as is written. */
const CAPACITY_MIB = 0.25;
const PIPE_BYTES = 64 * 1024;
const LINE_BYTES = 100;
const STREAM = "BENCH";
const SUBJECT = "bench.lines";
/** Of the stream; it throws the oldest away. */
const MAX_STORED_BYTES = 128 * MIB;

/** Longer than any of it should take, and as long as the client is given. */
const MAX_SECONDS = 30;
const CLIENT_SECONDS = 2;

interface Batch {
  readonly batch: "lines" | "line";
  readonly what: string;
  /** More than what the client may have under way. */
  readonly warmUpBytes: number;
  readonly totalBytes: number;
}

/** Many lines in a message, or one; and how many bytes are enough to measure it. */
const BATCHES: readonly Batch[] = [
  {
    batch: "lines",
    what: "messages of up to 256 KiB",
    warmUpBytes: 32 * MIB,
    totalBytes: 256 * MIB,
  },
  {
    batch: "line",
    what: "a message a line",
    warmUpBytes: MIB,
    totalBytes: 8 * MIB,
  },
];

/** What the peers run in: the runtimes of the executables, as far as they are here. */
const RUNTIMES: readonly (readonly [string, readonly string[]])[] = [
  ["Deno", [Deno.execPath(), "run", "--quiet", "--allow-all"]],
  ...(isInstalled("bun") ? [["Bun", ["bun"]] as const] : []),
];
const BATCHER = "ten-line batcher";

interface Contender {
  readonly subject: Subject;
  measure(batch: Batch): Promise<Found>;
}

/** What is found of a program in a round. */
interface Found {
  /** A second. */
  readonly megabytes: number;
  readonly cpuSecondsPerGigabyte: number;
  /** While it was at work. */
  readonly residentMib: number;
}

export const nats: Measure = {
  name: "nats",
  isLong: true,
  title: "100-byte lines to a stream with three replicas, three nodes on this machine",
  run: (extent) => isInstalled("nats-server") ? measure(extent) : none(),
};

/** A machine may not have it. */
function none(): Promise<Row[]> {
  console.error("bench: no NATS here: there is no nats-server (Debian: nats-server)");
  return Promise.resolve([]);
}

function measure(extent: Extent): Promise<Row[]> {
  return inFolder(async (folder) => {
    const cluster = new NatsCluster(folder);
    await cluster.start();
    try {
      await makeBenchStream(cluster);
      const contenders = await makeContenders(folder, cluster.addresses);
      const rows: Row[] = [];
      for (const batch of BATCHES) rows.push(...await rowsOf(batch, contenders, extent));
      return rows;
    } finally {
      await cluster.stop("SIGKILL");
    }
  });
}

async function makeBenchStream({ addresses }: NatsCluster): Promise<void> {
  await withNats(addresses, (connection) =>
    until("the stream of the bench", async () => {
      try {
        const manager = await jetstreamManager(connection);
        await manager.streams.add({
          name: STREAM,
          subjects: [SUBJECT],
          num_replicas: 3,
          max_bytes: MAX_STORED_BYTES,
        });
        return true;
      } catch {
        return false;
      }
    }, 100));
}

async function rowsOf(
  batch: Batch,
  contenders: readonly Contender[],
  { quick, rounds }: Extent,
): Promise<Row[]> {
  const found = await inTurns(
    contenders.map(({ subject }) => subject),
    rounds,
    ({ name }) =>
      contenders.find(({ subject }) => subject.name === name)!.measure(
        quick ? { ...batch, totalBytes: batch.totalBytes / 8 } : batch,
      ),
  );
  const values = (subject: string, of: (found: Found) => number) =>
    found.get(subject)!.map(of);
  const subjects = [...found.keys()];
  const speeds = new Map(
    subjects.map((name) => [name, values(name, ({ megabytes }) => megabytes)]),
  );
  const batchers = new Map([...speeds].filter(([name]) => name.startsWith(BATCHER)));
  const { what } = batch;
  return [
    ...[...speeds].map(([subject, values]) => ({
      what,
      subject,
      unit: "MB/s",
      values,
      ratio: isSpillway(subject) ? ratioToBest(values, batchers) : undefined,
    })),
    ...subjects.map((subject) => ({
      what,
      subject,
      unit: "CPU s/GB",
      values: values(subject, ({ cpuSecondsPerGigabyte }) => cpuSecondsPerGigabyte),
    })),
    ...subjects.filter(isSpillway).map((subject) => ({
      what,
      subject,
      unit: "MiB beyond the ring",
      values: values(subject, ({ residentMib }) => residentMib - CAPACITY_MIB),
    })),
  ];
}

/** Those that read a pipe, and the client that reads nothing. */
async function makeContenders(folder: string, addresses: string): Promise<Contender[]> {
  const [batcher, client] = [
    await bundle(folder, "nats_batcher"),
    await bundle(folder, "nats_client"),
  ];
  return [
    ...SPILLWAYS.map((subject) => ({
      subject,
      measure: (batch: Batch) => piped(batch, spillwayTo(subject, addresses, batch)),
    })),
    ...RUNTIMES.map(([runtime, command]) => ({
      subject: { name: `${BATCHER} (${runtime})`, command, version: undefined },
      measure: (batch: Batch) =>
        piped(batch, [...command, batcher, addresses, SUBJECT, batch.batch]),
    })),
    ...RUNTIMES.map(([runtime, command]) => ({
      subject: { name: `the client alone (${runtime})`, command, version: undefined },
      measure: ({ batch }: Batch) =>
        alone([...command, client, addresses, SUBJECT, batch]),
    })),
  ];
}

function spillwayTo(
  { command }: Subject,
  addresses: string,
  { batch }: Batch,
): readonly string[] {
  const output = `nats://${addresses}/${SUBJECT}?batch=${batch}`;
  return [
    ...[...command, "--output", output, "--format", "raw", "--when-full", "block"],
    ...["--capacity", `${CAPACITY_MIB * MIB}`, "--pipe-size", `${PIPE_BYTES}`],
  ];
}

async function bundle(folder: string, peer: string): Promise<string> {
  const source = new URL(`../peers/${peer}.ts`, import.meta.url).pathname;
  const path = `${folder}/${peer}.js`;
  const args = ["bundle", "--quiet", "--platform=deno", "--output", path, source];
  const { success } = await new Deno.Command(Deno.execPath(), { args }).output();
  if (!success) throw new Error(`deno ${args.join(" ")} failed`);
  return path;
}

/** With so small a ring, the writer gets rid of bytes as fast as they are stored. */
async function piped(
  { warmUpBytes, totalBytes }: Batch,
  command: readonly string[],
): Promise<Found> {
  const one = await run({
    command,
    load: {
      writeBytes: 64 * 1024,
      lineBytes: LINE_BYTES,
      warmUpBytes,
      totalBytes,
      seconds: MAX_SECONDS,
    },
  });
  return {
    megabytes: writtenPerSecond(one),
    cpuSecondsPerGigabyte: one.cpuSeconds / one.load.measuredBytes * 1e9,
    residentMib: one.memory.residentBytes / MIB,
  };
}

async function alone([program, ...args]: readonly string[]): Promise<Found> {
  const { stdout, success } = await new Deno.Command(program!, {
    args: [...args, `${CLIENT_SECONDS}`],
    stdin: "null",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`${program} ${args.join(" ")} failed`);
  const { bytes, seconds, cpuSeconds } = JSON.parse(new TextDecoder().decode(stdout));
  return {
    megabytes: bytes / seconds / 1e6,
    cpuSecondsPerGigabyte: cpuSeconds / bytes * 1e9,
    residentMib: NaN,
  };
}
