import { setTimeout as pause } from "node:timers/promises";
import { assertEquals } from "@std/assert";
import { jetstreamManager } from "@nats-io/jetstream";
import { checkConservation, numberedLines } from "./numbered_lines.ts";
import {
  allStored,
  answer,
  makeStream,
  NatsCluster,
  needingNats,
  type Stored,
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
  #failure: unknown;
  readonly #running: Promise<void>;

  constructor(producers: readonly Producer[]) {
    this.#producers = producers;
    this.#running = this.#run().catch((error) => {
      this.#failure = error;
    });
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
    this.check();
  }

  /** @throws what has kept a producer from taking its lines */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}

/** How many messages of each producer the stream holds. */
async function storedOfEach(cluster: NatsCluster): Promise<Record<string, number>> {
  return await answer(cluster.addresses, async (nats) => {
    const { streams } = await jetstreamManager(nats);
    const { state } = await streams.info(STREAM, { subjects_filter: "fleet.>" });
    return state.subjects ?? {};
  });
}

/** Whatever has happened: messages of every producer are stored again after it. */
async function untilStoredAgain(cluster: NatsCluster, load: Load): Promise<void> {
  const before = await storedOfEach(cluster);
  let now = before;
  await until(() => `more messages of each: ${JSON.stringify(now)}`, async () => {
    load.check();
    now = await storedOfEach(cluster);
    const subjects = Object.keys(now);
    return subjects.length === PRODUCERS &&
      subjects.every((subject) => now[subject]! > (before[subject] ?? 0));
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
      await untilStoredAgain(cluster, load);

      await answer(
        cluster.addresses,
        (nats) => nats.request(`$JS.API.STREAM.LEADER.STEPDOWN.${STREAM}`),
      );
      await untilStoredAgain(cluster, load);

      const leader = await answer(cluster.addresses, async (nats) => {
        const { cluster } = await streamInfo(nats, STREAM);
        if (!cluster?.leader) throw new Error("the stream has no leader");
        return cluster.leader;
      });
      const node = cluster.servers[Number(leader.split("-")[1])]!;
      await node.server.stop("SIGKILL");
      await untilStoredAgain(cluster, load);
      await node.server.start();

      await cluster.stop();
      await cluster.start();
      await untilStoredAgain(cluster, load);

      await load.stop();
      await Promise.all(producers.map(({ spillway }) => spillway.end()));
      for (const { spillway, lines } of producers) {
        assertEquals(await spillway.code, 0, spillway.stderrSoFar);
        const summary = summaryIn(await spillway.stderr);
        checkConservation(summary);
        assertEquals(summary.lines_out, lines);
      }
      const messages = await allStored(cluster.addresses, STREAM);
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
