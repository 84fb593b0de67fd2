import { assert, assertEquals } from "@std/assert";
import { checkConservation, numberedLines } from "./numbered_lines.ts";
import { exists, makeCertificates } from "./peers.ts";
import { needing } from "./installed.ts";
import { HAS_JOURNALD, Journald } from "./journald.ts";
import { type Program, testExecutables } from "./programs.ts";
import { makeRsyslogd, type Rsyslogd } from "./rsyslog.ts";
import { inFolder, reportsIn, run, start, summaryIn, until } from "./run.ts";

const JSON_REPORTS = ["--report", "json"];

function testWithRsyslog(name: string, test: (program: Program) => Promise<void>): void {
  const { name: fullName, ignore } = needing(name, "rsyslogd", "rsyslog");
  testExecutables(fullName, test, { ignore });
}

/** Runs a test with an rsyslogd of its own. */
async function withRsyslogd(test: (rsyslogd: Rsyslogd) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const rsyslogd = makeRsyslogd(folder);
    await rsyslogd.server.start();
    try {
      await test(rsyslogd);
    } finally {
      await rsyslogd.server.stop();
    }
  });
}

const WAYS = {
  "syslog:": ({ port }: Rsyslogd) => `syslog://127.0.0.1:${port}`,
  "syslog+tcp:": ({ port }: Rsyslogd) => `syslog+tcp://localhost:${port}`,
  "syslog+unix:": ({ socket }: Rsyslogd) => `syslog+unix:${socket}`,
  "syslog+unix: with RFC 5424": ({ rfc5424Socket }: Rsyslogd) =>
    `syslog+unix:${rfc5424Socket}`,
};

for (const [way, destination] of Object.entries(WAYS)) {
  const isLocal = way === "syslog+unix:";
  const flags = way.endsWith("RFC 5424") ? ["--format", "rfc5424"] : [];
  testWithRsyslog(
    `${way} rsyslogd receives line for line what was written`,
    (program) =>
      withRsyslogd(async (rsyslogd) => {
        const output = `${destination(rsyslogd)}?facility=local3&tag=api`;
        const input = 'first\n\n[brackets] "quotes"\n\ttab\nü → 日本\nno newline';
        const { code, stderr } = await run(
          program,
          ["--output", output, ...flags, ...JSON_REPORTS],
          input,
        );
        assertEquals(code, 0, stderr);
        checkConservation(summaryIn(stderr));
        // The local dialect has no place for the stream; the message begins after the colon.
        const before = isLocal ? "local3.info api - " : "local3.info api stdout";
        const expected = input.replace("\t", "#011").split("\n")
          .map((line) => `${before} ${line}\n`).join("");
        await until(
          "all lines",
          () => rsyslogd.output().split("\n").length >= expected.split("\n").length,
        );
        assertEquals(rsyslogd.output(), expected);
      }),
  );
}

const JOURNALD_TEST = "syslog+unix: journald files messages under their tag and priority";

testExecutables(
  HAS_JOURNALD ? JOURNALD_TEST : `${JOURNALD_TEST} (needs systemd-journald and root)`,
  (program) =>
    inFolder(async (folder) => {
      const journald = new Journald();
      await journald.start();
      try {
        const [out, err] = [`${folder}/out`, `${folder}/err`];
        const destination = `syslog+unix:${journald.socket}?tag=api&facility=local0`;
        const spillway = start(program, [
          ...["--fifo", `stdout=${out}`, "--fifo", `stderr=${err}`, "--create", "--once"],
          ...["--output", destination, "--report", "none"],
        ]);
        await until("the FIFOs", () => exists(out) && exists(err));
        const lines = ["first", "", "with\ttab", "\u001b[31mred", "ü → 日本"];
        await Promise.all([
          Deno.writeTextFile(out, lines.join("\n") + "\n", { create: false }),
          Deno.writeTextFile(err, "an error\n", { create: false }),
        ]);
        await spillway.end();
        assertEquals([await spillway.code, await spillway.stderr], [0, ""]);
        await spillway.readAll();
        await until("all lines", () => journald.entries("api").length > lines.length, 50);
        const entries = journald.entries("api");
        const messages = (priority: string) =>
          entries.filter((entry) => entry.PRIORITY === priority)
            .map(({ MESSAGE }) => MESSAGE);
        assertEquals(
          messages("6"),
          lines.map((line) => line.replace("\u001b", "#033")),
        );
        assertEquals(messages("3"), ["an error"]);
        for (const { SYSLOG_FACILITY, SYSLOG_PID } of entries) {
          assertEquals([SYSLOG_FACILITY, SYSLOG_PID], ["16", `${spillway.pid}`]);
        }
      } finally {
        await journald.stop();
      }
    }),
  { ignore: !HAS_JOURNALD },
);

