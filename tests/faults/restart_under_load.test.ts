/** What a service manager does that keeps a FIFO open: it ends a run, and starts the next. */

import { assert, assertEquals } from "@std/assert";
import { mkfifo } from "../../src/system/names.ts";
import { EXECUTABLES, testPrograms } from "../end_to_end/programs.ts";
import { Running, start, summaryIn, until } from "../end_to_end/run.ts";
import { checkLines } from "./joined_lines.ts";

const LINE_BYTES = 100;
const SIGNALS = ["SIGTERM", "SIGKILL", "SIGTERM", "SIGKILL"] as const;
/** Each run takes so much at least, while the writer goes on. */
const BYTES_A_RUN = 1e6;
/** Writes numbered lines as fast as they are read until SIGTERM; says how many they were. */
const WRITER = `my ($path, $bytes) = @ARGV;
open(my $fifo, ">", $path) or die $!;
my ($lines, $ends) = (0, 0);
$SIG{TERM} = sub { $ends = 1 };
until ($ends) {
  my $text = "";
  for (1 .. 200) { $text .= ($lines++ . " ") . "x" x ($bytes - 2 - length($lines - 1)) . "\\n" }
  for (my $at = 0; $at < length $text;) { $at += syswrite($fifo, $text, 65536, $at) // 0 }
}
print $lines;`;

testPrograms(
  "restarted again and again while its FIFO is written to at speed, it loses no line and writes none twice",
  async (program) => {
    const folder = await Deno.makeTempDir({ dir: "/dev/shm", prefix: "spillway-test-" });
    const [fifo, log] = [`${folder}/fifo`, `${folder}/log`];
    mkfifo(fifo, 0o600);
    using _held = await Deno.open(fifo, { read: true, write: true });
    const writer = new Running(["perl", "-e", WRITER, fifo, `${LINE_BYTES}`]);
    const run = () =>
      start(program, [
        ...["--fifo", fifo, "--keep", `${folder}/kept`, "--output", log],
        ...["--when-full", "block", "--report", "json"],
      ]);
    try {
      let spillway = run();
      for (const signal of SIGNALS) {
        await growth(log, spillway);
        assert(!writer.ended, writer.stderrSoFar);
        if (signal === "SIGKILL") Deno.kill(spillway.pid, signal);
        else await spillway.kill(signal);
        const code = await spillway.code;
        assertEquals(code, signal === "SIGKILL" ? 128 + 9 : 0, await spillway.stderr);
        spillway = run();
      }
      await growth(log, spillway);
      const lines = writer.readAll();
      await writer.kill("SIGTERM");
      assertEquals(await writer.code, 0);
      await spillway.kill("SIGTERM");
      assertEquals(await spillway.code, 0, await spillway.stderr);
      assertEquals(summaryIn(await spillway.stderr).bytes_kept, 0);
      checkLines(Deno.readTextFileSync(log).split("\n").slice(0, -1), {
        lines: Number(new TextDecoder().decode(await lines)),
        lineBytes: LINE_BYTES,
        overwrites: false,
      });
    } finally {
      if (!writer.ended) Deno.kill(writer.pid, "SIGKILL");
      await Deno.remove(folder, { recursive: true });
    }
  },
  { programs: EXECUTABLES },
);

async function growth(log: string, spillway: Running): Promise<void> {
  const before = sizeOf(log);
  await until(`${BYTES_A_RUN} bytes more`, () => {
    assert(!spillway.ended, spillway.stderrSoFar);
    return sizeOf(log) >= before + BYTES_A_RUN;
  }, 1);
}

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return 0;
  }
}
