import process from "node:process";
import { Command } from "../child/command.ts";
import { type CommandLine, splitCommand, written } from "../cli/command.ts";
import { shortHelp } from "../cli/help.ts";
import { informationFor } from "../cli/information.ts";
import { checkArguments } from "../cli/encoding.ts";
import { flagsIn, VARIABLE_PREFIX, withEnvironment } from "../cli/environment.ts";
import { looksLikeFolder } from "../cli/inputs.ts";
import { resolvePlan } from "../cli/options.ts";
import { checkLogUri, isContainerd, parseFlags } from "../cli/parse.ts";
import { nameOf } from "../containerd/container.ts";
import { openReports, refuseStart, startedByShim } from "../containerd/shim.ts";
import { Control } from "./control.ts";
import { ExitCode, messageOf, UsageError } from "../errors.ts";
import { inputsOf, type Plan } from "../plan.ts";
import { STDIN } from "../system/descriptors.ts";
import { initialize } from "../system/errno.ts";
import { status } from "../system/file_status.ts";
import { setPipeSize } from "../system/pipes.ts";
import { environmentVariables } from "../system/process.ts";
import { isTerminal } from "../system/terminal.ts";
import { Stderr } from "../report/stderr.ts";
import { printable } from "../report/printable.ts";

function main(entry: URL, commandLine: CommandLine, byShim: boolean): void {
  const { args, words } = commandLine;
  if (byShim) checkLogUri(args);
  const flags = parseFlags(args);
  const information = informationFor(flags, args);
  if (information !== undefined) {
    console.log(information.trimEnd());
    return;
  }
  initialize();
  const command = words && new Command(words);
  const variables = environmentVariables(VARIABLE_PREFIX);
  const input = status(STDIN);
  const plan = withEnvironment(
    flags,
    variables,
    (flags) =>
      resolvePlan(
        flags,
        process.env,
        typeof input === "number" ? undefined : input.kind,
        command,
        (path) => looksLikeFolder(path) || isFolder(path),
      ),
  );
  const bare = args.length === 0 && flagsIn(variables, flags).length === 0;
  if (bare && command === undefined && isTerminal(STDIN)) {
    console.error(shortHelp().trimEnd());
    process.exit(ExitCode.usage);
  }
  growPipes(plan);
  new Control(entry, plan, written(commandLine), command).start();
}

function isFolder(path: string): boolean {
  const found = status(path);
  return typeof found !== "number" && found.kind === "directory";
}

/**
 * Threads take a while to start. Meanwhile the writer need not wait: the pipe takes
 * more. The reader says what the kernel refuses.
 */
function growPipes(plan: Plan): void {
  for (const { source } of inputsOf(plan)) {
    if (source.kind === "descriptor") setPipeSize(source.number, plan.pipeSizeBytes);
  }
}

function refuseContainer(message: string): void {
  const { CONTAINER_ID: id = "", CONTAINER_NAMESPACE: namespace = "" } = process.env;
  const stderr = new Stderr(openReports());
  stderr.print(`spillway: ${printable(`${nameOf({ id, namespace })}: ${message}`)}\n`);
  stderr.finish();
  refuseStart(id);
}

/**
 * Does what the command line says.
 *
 * @param entry what threads run, too
 */
export function runProgram(entry: URL): void {
  const all = process.argv.slice(2);
  const commandLine = splitCommand(all);
  const byShim = startedByShim(process.env);
  try {
    checkArguments(commandLine.args, all.length);
    main(entry, commandLine, byShim);
  } catch (error) {
    if (byShim || isContainerd(commandLine.args)) refuseContainer(messageOf(error));
    else console.error(`spillway: ${printable(messageOf(error))}`);
    if (error instanceof UsageError) process.exit(ExitCode.usage);
    const hasCommand = commandLine.words !== undefined;
    process.exit(hasCommand ? ExitCode.failedBesideCommand : ExitCode.failed);
  }
}
