import { assert, assertEquals, assertMatch } from "@std/assert";
import { makeFullFifo } from "./full_fifo.ts";
import { needing } from "./installed.ts";
import { numberedLines } from "./numbered_lines.ts";
import { type Program, testExecutables } from "./programs.ts";
import { inFolder, run } from "./run.ts";
import { Terminal } from "./terminal.ts";

const ESC = "\x1b";

/**
 * The meter of a program whose output nobody reads, in a terminal; input is a
 * burst, and then nothing until the file `go` appears in the folder.
 */
async function withMeter(
  program: Program,
  columns: number,
  test: (terminal: Terminal, folder: string) => Promise<void>,
  env: Record<string, string> = {},
): Promise<void> {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/burst`, numberedLines(0, 20_000));
    await Deno.writeTextFile(
      `${folder}/test.sh`,
      `cd ${folder}
(cat burst; until [ -e go ]; do sleep 0.05; done) |
  ${program.command.map((word) => `'${word}'`).join(" ")} --progress --capacity 64KiB \\
    --drain-timeout 100ms --report-interval 1h >out
echo "status $?"
`,
    );
    // Full, so that the pipe does not take what little a busy machine leaves over.
    const full = makeFullFifo(`${folder}/out`);
    const script = `exec bash ${folder}/test.sh`;
    const terminal = await Terminal.open(folder, script, columns, 16, env);
    try {
      await test(terminal, folder);
    } finally {
      await terminal.close();
      full.close();
    }
  });
}

/** The last frame, with what depends on the machine's speed left out. */
function frameOf(screen: string): string {
  return screen.split("\n").at(-1)!
    .replace(/stalled \d+(\.\d)? ?s/, (text) => "stalled …".padEnd(text.length))
    .replace(/lost [\d,]+(\.\d+)?k?/, "lost …");
}

const FRAMES = {
  40: /^[█▏▎▍▌▋▊▉░]{8} +(9\d|100)% {5}0→stalled {2}lost …$/,
  80: /^[█▏▎▍▌▋▊▉░]{17} +(9\d|100)% {2}in {11}0 B\/s {2}out stalled …\s+lost …$/,
  200:
    /^[█▏▎▍▌▋▊▉░]{60} +(9\d|100)% of 64KiB {2}in {16}0 B\/s {2}out stalled …\s+lost … lines$/,
};

for (const [columns, frame] of Object.entries(FRAMES)) {
  const test = needing(`the meter's last frame, ${columns} columns wide`, "tmux", "tmux");
  testExecutables(
    test.name,
    (program) =>
      withMeter(program, Number(columns), async (terminal) => {
        const screen = await terminal.shows(/ 0( B\/s {2}out |→)stalled/);
        assertMatch(frameOf(screen), frame);
        // Reports are above the meter, whole.
        const text = screen.replaceAll("\n", " ");
        assert(text.includes("the ring is full and standard output is too slow"), screen);
      }),
    test,
  );
}

const clean = needing("the meter is gone at the end", "tmux", "tmux");
testExecutables(
  clean.name,
  (program) =>
    withMeter(program, 80, async (terminal, folder) => {
      await terminal.shows(/stalled/);
      await Deno.writeTextFile(`${folder}/go`, "");
      const screen = await terminal.shows(/^status 4$/m);
      assert(!screen.includes("█"), screen);
      assertMatch(screen, /left unwritten, in .*\nstatus 4/);
    }),
  clean,
);

const interrupted = needing("the meter is gone after Ctrl-C", "tmux", "tmux");
testExecutables(
  interrupted.name,
  (program) =>
    withMeter(program, 80, async (terminal) => {
      await terminal.shows(/stalled/);
      await terminal.type("C-c");
      const screen = await terminal.shows(/left unwritten, in /);
      assert(!screen.includes("█"), screen);
    }),
  interrupted,
);

const resized = needing("the meter follows the terminal's width", "tmux", "tmux");
testExecutables(resized.name, (program) =>
  withMeter(program, 120, async (terminal) => {
    await terminal.shows(/% of 64KiB .* stalled/);
    await terminal.resize(60, 16);
    const screen = await terminal.shows(/% {5}0→stalled/);
    assertEquals(screen.match(/% {5}0→stalled/g)?.length, 1, screen);
  }), resized);

const colours = needing("the meter has colours unless NO_COLOR is set", "tmux", "tmux");
testExecutables(colours.name, async (program) => {
  for (const noColor of ["", "1"]) {
    await withMeter(program, 80, async (terminal) => {
      await terminal.shows(/stalled/);
      const frame = (await terminal.screen(true)).split("\n").at(-1)!;
      assertEquals(frame.includes(ESC), noColor === "");
    }, { NO_COLOR: noColor });
  }
}, colours);

testExecutables("writes no control codes where there is no terminal", async (program) => {
  const { code, stderr } = await run(program, ["--progress"], numberedLines(0, 1000));
  assertEquals(code, 0);
  assert(!stderr.includes(ESC) && !stderr.includes("█"), stderr);
});
