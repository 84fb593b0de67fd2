/**
 * Spillway: stands between a program that writes logs into a pipe and a
 * destination that may be slow. This file is the program on the main thread, and
 * the same file is what its threads run.
 */

import process from "node:process";
import { isMainThread, workerData } from "node:worker_threads";
import { shortHelp } from "./src/cli/help.ts";
import { informationFor } from "./src/cli/information.ts";
import { VARIABLE_PREFIX, withEnvironment } from "./src/cli/environment.ts";
import { resolvePlan } from "./src/cli/options.ts";
import { checkLogUri, isContainerd, parseFlags } from "./src/cli/parse.ts";
import { nameOf } from "./src/containerd/container.ts";
import { openReports, refuseStart, startedByShim } from "./src/containerd/shim.ts";
import { Program } from "./src/control/program.ts";
import { ExitCode, messageOf, UsageError } from "./src/errors.ts";
import { STDIN } from "./src/system/descriptors.ts";
import { initialize } from "./src/system/errno.ts";
import { environmentVariables } from "./src/system/process.ts";
import { isTerminal } from "./src/system/terminal.ts";
import { Stderr } from "./src/report/stderr.ts";
import { printable } from "./src/report/printable.ts";
import { runThread } from "./src/control/run_thread.ts";
import type { ThreadStart } from "./src/control/thread.ts";

function main(args: readonly string[], byShim: boolean): void {
  if (byShim) checkLogUri(args);
  const flags = parseFlags(args);
  const information = informationFor(flags, args);
  if (information !== undefined) {
    console.log(information.trimEnd());
    return;
  }
  initialize();
  const variables = environmentVariables(VARIABLE_PREFIX);
  const plan = withEnvironment(
    flags,
    variables,
    (flags) => resolvePlan(flags, process.env),
  );
  if (args.length === 0 && variables.size === 0 && isTerminal(STDIN)) {
    console.error(shortHelp().trimEnd());
    process.exit(ExitCode.usage);
  }
  new Program(new URL(import.meta.url), plan).start();
}

/** How long the person's log may take the message. */
const LAST_WORDS_MS = 250;

function refuseContainer(message: string): void {
  const { CONTAINER_ID: id = "", CONTAINER_NAMESPACE: namespace = "" } = process.env;
  const stderr = new Stderr(openReports());
  stderr.print(`spillway: ${printable(`${nameOf({ id, namespace })}: ${message}`)}\n`);
  stderr.flush(LAST_WORDS_MS);
  refuseStart(id);
}

if (isMainThread) {
  const args = process.argv.slice(2);
  const byShim = startedByShim(process.env);
  try {
    main(args, byShim);
  } catch (error) {
    if (byShim || isContainerd(args)) refuseContainer(messageOf(error));
    else console.error(`spillway: ${printable(messageOf(error))}`);
    process.exit(error instanceof UsageError ? ExitCode.usage : ExitCode.failed);
  }
} else {
  await runThread(workerData as ThreadStart);
}
