import { assertEquals, assertMatch } from "@std/assert";
import { until } from "../end_to_end/run.ts";
import { RECIPES } from "./documents.ts";
import { section } from "./markdown.ts";
import { type Stage, testOnStage } from "./stage.ts";

const troubleshooting = section(RECIPES, "## Troubleshooting").replaceAll(/\s+/g, " ");

/** An output that nobody reads. */
const FROZEN = "rm -f /run/frozen; mkfifo /run/frozen; exec 9<>/run/frozen; ";
/** Root that may not do everything. */
const MORTAL = "setpriv --bounding-set=-dac_override,-dac_read_search ";

/**
 * Messages that the README explains, as far as it quotes them (… stands for
 * something), and a command that provokes each. Its input stays open until then.
 */
const PROVOKED: Record<string, string> = {
  "the ring is full and … is too slow (… in, … out): … overwritten since …":
    `${FROZEN} seq 1000000 | spillway --capacity 64KiB --drain-timeout 0ms >&9`,
  "… has taken nothing for …; the ring is … full":
    `${FROZEN} (seq 100000; cat) | spillway --drain-timeout 0ms >&9`,
  'cannot write to "…": No space left on device (ENOSPC); trying again':
    "spillway --output /dev/full --drain-timeout 0ms",
  "cannot connect to …: Connection refused (ECONNREFUSED); trying again":
    "spillway --output tcp://127.0.0.1:9 --drain-timeout 0ms",
  "cannot find …; trying again":
    "spillway --output tcp://nobody.invalid:9 --drain-timeout 0ms",
  "standard output was closed by its reader: Broken pipe (EPIPE)":
    "seq 1000000 | spillway --when-full block | true",
  'cannot open FIFO "…": No such file or directory (ENOENT); make one':
    "spillway --fifo /run/nothing",
  'cannot open FIFO "…": not a FIFO but a regular file': "spillway --fifo /etc/hosts",
  'cannot read FIFO "…": process … reads it already':
    "mkfifo /run/shared; for run in 1 2; do spillway --fifo /run/shared & done; " +
    "wait -n; kill $(jobs -p); wait",
  'cannot open FIFO "…": Permission denied (EACCES); this user may not read it':
    `mkfifo -m 0000 /run/locked; ${MORTAL} spillway --fifo /run/locked`,
  'cannot open "…" for appending: Permission denied (EACCES)':
    `mkdir -m 0555 /var/log/locked; ${MORTAL} spillway --output /var/log/locked/log`,
  // Where a peer listens already.
  "cannot listen on … for --metrics: …; name an address": "spillway --metrics 443",
  "cannot start with at most … open files": "ulimit -n 32; spillway",
};

Deno.test("the README explains the messages that are provoked here, and no others", () => {
  const [messages] = troubleshooting.split("Without a message");
  const explained = [...messages!.matchAll(/ - `([^`]+)`/g)].map(([, message]) =>
    message
  );
  assertEquals(explained, Object.keys(PROVOKED));
});

testOnStage("Spillway says what the README quotes", async (t, stage) => {
  for (const [message, command] of Object.entries(PROVOKED)) {
    await t.step(message, () => provoke(stage, message, command));
  }
});

async function provoke(stage: Stage, message: string, command: string): Promise<void> {
  const running = stage.start(command);
  const output = running.readAll();
  await running.write("a line\n").catch(() => {});
  const [before, ...after] = message.split("…").map(RegExp.escape);
  const pattern = new RegExp(`^spillway: .*${[before, ...after].join(".+")}`, "m");
  await until(message, () => running.ended || pattern.test(running.stderrSoFar));
  await running.end().catch(() => {});
  await running.code;
  await output;
  assertMatch(await running.stderr, pattern);
}
