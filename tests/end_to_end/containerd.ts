/** A containerd of its own, on a private socket, and containers without an image. */

import { basename } from "node:path";
import type { Program } from "./programs.ts";
import { ignoreGone, killIfThere, type Report, reportsIn, until } from "./run.ts";

const CONFIG = `version = 2
disabled_plugins = ["io.containerd.grpc.v1.cri"]
`;

/** What a container's root folder needs: one static program under many names. */
const BUSYBOX = ["/usr/bin/busybox", "/bin/busybox"];
const APPLETS = ["awk", "echo", "head", "printf", "seq", "sh", "sleep", "yes"];

const decoder = new TextDecoder();

/** Why containers cannot be run here; undefined if they can. */
export const CANNOT_RUN: string | undefined = findObstacle();

function findObstacle(): string | undefined {
  if (Deno.uid() !== 0) return "needs root";
  for (const command of ["containerd", "ctr", "runc", "busybox"]) {
    const { success } = new Deno.Command("which", { args: [command] }).outputSync();
    if (!success) {
      return `needs ${command} of the Debian packages containerd, runc and busybox-static`;
    }
  }
  return undefined;
}

export interface Ended {
  readonly code: number;
  readonly stderr: string;
}

export class Containerd {
  readonly folder: string;
  /** Where logs go; a folder of the test's own. */
  readonly logs: string;
  /** The root folder of all containers. */
  readonly root: string;
  /** No other test's: runc knows the containers of this machine by it and their names. */
  readonly namespace: string;
  readonly #socket: string;
  #daemon!: Deno.ChildProcess;
  #copying!: Promise<void>;
  #log = "";

  private constructor(folder: string) {
    this.folder = folder;
    this.logs = `${folder}/logs`;
    this.root = `${folder}/rootfs`;
    this.namespace = basename(folder);
    this.#socket = `${folder}/containerd.sock`;
  }

  /** Starts one in a folder that is removed with everything in it at the end. */
  static async use(test: (containerd: Containerd) => Promise<void>): Promise<void> {
    // A path to a socket must be short: 106 bytes with what containerd adds.
    const containerd = new Containerd(await Deno.makeTempDir({ prefix: "spillway-c-" }));
    await containerd.#makeFolders();
    await containerd.start();
    try {
      await test(containerd);
    } finally {
      await containerd.#removeContainers();
      await containerd.stop();
      await Deno.remove(containerd.folder, { recursive: true });
    }
  }

