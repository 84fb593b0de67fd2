/**
 * `deno task mutate [WORD]`: makes each mutant (whose file or text holds WORD) in a
 * copy of the program, runs the tests that should notice, and says which one did.
 * Fails when a mutant survives that is not known to be harmless.
 */

import { type Mutant, MUTANTS } from "./mutants.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const COPIED = ["src", "tests", "main.ts", "deno.json", "deno.lock"];
/** Many times what the tests take: a mutant that runs longer hangs, and is caught. */
const TIME_LIMIT_MS = 180_000;

type Verdict =
  | { readonly kind: "caught"; readonly by: string }
  | { readonly kind: "survived" };

async function judge(folder: string, mutant: Mutant): Promise<Verdict> {
  const path = `${folder}/${mutant.file}`;
  const original = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, original.replace(mutant.from, () => mutant.to));
  try {
    for (const tests of mutant.tests) {
      const by = await noticed(folder, tests);
      if (by !== undefined) return { kind: "caught", by: `${tests}: ${by}` };
    }
    return { kind: "survived" };
  } finally {
    await Deno.writeTextFile(path, original);
  }
}

/** The first test in a folder that fails, or undefined when all pass. */
async function noticed(folder: string, tests: string): Promise<string | undefined> {
  const flags = ["--no-check", "--allow-all", "--quiet", "--fail-fast"];
  const timeout = AbortSignal.timeout(TIME_LIMIT_MS);
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["test", ...flags, `tests/${tests}/`],
    cwd: folder,
    env: { NO_COLOR: "1" },
    stderr: "null",
    signal: timeout,
  }).output();
  if (timeout.aborted) return "does not end";
  if (code === 0) return undefined;
  const failed = /^(.*) \.\.\. FAILED/m.exec(new TextDecoder().decode(stdout));
  return failed?.[1] ?? "the program does not start";
}

async function main(word: string): Promise<void> {
  const counts = { caught: 0, harmless: 0, survived: 0 };
  const queue = MUTANTS.filter(({ file, from }) => `${file} ${from}`.includes(word));
  const judgeThem = async (folder: string) => {
    for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
      const verdict = await judge(folder, mutant);
      counts[tell(mutant, verdict)]++;
    }
  };
  await Promise.all(
    Array.from({ length: navigator.hardwareConcurrency }, () => inCopy(judgeThem)),
  );
  const { caught, harmless, survived } = counts;
  console.log(
    `${caught} caught, ${harmless} harmless and explained, ${survived} survived`,
  );
  if (survived > 0) Deno.exit(1);
}

/** With a copy of the program of its own, that may be broken. */
async function inCopy(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "spillway-mutants-" });
  try {
    const { success } = await new Deno.Command("cp", {
      args: ["-R", ...COPIED, folder],
      cwd: ROOT,
    }).output();
    if (!success) throw new Error(`cannot copy the program to ${folder}`);
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

type Outcome = Verdict["kind"] | "harmless";

function tell({ file, from, to, harmless }: Mutant, verdict: Verdict): Outcome {
  const caught = verdict.kind === "caught";
  const outcome = !caught && harmless !== undefined ? "harmless" : verdict.kind;
  console.log(
    `${outcome}: ${file}\n  ${oneLine(from)}  →  ${oneLine(to)}\n  ` +
      (caught ? verdict.by : harmless ?? "NOBODY NOTICED"),
  );
  return outcome;
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, " ") || "(nothing)";
}

await main(Deno.args[0] ?? "");