testWithRsyslog(
  "syslog+tcp: every line arrives though rsyslogd is killed and started ten times",
  (program) =>
    withRsyslogd(async (rsyslogd) => {
      const spillway = start(program, [
        ...["--output", WAYS["syslog+tcp:"](rsyslogd), "--drain-timeout", "20s"],
        ...JSON_REPORTS,
      ]);
      const [rounds, perRound] = [10, 2000];
      for (let round = 0; round < rounds; round++) {
        const before = rsyslogd.output().length;
        const written = spillway.write(numberedLines(round * perRound, perRound));
        await until(
          () => `some more lines in round ${round}; got ${spillway.stderrSoFar}`,
          () => rsyslogd.output().length > before,
        );
        await rsyslogd.server.stop(round % 2 === 0 ? "SIGTERM" : "SIGKILL");
        await rsyslogd.server.start();
        await written;
      }
      // A peer that died with lines unread is found out by what is sent next.
      await spillway.write(numberedLines(rounds * perRound, 1));
      await spillway.end();
      assertEquals(await spillway.code, 0);
      const summary = summaryIn(await spillway.stderr);
      checkConservation(summary);
      const count = rounds * perRound + 1;
      assertEquals(summary.lines_out, count);
      const numbers = () =>
        new Set(Array.from(rsyslogd.output().matchAll(/ stdout (\d+) /g), ([, n]) => n));
      await until("every line", () => numbers().size === count);
    }),
);

testWithRsyslog(
  "syslog: says that nobody listens, once, and goes on when somebody does",
  (program) =>
    inFolder(async (folder) => {
      const rsyslogd = makeRsyslogd(folder);
      const spillway = start(program, [
        ...["--output", WAYS["syslog:"](rsyslogd)],
        ...JSON_REPORTS,
      ]);
      await spillway.write(numberedLines(0, 5));
      const report = await spillway.reported(
        "a failure",
        (r) => r.event === "sink_failing",
      );
      assert(report.message?.includes("Connection refused"), report.message);
      await rsyslogd.server.start();
      try {
        await spillway.end();
        assertEquals(await spillway.code, 0);
        const reports = reportsIn(await spillway.stderr)
          .filter(({ event }) => event.startsWith("sink_"));
        assertEquals(reports.map(({ event }) => event), [
          "sink_failing",
          "sink_recovered",
        ]);
        await until("all lines", () => rsyslogd.output().split("\n").length > 5);
      } finally {
        await rsyslogd.server.stop();
      }
    }),
);

testWithRsyslog(
  "counts a message as rejected that no datagram can hold",
  (program) =>
    withRsyslogd(async (rsyslogd) => {
      // The first piece of it is too long, and the rest goes with it.
      const long = "x".repeat(70_000);
      const { code, stderr } = await run(
        program,
        [
          ...["--output", WAYS["syslog:"](rsyslogd), "--max-line", "64KiB"],
          ...JSON_REPORTS,
        ],
        `before\n${long}\nafter\n`,
      );
      assertEquals(code, 0, stderr);
      const summary = summaryIn(stderr);
      checkConservation(summary);
      assertEquals(summary.lines_rejected, 1);
      assertEquals(summary.bytes_rejected, long.length + 1);
      assertEquals(summary.lines_out, 2);
      assert(stderr.includes("too long for a datagram"), stderr);
    }),
);

testWithRsyslog(
  "splits a long line into pieces that fit a datagram",
  (program) =>
    withRsyslogd(async (rsyslogd) => {
      const { code, stderr } = await run(
        program,
        ["--output", WAYS["syslog:"](rsyslogd), ...JSON_REPORTS],
        `${"x".repeat(70_000)}\n`,
      );
      assertEquals(code, 0, stderr);
      const summary = summaryIn(stderr);
      assertEquals([summary.lines_out, summary.lines_rejected], [1, 0]);
    }),
);

const TLS_TEST =
  "syslog+tls: every line arrives encrypted though rsyslogd is stopped in the middle";
const hasTls = exists(
  `/usr/lib/${Deno.build.arch}-linux-gnu/rsyslog/lmnsd_gtls.so`,
);

testExecutables(
  hasTls ? TLS_TEST : `${TLS_TEST} (needs TLS of the Debian package rsyslog-gnutls)`,
  (program) =>
    inFolder(async (folder) => {
      const tls = await makeCertificates(folder);
      const rsyslogd = makeRsyslogd(folder, tls);
      await rsyslogd.server.start();
      try {
        const address = `syslog+tls://localhost:${rsyslogd.tlsPort}`;
        const client = `cert=${tls.clientCert}&key=${tls.clientKey}`;
        const spillway = start(program, [
          ...["--output", `${address}?ca=${tls.ca}&${client}`, ...JSON_REPORTS],
        ]);
        const numbers = () =>
          new Set(
            Array.from(rsyslogd.output().matchAll(/ stdout (\d+) /g), ([, n]) => n),
          );
        await spillway.write(numberedLines(0, 1000));
        await until("the first lines", () => numbers().size === 1000);
        await spillway.counted("they count", (s) => s.lines_out === 1000);
        await rsyslogd.server.stop("SIGKILL");
        await spillway.write(numberedLines(1000, 1000));
        await spillway.reported("a failure", (r) => r.event === "sink_failing");
        await rsyslogd.server.start();
        await spillway.end();
        assertEquals(await spillway.code, 0);
        const summary = summaryIn(await spillway.stderr);
        checkConservation(summary);
        assertEquals(summary.lines_out, 2000);
        await until("every line", () => numbers().size === 2000);

        const stranger = start(program, [
          ...["--output", address, "--drain-timeout", "1s", ...JSON_REPORTS],
        ]);
        await stranger.write("a\n");
        await stranger.end();
        assertEquals(await stranger.code, 4, "nobody vouches for this server");
      } finally {
        await rsyslogd.server.stop();
      }
    }),
  { ignore: !hasTls },
);
