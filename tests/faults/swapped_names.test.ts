/**
 * Somebody who may write to the folder gives a name to another thing between the moment
 * at which the program has looked at it and the moment at which it uses it. strace stops
 * the real program in between.
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { NEEDS_STRACE } from "../end_to_end/installed.ts";
import { type Program, testExecutables } from "../end_to_end/programs.ts";
import { inFolder, type Running, startInShell, until } from "../end_to_end/run.ts";

const JSON_REPORTS = ["--report", "json"];
const SECRET = "nobody may see this\n";

/** A program that stops each time a thread of it has looked at the path for the first time. */
class Hesitant {
  readonly running: Running;
  readonly #log: string;
  readonly #path: string;
  #stops = 0;

  constructor(program: Program, folder: string, path: string, args: readonly string[]) {
    this.#path = path;
    this.#log = `${folder}/strace.log`;
    const strace = `exec strace -D -f -qq -o "$LOG" -P "$AT" -e trace=statx ` +
      `-e inject=statx:signal=SIGSTOP:when=1 "$@"`;
    this.running = startInShell(program, strace, [...args, ...JSON_REPORTS], {
      LOG: this.#log,
      AT: path,
    });
  }

  /** Waits until it has stopped once more. */
  async stopped(): Promise<void> {
    this.#stops++;
    await until(`stop ${this.#stops} after a look at ${this.#path}`, () => {
      const log = textOf(this.#log);
      const signals = log.split("--- SIGSTOP {").length - 1;
      return signals >= this.#stops &&
        log.lastIndexOf("--- stopped by SIGSTOP") > log.lastIndexOf("--- SIGSTOP {");
    });
  }

  goOn(): void {
    Deno.kill(this.running.pid, "SIGCONT");
  }
}

function textOf(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

testExecutables(
  "reads nothing that takes the name of a FIFO",
  (program) =>
    inFolder(async (folder) => {
      const [fifo, link] = [`${folder}/fifo`, `${folder}/link`];
      await new Deno.Command("mkfifo", { args: [fifo] }).output();
      await Deno.writeTextFile(`${folder}/secret`, SECRET);
      await Deno.symlink(`${folder}/secret`, link);
      const hesitant = new Hesitant(program, folder, fifo, ["--fifo", fifo, "--once"]);
      const { running } = hesitant;
      const output = running.readAll();
      // The control thread compares it with the output; then the reader opens it.
      await hesitant.stopped();
      hesitant.goOn();
      await hesitant.stopped();
      await Deno.rename(link, fifo);
      hesitant.goOn();
      await until(
        "the replacement to be noticed",
        () => running.ended || running.stderrSoFar.includes("which is not read"),
      );
      await running.kill("SIGTERM");
      assertEquals(new TextDecoder().decode(await output), "");
      assertEquals(await running.code, 0);
    }),
  NEEDS_STRACE,
);

testExecutables(
  "writes to nothing that takes the name of an output file",
  (program) =>
    inFolder(async (folder) => {
      const path = `${folder}/app.log`;
      const args = ["--output", path, "--max-size", "1MiB", "--drain-timeout", "0ms"];
      await Deno.writeTextFile(path, "old\n");
      await Deno.writeTextFile(`${folder}/secret`, SECRET);
      await Deno.symlink(`${folder}/secret`, `${folder}/link`);
      const hesitant = new Hesitant(program, folder, path, args);
      const { running } = hesitant;
      await running.write("a line\n");
      // The control thread asks on which disk it is; then the output is opened.
      for (let stop = 0; stop < 2; stop++) {
        await hesitant.stopped();
        if (stop === 1) await Deno.rename(`${folder}/link`, path);
        hesitant.goOn();
      }
      const { message } = await running.reported(
        "the replacement",
        ({ event }) => event === "sink_failing",
      );
      assertStringIncludes(`${message}`, "not a file but a symbolic link");
      await running.end();
      await Promise.all([running.code, running.readAll()]);
      assertEquals(await Deno.readTextFile(`${folder}/secret`), SECRET);
    }),
  NEEDS_STRACE,
);
