import { CommandError, ExitCode } from "../errors.ts";
import {
  describeError,
  EACCES,
  EAGAIN,
  EMFILE,
  ENFILE,
  ENOENT,
  ENOEXEC,
  ENOMEM,
} from "../system/errno.ts";
import { status } from "../system/file_status.ts";

/** Those that speak of this process and the system, and not of the program. */
const OF_OURS: readonly number[] = [EAGAIN, ENOMEM, EMFILE, ENFILE];

/** Why a program has not been started, as a shell would tell it by its exit status. */
export function cannotStart(program: string, errno: number): CommandError {
  const exitCode = OF_OURS.includes(errno)
    ? ExitCode.failedBesideCommand
    : errno === ENOENT
    ? ExitCode.commandNotFound
    : ExitCode.commandNotExecutable;
  return new CommandError(
    `cannot start "${program}": ${describeError(errno)}${advice(program, errno)}`,
    exitCode,
  );
}

function advice(program: string, errno: number): string {
  switch (errno) {
    case ENOENT:
      if (!program.includes("/")) return "; it is in no folder of PATH: name its path";
      return typeof status(program) === "number"
        ? "; see that the path is right"
        : "; it is there, but not what runs it: the interpreter in its first line, or its dynamic loader";
    case EACCES:
      return "; it must be a file that this user may execute (chmod +x), in folders that it may enter";
    case ENOEXEC:
      return "; it is no program for this machine, or a script without a first line such as #!/bin/sh";
    case EAGAIN:
      return "; raise the limit of processes (ulimit -u, TasksMax=, --pids-limit)";
    default:
      return "";
  }
}
