import { setTimeout as pause } from "node:timers/promises";
import { assertEquals } from "@std/assert";
import { jetstreamManager } from "@nats-io/jetstream";
import { checkConservation, numberedLines } from "./numbered_lines.ts";
import {
  makeStream,
  NatsCluster,
  needingNats,
  type Stored,
  stored,
  streamInfo,
  withNats,
} from "./nats_servers.ts";
import { type Program, testExecutables } from "./programs.ts";
import { inFolder, type Running, start, summaryIn, until } from "./run.ts";

const STREAM = "FLEET";
/** Those that send a message a line are the last ones. */
const PRODUCERS = 10;
const PER_LINE = 2;
const LINES = 20;
const PAUSE_MS = 100;

interface Producer {
  readonly subject: string;
  readonly perLine: boolean;
  readonly spillway: Running;
  lines: number;
}

function startProducer(program: Program, addresses: string, index: number): Producer {
  const subject = `fleet.producer-${index}`;
  const perLine = index >= PRODUCERS - PER_LINE;
  const spillway = start(program, [
    ...[
      "--output",
      `nats://${addresses}/${subject}?timeout=2s${perLine ? "&batch=line" : ""}`,
    ],
    ...["--format", "raw", "--report", "json", "--drain-timeout", "60s"],
  ]);
  return { subject, perLine, spillway, lines: 0 };
}

/** Lines go in all the time, until it is stopped. */
class Load {
  readonly #producers: readonly Producer[];
  #stopped = false;
  readonly #running: Promise<void>;

  constructor(producers: readonly Producer[]) {
    this.#producers = producers;
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      await Promise.all(this.#producers.map(async (producer) => {
        const lines = numberedLines(producer.lines, LINES);
        producer.lines += LINES;
        await producer.spillway.write(lines);
      }));
      await pause(PAUSE_MS);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }
}

/** Whatever has happened: messages of every producer are stored again after it. */
async function untilStoredAgain(cluster: NatsCluster, producers: number): Promise<void> {
  let before: Record<string, number> | undefined;
  await until("messages of every producer", async () => {
    try {
      const counts = await withNats(cluster.addresses, async (nats) => {
        const manager = await jetstreamManager(nats);
        const filter = { subjects_filter: "fleet.>" };
        return (await manager.streams.info(STREAM, filter)).state.subjects ?? {};
      });
      const subjects = Object.keys(counts);
      before ??= counts;
      return subjects.length === producers &&
        subjects.every((subject) => counts[subject]! > (before![subject] ?? 0));
    } catch {
      // Nobody leads the stream at this moment.
      return false;
    }
  }, 200);
}

const { name, ignore } = needingNats(
  "nats: a cluster that loses a node, a leader and all of itself stores each line once",
);

testExecutables(name, (program) =>
  inFolder(async (folder) => {
    const cluster = new NatsCluster(folder);
    await cluster.start();
    const producers: Producer[] = [];
    try {
      await withNats(
        cluster.addresses,
        (nats) => makeStream(nats, STREAM, ["fleet.>"], 3),
      );
      for (let index = 0; index < PRODUCERS; index++) {
        producers.push(startProducer(program, cluster.addresses, index));
      }
      const load = new Load(producers);
      await untilStoredAgain(cluster, PRODUCERS);

      await withNats(cluster.addresses, async (nats) => {
        await nats.request(`$JS.API.STREAM.LEADER.STEPDOWN.${STREAM}`);
      });
      await untilStoredAgain(cluster, PRODUCERS);

      const leader = await withNats(
        cluster.addresses,
        async (nats) => (await streamInfo(nats, STREAM)).cluster?.leader,
      );
      const node = cluster.servers[Number(leader?.split("-")[1])]!;
      await node.server.stop("SIGKILL");
      await untilStoredAgain(cluster, PRODUCERS);
      await node.server.start();

      await cluster.stop();
      await cluster.start();
      await untilStoredAgain(cluster, PRODUCERS);

      await load.stop();
      await Promise.all(producers.map(({ spillway }) => spillway.end()));
      for (const { spillway, lines } of producers) {
        assertEquals(await spillway.code, 0, spillway.stderrSoFar);
        const summary = summaryIn(await spillway.stderr);
        checkConservation(summary);
        assertEquals(summary.lines_out, lines);
      }
      const messages = await withNats(
        cluster.addresses,
        (nats) => stored(nats, STREAM),
      );
      for (const producer of producers) check(producer, messages);
    } finally {
      for (const { spillway } of producers) {
        if (!spillway.ended) Deno.kill(spillway.pid, "SIGKILL");
      }
      await cluster.stop("SIGKILL");
    }
  }), { ignore });

/** In order, but for messages that were under way together when the leader changed. */
function check({ subject, perLine, lines }: Producer, messages: readonly Stored[]): void {
  const texts = messages.filter((message) => message.subject === subject)
    .map(({ text }) => text);
  const expected = numberedLines(0, lines);
  if (perLine) {
    assertEquals(`${texts.sort().join("\n")}\n` === sortedLines(expected), true, subject);
  } else assertEquals(texts.join("") === expected, true, subject);
}

function sortedLines(text: string): string {
  return `${text.trimEnd().split("\n").sort().join("\n")}\n`;
}
