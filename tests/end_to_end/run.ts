/** Runs a program as a shell would, and watches what it says. */

import { constants } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { close, O_NONBLOCK, O_WRONLY, open } from "../../src/system/descriptors.ts";
import { setPipeSize } from "../../src/system/pipes.ts";
import type { Program } from "./programs.ts";

/** Far more than anything takes; a test that waits so long has failed. */
const DEADLINE_MS = 120_000;

/** As much as anybody's pipe may hold: pipe(7). */
const STDERR_BYTES = 1024 * 1024;

const decoder = new TextDecoder();

/** What a JSON report says; only what the tests look at. */
export interface Report {
  readonly event: string;
  readonly time: string;
  readonly message?: string;
  readonly inputs?: readonly Report[];
  readonly [counter: string]: unknown;
}

export interface Finished {
  readonly code: number;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

/** Runs to the end with this input. */
export async function run(
  program: Program,
  args: readonly string[],
  input: string | Uint8Array = "",
): Promise<Finished> {
  const running = start(program, args);
  const stdout = running.readAll();
  await running.write(input).catch(ignoreClosed);
  await running.end().catch(ignoreClosed);
  return { code: await running.code, stdout: await stdout, stderr: await running.stderr };
}

/** The program may end without reading its input, when it has a reason to. */
function ignoreClosed(error: unknown): void {
  const isClosed = error instanceof Deno.errors.BrokenPipe || error instanceof TypeError;
  if (!isClosed) throw error;
}

/** For what may have ended in the meantime: a process, or what /proc says of it. */
export function ignoreGone(error: unknown): void {
  const gone = error instanceof Deno.errors.NotFound ||
    /ESRCH|No such process|already terminated/.test(`${error}`);
  if (!gone) throw error;
}

/** For what may have ended by itself. */
export function killIfThere(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch (error) {
    ignoreGone(error);
  }
}

/** A program that runs: its standard streams, its reports, its end. */
export class Running {
  readonly pid: number;
  readonly code: Promise<number>;
  readonly stderr: Promise<string>;
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #stderrText = "";
  #ended = false;

