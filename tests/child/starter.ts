/**
 * A program for the tests of the child: starts a command as Spillway does, copies what it
 * writes to its own standard output and error, and ends with its status. Nothing of Deno's
 * own here: Bun runs it as well.
 */

import process from "node:process";
import { Child } from "../../src/child/child.ts";
import { signalsToPass } from "../../src/child/passed_signals.ts";
import { ignoredSignals } from "../../src/child/start_state.ts";
import { CommandError, messageOf } from "../../src/errors.ts";
import { close, read, STDERR, STDOUT, write } from "../../src/system/descriptors.ts";
import { addressOf } from "../../src/system/memory.ts";
import { pipeToReadFrom } from "../../src/system/pipes.ts";

const COPY_MS = 5;

const ignoredAtStart = ignoredSignals();
const [readStdout, stdout] = pipeToReadFrom();
const [readStderr, stderr] = pipeToReadFrom();
const buffer = new Uint8Array(64 * 1024);
const open = new Map([[readStdout, STDOUT], [readStderr, STDERR]]);

process.on("SIGCHLD", () => child.reap());
for (const signal of signalsToPass(ignoredAtStart)) {
  process.on(signal, () => void child.pass(signal));
}
const child = startChild(process.argv.slice(2));
[stdout, stderr].forEach(close);
setInterval(() => {
  for (const [from, to] of open) copy(from, to);
  if (open.size === 0 && child.exitStatus !== undefined) process.exit(child.exitStatus);
}, COPY_MS);

function startChild(command: readonly string[]): Child {
  try {
    return Child.start({ command, stdout, stderr, ignoredAtStart });
  } catch (error) {
    console.error(messageOf(error));
    process.exit(error instanceof CommandError ? error.exitCode : 1);
  }
}

function copy(from: number, to: number): void {
  const address = addressOf(buffer);
  let count: number;
  while ((count = read(from, address, buffer.length)) > 0) write(to, address, count);
  if (count === 0) open.delete(from);
}
