/**
 * A containerd shim as its logging binary sees it: pipes at descriptors 3, 4 and
 * 5, an environment of two variables, /dev/null as standard streams, and the
 * shim's folder, in which the FIFO `log` leads into containerd's log.
 */

import type { Program } from "./programs.ts";
import { type Report, reportsIn } from "./run.ts";

const ID = "web-1";
const NAMESPACE = "shop";

const END_OF_LOG = "end of the log\n";

/**
 * Starts the binary while the shim has the pipes that it reads open as well, until the
 * binary has ended, as containerd's has: what `tail` inherits is the same opening of each.
 */
const START = `exec 3<stdout 4<stderr
(tail --follow --sleep-interval 0.1 --pid $$ /dev/null &)
exec "$@" 5>ready`;

const decoder = new TextDecoder();

export class Shim {
  /** Write ends of the container's streams; close them as the container's end would. */
  readonly stdout: Deno.FsFile;
  readonly stderr: Deno.FsFile;
  /** What came on the ready pipe until it was closed. */
  readonly ready: Promise<Uint8Array>;
  readonly code: Promise<number>;
  /** The container's folder, as the shim makes it. */
  readonly bundle: string;
  readonly #child: Deno.ChildProcess;
  readonly #log: Deno.FsFile;
  readonly #copying: Promise<void>;
  #logText = "";

  private constructor(
    child: Deno.ChildProcess,
    log: Deno.FsFile,
    bundle: string,
    [stdout, stderr, ready]: readonly [Deno.FsFile, Deno.FsFile, Deno.FsFile],
  ) {
    this.#child = child;
    this.#log = log;
    this.bundle = bundle;
    this.stdout = stdout;
    this.stderr = stderr;
    this.ready = new Response(ready.readable).bytes();
    this.code = child.status.then(({ code }) => code);
    this.#copying = this.#copyLog();
  }

  /** Starts a logging binary as for a container that is about to start. */
  static async start(
    program: Program,
    folder: string,
    args: readonly string[],
  ): Promise<Shim> {
    const bundle = `${folder}/${NAMESPACE}/${ID}`;
    await Deno.mkdir(bundle, { recursive: true });
    await Deno.writeTextFile(`${bundle}/config.json`, "{}");
    const fifos = ["stdout", "stderr", "ready"].map((name) => `${folder}/${name}`);
    const { success } = await new Deno.Command("mkfifo", {
      args: [...fifos, `${bundle}/log`],
    }).output();
    if (!success) throw new Error("mkfifo failed");
    // containerd holds it open for reading all the time.
    const log = await Deno.open(`${bundle}/log`, { read: true, write: true });
    const child = new Deno.Command("bash", {
      args: ["-c", START, "bash", ...environment(bundle)]
        .concat(program.command, args),
      cwd: folder,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const [stdout, stderr, ready] = await Promise.all([
      Deno.open(fifos[0]!, { write: true }),
      Deno.open(fifos[1]!, { write: true }),
      Deno.open(fifos[2]!, { read: true }),
    ]);
    return new Shim(child, log, bundle, [stdout, stderr, ready]);
  }

  /** The logging binary has that descriptor. */
  hasOpen(descriptor: number): boolean {
    const found = Deno.readDirSync(`/proc/${this.#child.pid}/fd`);
    return Array.from(found, ({ name }) => name).includes(`${descriptor}`);
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Reports in containerd's log so far. */
  get reports(): Report[] {
    return reportsIn(this.#logText);
  }

  /** What is in containerd's log after the end. */
  async logged(): Promise<string> {
    await this.code;
    await Deno.writeTextFile(`${this.bundle}/log`, END_OF_LOG);
    await this.#copying;
    return this.#logText.slice(0, -END_OF_LOG.length);
  }

  async #copyLog(): Promise<void> {
    const chunk = new Uint8Array(4096);
    while (!this.#logText.endsWith(END_OF_LOG)) {
      const count = await this.#log.read(chunk);
      this.#logText += decoder.decode(chunk.subarray(0, count ?? 0), { stream: true });
    }
    this.#log.close();
  }
}

/** Runs what follows in the bundle, with the environment that containerd leaves. */
function environment(bundle: string): string[] {
  const variables = [`CONTAINER_ID=${ID}`, `CONTAINER_NAMESPACE=${NAMESPACE}`];
  return ["env", "-i", "-C", bundle, ...variables];
}
