import { testExecutables } from "./programs.ts";
import { start, until } from "./run.ts";

/** After two looks at the board that showed nothing, nobody looks at it any longer. */
const RESTING_AFTER_MS = 2500;
/** More than the kernel's pipes hold. */
const TEXT = `${"x".repeat(99)}\n`.repeat(20_000);

testExecutables(
  "a stall is reported also after a time without input",
  async (program) => {
    const running = start(program, ["--report", "json"]);
    const startMs = performance.now();
    await until(
      "the control thread to rest",
      () => performance.now() - startMs > RESTING_AFTER_MS,
    );
    await running.write(TEXT);
    await running.reported("a stall", ({ event }) => event === "stall");
    await running.kill("SIGTERM");
    await Promise.all([running.readAll(), running.end(), running.code]);
  },
);
