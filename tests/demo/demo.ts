/**
 * `deno task demo`: what Spillway is for, in a few seconds and with real pipes. A
 * service writes into named pipes that nobody reads for a while, without Spillway
 * and with it; then it floods a destination that has stopped.
 */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { setTimeout as pause } from "node:timers/promises";
// @ts-types="../../src/report/std_fmt_colors.d.ts"
import { bold, cyan, dim, green, red, setColorEnabled } from "@std/fmt/colors";
import { until } from "../end_to_end/run.ts";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));
const WRITER = fileURLToPath(new URL("writer.ts", import.meta.url));
const LINE_BYTES = 32;
const SIZES_KIB = [4, 64, 128];
/** For so long nobody reads. */
const UNREAD_MS = 2000;
/** A write that has returned before has not waited for the reader. */
const AT_ONCE_MS = 1000;
const FLOOD_LINES = 400_000;

const folder = mkdtempSync(`${tmpdir()}/spillway-demo-`);
const programs: Program[] = [];

/** A child process, and what it has said so far. */
class Program {
  readonly child: ChildProcess;
  stderr = "";
  #stdout = "";

  /** @param reads false: its standard output is not read until `read` is called */
  constructor(script: string, args: readonly string[], reads: boolean) {
    const permissions = ["ffi", "net", "env", "read", "write"];
    const deno = ["run", "--quiet", ...permissions.map((name) => `--allow-${name}`)];
    this.child = spawn(process.execPath, [...deno, script, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    programs.push(this);
    this.child.stderr!.setEncoding("utf8").on("data", (text) => this.stderr += text);
    if (reads) this.read();
  }

  get stdout(): string {
    return this.#stdout;
  }

  read(): void {
    this.child.stdout!.setEncoding("utf8").on("data", (text) => this.#stdout += text);
  }

  async end(): Promise<void> {
    if (this.child.exitCode === null) await once(this.child, "close");
  }

  /** How long the writer's writes took, as far as they have returned. */
  get writesMs(): number[] {
    const times = this.#stdout.matchAll(/begin (\d+)\nend (\d+)\n/g);
    return [...times].map(([, begin, end]) => Number(end) - Number(begin));
  }

  /** How many writes have begun. */
  get begun(): number {
    return this.#stdout.split("begin").length - 1;
  }
}

function makePipes(prefix: string): string[] {
  const paths = SIZES_KIB.map((kib) => `${folder}/${prefix}${kib}`);
  const { status, stderr } = spawnSync("mkfifo", paths);
  if (status !== 0) throw new Error(`cannot make named pipes: ${stderr}`);
  return paths;
}

function lines(paths: readonly string[]): string[] {
  return paths.map((path, index) => `${path}=${SIZES_KIB[index]! * 1024 / LINE_BYTES}`);
}

function say(...lines: readonly string[]): void {
  for (const line of lines) console.log(line === "" ? "" : `  ${line}`);
}

async function pipesThatNobodyReads(): Promise<void> {
  say(
    "",
    bold("A service writes its log into named pipes. For two seconds nobody reads them."),
    dim("The kernel keeps 64 KiB for a pipe. A write that does not fit waits,"),
    dim("and the service with it."),
    "",
  );
  const [bare, kept] = [makePipes("bare"), makePipes("kept")];
  // Somebody has them open, or the service could not open them.
  const readers = bare.map((path) => openSync(path, "r+"));
  const fifos = kept.flatMap((path, index) => ["--fifo", `log${index}=${path}`]);
  const spillway = new Program(MAIN, [...fifos, "--once"], false);
  const without = new Program(WRITER, lines(bare), true);
  const within = new Program(WRITER, lines(kept), true);
  await until(
    "the writes to begin",
    () => without.begun === SIZES_KIB.length && within.begun === SIZES_KIB.length,
  );
  await pause(UNREAD_MS);
  spillway.read();
  for (const [index, reader] of readers.entries()) {
    readAll(reader, SIZES_KIB[index]! * 1024);
  }
  await Promise.all([without.end(), within.end(), spillway.end()]);
  const column = "without Spillway".length + 4;
  say(bold(`write     ${"without Spillway".padEnd(column)}with Spillway`));
  for (const [index, kib] of SIZES_KIB.entries()) {
    const cells = [without, within].map((writer) => took(writer.writesMs[index]!));
    say(`${`${kib} KiB`.padEnd(10)}${cells[0]}${" ".repeat(column - 16)}${cells[1]}`);
  }
}

function readAll(descriptor: number, bytes: number): void {
  const chunk = new Uint8Array(65536);
  for (let left = bytes; left > 0;) left -= readSync(descriptor, chunk);
  closeSync(descriptor);
}

/** 16 columns wide. */
function took(ms: number): string {
  return ms < AT_ONCE_MS
    ? green(`returned, ${ms} ms`.padEnd(16))
    : red(`BLOCKED, ${(ms / 1000).toFixed(1)} s`.padEnd(16));
}

async function floodAtStoppedDestination(): Promise<void> {
  say(
    "",
    bold(`Now ${FLOOD_LINES} lines at a destination that has stopped.`),
    dim("Spillway keeps the newest 4 MiB and overwrites the oldest whole lines."),
    "",
  );
  const path = `${folder}/flood`;
  spawnSync("mkfifo", [path]);
  const flags = ["--fifo", path, "--once", "--capacity", "4MiB"];
  const spillway = new Program(MAIN, flags, false);
  const writer = new Program(WRITER, [`${path}=${FLOOD_LINES}`], true);
  await writer.end();
  say(`The writer was done after ${writer.writesMs[0]} ms. The destination goes on:`, "");
  spillway.read();
  await spillway.end();
  showOutput(spillway.stdout);
  say("", dim("Spillway on standard error:"));
  say(...spillway.stderr.trimEnd().split("\n").map(dim), "");
}

function showOutput(output: string): void {
  const all = output.trimEnd().split("\n");
  const isMarker = (line: string | undefined) => line?.startsWith("spillway: ") ?? false;
  let shown = -1;
  let lost = 0;
  for (const [index, line] of all.entries()) {
    const atEdge = index < 2 || index >= all.length - 2;
    const nearMarker = isMarker(all[index - 1]) || isMarker(all[index + 1]);
    if (isMarker(line)) lost += Number(/\d+/.exec(line)![0]);
    else if (!atEdge && !nearMarker) continue;
    if (index > shown + 1) say(dim("…"));
    say(isMarker(line) ? cyan(line) : line);
    shown = index;
  }
  const delivered = all.filter((line) => !isMarker(line)).length;
  const sum = delivered + lost;
  const verdict = `${delivered} lines came out + ${lost} in the marker = ${sum} written`;
  if (sum !== FLOOD_LINES) throw new Error(`lines are missing: ${verdict}`);
  say("", green(verdict));
}

setColorEnabled(process.stdout.isTTY);
try {
  await pipesThatNobodyReads();
  await floodAtStoppedDestination();
} finally {
  for (const { child } of programs) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}