  constructor(command: readonly string[], env: Record<string, string> = {}) {
    const [name, ...args] = command;
    this.#child = new Deno.Command(name!, {
      args,
      env,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.pid = this.#child.pid;
    this.#writer = this.#child.stdin.getWriter();
    this.code = this.#child.status.then(({ code }) => {
      this.#ended = true;
      return code;
    });
    this.stderr = this.#collect(this.#child.stderr);
  }

  /** Lets standard error hold a report on many inputs while a busy machine reads none. */
  enlargeStderr(): void {
    const descriptor = open(`/proc/${this.pid}/fd/2`, O_WRONLY | O_NONBLOCK);
    const bytes = setPipeSize(descriptor, STDERR_BYTES);
    close(descriptor);
    if (bytes < STDERR_BYTES) throw new Error(`the pipe holds ${bytes} bytes`);
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<string> {
    for await (const chunk of stream) {
      this.#stderrText += decoder.decode(chunk, { stream: true });
    }
    return this.#stderrText;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Returns when the pipe has taken all of it. */
  async write(input: string | Uint8Array): Promise<void> {
    await this.#writer.write(
      typeof input === "string" ? new TextEncoder().encode(input) : input,
    );
  }

  async end(): Promise<void> {
    await this.#writer.close();
  }

  /**
   * Writes a line now and then until the program ends since nobody reads its output. Of
   * the first it may not notice that: a child of another test that has not begun its
   * program yet has the reader's end as well.
   */
  async writeUntilItEnds(): Promise<void> {
    let isOpen = true;
    await until(() => `the end; got ${this.#stderrText}`, async () => {
      if (!isOpen) return this.#ended;
      isOpen = await this.write("nobody reads this\n").then(() => true, (error) => {
        if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
        return false;
      });
      return this.#ended;
    });
  }

  /** All of standard output. Until this is called, nobody reads it. */
  async readAll(): Promise<Uint8Array> {
    return new Uint8Array(await new Response(this.#child.stdout).arrayBuffer());
  }

  /** Standard output, to be read as slowly as a test wants. */
  get stdout(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#child.stdout;
  }

  /** Sends a signal, once the program has said what it does with it. */
  async kill(signal: Deno.Signal): Promise<void> {
    await until(`${signal} to be handled`, () => this.#ended || this.#handles(signal));
    try {
      if (!this.#ended) this.#child.kill(signal);
    } catch (error) {
      ignoreGone(error);
    }
  }

  #handles(signal: Deno.Signal): boolean {
    let status: string;
    try {
      status = Deno.readTextFileSync(`/proc/${this.pid}/status`);
    } catch (error) {
      ignoreGone(error);
      return true;
    }
    const caught = BigInt(`0x${/SigCgt:\s*(\w+)/.exec(status)?.[1] ?? "0"}`);
    const number = constants.signals[signal as keyof typeof constants.signals];
    return (caught >> BigInt(number - 1) & 1n) === 1n;
  }

  get stderrSoFar(): string {
    return this.#stderrText;
  }

  /** Reports so far, with `--report json`. */
  get reports(): Report[] {
    return reportsIn(this.#stderrText);
  }

  /** Waits until something was reported. */
  async reported(what: string, matches: (report: Report) => boolean): Promise<Report> {
    let found: Report | undefined;
    await until(() => `a report: ${what}; got ${this.#stderrText}`, () => {
      found = this.reports.find(matches);
      return found !== undefined;
    });
    return found!;
  }

  /** Waits for the counters of the status report that SIGUSR2 asks for. */
  async counted(what: string, matches: (status: Report) => boolean): Promise<Report> {
    let found: Report | undefined;
    await until(() => `counters: ${what}; got ${this.#stderrText}`, async () => {
      if (this.#ended) throw new Error(`ended while waiting for ${what}`);
      const statuses = this.reports.filter(({ event }) => event === "status");
      found = statuses.findLast(matches);
      if (found === undefined) await this.kill("SIGUSR2");
      return found !== undefined;
    }, 50);
    return found!;
  }
}

/**
 * On a busy machine a destination may need more than ten seconds for what it would take
 * at once. Tests in which it never takes all say themselves how long to wait.
 */
const PATIENCE = { SPILLWAY_DRAIN_TIMEOUT: "100s" };

export function start(
  program: Program,
  args: readonly string[],
  env: Record<string, string> = {},
): Running {
  return new Running([...program.command, ...args], { ...PATIENCE, ...env });
}

/** The program behind a shell's redirections, pipes and limits: `"$@"` stands for it. */
export function startInShell(
  program: Program,
  script: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Running {
  return new Running(
    ["bash", "-c", script, "bash", ...program.command, ...args],
    { ...PATIENCE, ...env },
  );
}

/** What has come of the last line may end anywhere, and in a brace as well. */
export function reportsIn(stderr: string): Report[] {
  return stderr.split("\n").slice(0, -1)
    .filter((line) => line.startsWith("{") && line.endsWith("}"))
    .map((line) => JSON.parse(line));
}

/** The last words of a program that ran with `--report json`. */
export function summaryIn(stderr: string): Report {
  const last = reportsIn(stderr).at(-1);
  if (last?.event !== "summary") throw new Error(`no summary at the end of: ${stderr}`);
  return last;
}

/**
 * Waits for a condition, and fails when it does not come.
 *
 * @param what is asked for when the waiting was in vain, if it is a function
 */
export async function until(
  what: string | (() => string),
  condition: () => boolean | Promise<boolean>,
  intervalMs = 5,
): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!await condition()) {
    if (Date.now() > deadline) {
      throw new Error(`waited in vain for ${typeof what === "string" ? what : what()}`);
    }
    await pause(intervalMs);
  }
}

/** Stops a process; when this returns, all of its threads have stopped. */
export async function freeze(pid: number): Promise<void> {
  Deno.kill(pid, "SIGSTOP");
  await until(
    `process ${pid} to stop`,
    () => [...threadTexts(pid, "status").values()].every(isStopped),
  );
}

/** @param status as proc_pid_status(5) has it */
export function isStopped(status: string): boolean {
  return /^State:\s*T/m.test(status);
}

/** What a file of proc(5) says of each thread of a process, but of those that have gone. */
export function threadTexts(pid: number, file: string): Map<string, string> {
  const texts = new Map<string, string>();
  const tasks = `/proc/${pid}/task`;
  for (const { name } of Deno.readDirSync(tasks)) {
    try {
      texts.set(name, Deno.readTextFileSync(`${tasks}/${name}/${file}`));
    } catch (error) {
      ignoreGone(error);
    }
  }
  return texts;
}

/** Runs a test in a folder of its own. */
export async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "spillway-test-" });
  try {
    await test(folder);
  } catch (error) {
    // A program that has not ended may still write there; that is not what went wrong.
    await Deno.remove(folder, { recursive: true }).catch(() => {});
    throw error;
  }
  await Deno.remove(folder, { recursive: true });
}