  async #makeFolders(): Promise<void> {
    await Deno.mkdir(this.logs);
    await Deno.mkdir(`${this.root}/bin`, { recursive: true });
    const busybox = BUSYBOX.find((path) => Deno.statSync(path).isFile)!;
    await Deno.copyFile(busybox, `${this.root}/bin/busybox`);
    for (const applet of APPLETS) {
      await Deno.symlink("busybox", `${this.root}/bin/${applet}`);
    }
    await Deno.writeTextFile(
      `${this.folder}/config.toml`,
      `${CONFIG}root = "${this.folder}/root"\nstate = "${this.folder}/state"\n` +
        `[grpc]\n  address = "${this.#socket}"\n`,
    );
  }

  async start(): Promise<void> {
    this.#daemon = new Deno.Command("containerd", {
      args: ["--config", `${this.folder}/config.toml`],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#copying = this.#copyLog(this.#daemon.stderr);
    await until("containerd", async () => (await this.ctr("version")).code === 0, 50);
  }

  /** Stops the daemon; containers and their shims go on. */
  async stop(): Promise<void> {
    this.#daemon.kill("SIGTERM");
    await this.#daemon.status;
    await this.#copying;
  }

  async #copyLog(stderr: ReadableStream<Uint8Array>): Promise<void> {
    for await (const chunk of stderr) {
      this.#log += decoder.decode(chunk, { stream: true });
    }
  }

  /** What a person finds in containerd's log. */
  get log(): string {
    return this.#log;
  }

  /** Waits for a text in containerd's log. */
  async says(text: RegExp): Promise<void> {
    await until(() => `${text} in ${this.#log}`, () => text.test(this.#log));
  }

  /** The last words of a container's logging binary, which come after its end. */
  async summaryOf(id: string): Promise<Report> {
    let found: Report | undefined;
    await until(`the summary of ${id}`, () => {
      found = reportsIn(this.#log).findLast((report) =>
        report.event === "summary" && report.container_id === id
      );
      return found !== undefined;
    });
    return found!;
  }

  #ctrArgs(args: readonly string[]): string[] {
    return ["--address", this.#socket, "--namespace", this.namespace, ...args];
  }

  async ctr(...args: string[]): Promise<Ended> {
    const { code, stderr } = await new Deno.Command("ctr", {
      args: this.#ctrArgs(args),
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    return { code, stderr: decoder.decode(stderr) };
  }

  /** Runs a shell script in a container to its end, with this logging binary. */
  run(
    id: string,
    script: string,
    program: Program,
    args: Readonly<Record<string, string>>,
  ): Promise<Ended> {
    return this.#run(["--rm"], id, script, logUri(program, args));
  }

  /**
   * The same, but returns when it has started. The shim keeps the container's
   * streams open after its end, until the task is deleted.
   */
  runDetached(
    id: string,
    script: string,
    program: Program,
    args: Readonly<Record<string, string>>,
  ): Promise<Ended> {
    return this.#run(["--detach"], id, script, logUri(program, args));
  }

  /** Runs a shell script beside what runs in the container, with its own logging binary. */
  exec(
    id: string,
    execId: string,
    script: string,
    program: Program,
    args: Readonly<Record<string, string>>,
  ): Promise<Ended> {
    const log = ["--exec-id", execId, "--log-uri", logUri(program, args)];
    return this.ctr("task", "exec", ...log, id, "/bin/sh", "-c", script);
  }

  /** Runs it with the shim itself copying the output to this file. */
  runWithFile(id: string, script: string, file: string): Promise<Ended> {
    return this.#run(["--rm"], id, script, `file://${file}`);
  }

  /** Runs it with its output thrown away by the kernel. */
  runWithoutLog(id: string, script: string): Promise<Ended> {
    return this.#run(["--rm", "--null-io"], id, script);
  }

  /** Runs a program in a root folder that a test has made, with any log URI. */
  runProgram(
    id: string,
    root: string,
    command: readonly string[],
    uri: string,
  ): Promise<Ended> {
    return this.ctr("run", "--rm", "--log-uri", uri, "--rootfs", root, id, ...command);
  }

  #run(flags: string[], id: string, script: string, uri?: string): Promise<Ended> {
    const log = uri === undefined ? [] : ["--log-uri", uri];
    return this.ctr(
      ...["run", ...flags, ...log, "--rootfs", this.root, id, "/bin/sh", "-c", script],
    );
  }

  /** The first process of a container. */
  async pidOf(id: string): Promise<number> {
    const { stdout } = await new Deno.Command("ctr", {
      args: this.#ctrArgs(["task", "list"]),
    }).output();
    const row = new RegExp(`^${id} +(\\d+) `, "m").exec(decoder.decode(stdout));
    if (row === null) throw new Error(`no container ${id}`);
    return Number(row[1]);
  }

  /** Process ids of the shims of this containerd. */
  shims(): number[] {
    return processes((command) =>
      command[0]?.includes("containerd-shim") === true && command.includes(this.#socket)
    );
  }

  /** Process ids of logging binaries that write below this folder. */
  loggingBinaries(): number[] {
    return processes((command) =>
      command.includes("--containerd") &&
      command.some((arg) => arg.includes(`${this.folder}/`))
    );
  }

  async #removeContainers(): Promise<void> {
    this.shims().forEach(killIfThere);
    await until("the containers to be gone", async () => {
      const { stdout } = await new Deno.Command("ctr", {
        args: this.#ctrArgs(["containers", "list", "--quiet"]),
      }).output();
      const ids = decoder.decode(stdout).split("\n").filter((id) => id !== "");
      for (const id of ids) {
        await this.ctr("task", "kill", "--signal", "SIGKILL", id);
        await this.ctr("task", "delete", id);
        await this.ctr("container", "delete", id);
      }
      return ids.length === 0 && this.loggingBinaries().length === 0;
    }, 100);
  }
}

/** `binary:///path?--key=value&…`; containerd hands them over in random order. */
function logUri(program: Program, args: Readonly<Record<string, string>>): string {
  const query = Object.entries({ "--containerd": "", "--report": "json", ...args })
    .map(([key, value]) => `${key}=${value}`).join("&");
  return `binary://${program.command[0]}?${query}`;
}

function processes(matches: (command: readonly string[]) => boolean): number[] {
  const found: number[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const command = Deno.readTextFileSync(`/proc/${name}/cmdline`).split("\0");
      if (matches(command)) found.push(Number(name));
    } catch (error) {
      // It has ended since the folder was read.
      ignoreGone(error);
    }
  }
  return found;
}
