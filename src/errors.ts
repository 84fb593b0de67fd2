/** How the program ends, as a shell sees it. */
export const ExitCode = {
  flushed: 0,
  failed: 1,
  usage: 2,
  loss: 3,
  unflushed: 4,
  /** With a command, instead of `failed`, which may be the command's own. */
  failedBesideCommand: 125,
  commandNotExecutable: 126,
  commandNotFound: 127,
} as const;
export type ExitCode = typeof ExitCode[keyof typeof ExitCode];

/** The command line is wrong; found before any input is read. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The command cannot be started. */
export class CommandError extends Error {
  override readonly name = "CommandError";

  constructor(message: string, readonly exitCode: ExitCode) {
    super(message);
  }
}

/** An input cannot be opened or read, and trying again would not help. */
export class InputError extends Error {
  override readonly name = "InputError";
}

/** What --keep or --recover names cannot be used. */
export class KeepError extends Error {
  override readonly name = "KeepError";
}

/** The output cannot be used; the subclasses say for how long. */
export abstract class OutputError extends Error {}

/** Trying again would not help. */
export class PermanentError extends OutputError {
  override readonly name = "PermanentError";
}

/** It cannot take anything now, but may later: the disk is full, say. */
export class TemporaryError extends OutputError {
  override readonly name = "TemporaryError";

  /** @param retryAfterMs how long it has asked us to wait */
  constructor(message: string, readonly retryAfterMs = 0) {
    super(message);
  }
}

/** It will never take the next `bytes` bytes, but may take what comes after them. */
export class SinkRejection extends OutputError {
  override readonly name = "SinkRejection";

  constructor(message: string, readonly bytes: number) {
    super(message);
  }
}

/** Its reader has closed it: there is no one left to write to. */
export class SinkClosedError extends OutputError {
  override readonly name = "SinkClosedError";
}

/** The message of anything that was thrown, also in another thread. */
export function messageOf(error: unknown): string {
  if (typeof error === "object" && error !== null && "message" in error) {
    return String(error.message);
  }
  return `${error}`;
}
