/**
 * `deno task test`: makes the executables, runs all tests, or those in the files and
 * folders that are named, and says at the end what was skipped and how to have it run.
 * It must not be called `test.ts`: `deno test` would take it for one of the tests, and
 * run them all again within it.
 */

/** Files at once, for each processor: most of the time a test waits for its program. */
const FILES_PER_CORE = 2;

const JOBS = Deno.env.get("DENO_JOBS") ??
  `${FILES_PER_CORE * navigator.hardwareConcurrency}`;
const FILES = Deno.args.length > 0 ? Deno.args : ["tests/"];

async function deno(...args: string[]): Promise<number> {
  const env = { DENO_JOBS: JOBS };
  const { code } = await new Deno.Command(Deno.execPath(), { args, env }).spawn().status;
  return code;
}

const report = await Deno.makeTempFile({ suffix: ".xml" });
try {
  await deno("run", "--allow-all", "tests/build_programs.ts");
  // Types are for `deno task check`.
  const flags = ["--allow-all", "--no-check", "--quiet", "--parallel"];
  Deno.exitCode = await deno("test", ...flags, `--junit-path=${report}`, ...FILES);
  const text = await Deno.readTextFile(report);
  // Which executables there are is found out when this is loaded.
  const { describeSkipped, skippedIn } = await import("./skipped.ts");
  // It is empty where no test could be run, and Deno has said why.
  if (text !== "") console.log(describeSkipped(skippedIn(text)));
} finally {
  await Deno.remove(report);
}
