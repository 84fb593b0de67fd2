/**
 * `deno task test`: makes the executables, runs all tests, or those in the files and
 * folders that are named, and says at the end what was skipped and how to have it run.
 * It must not be called `test.ts`: `deno test` would take it for one of the tests, and
 * run them all again within it.
 */

const FILES = Deno.args.length > 0 ? Deno.args : ["tests/"];

async function deno(...args: string[]): Promise<number> {
  const { code } = await new Deno.Command(Deno.execPath(), { args }).spawn().status;
  return code;
}

const report = await Deno.makeTempFile({ suffix: ".xml" });
try {
  await deno("run", "--allow-all", "tests/build_programs.ts");
  const flags = ["--allow-all", "--quiet", "--parallel", `--junit-path=${report}`];
  Deno.exitCode = await deno("test", ...flags, ...FILES);
  const text = await Deno.readTextFile(report);
  // Which executables there are is found out when this is loaded.
  const { describeSkipped, skippedIn } = await import("./skipped.ts");
  // It is empty where no test could be run, and Deno has said why.
  if (text !== "") console.log(describeSkipped(skippedIn(text)));
} finally {
  await Deno.remove(report);
}
