import { TemporaryError } from "../../errors.ts";
import { gzip } from "../../runtime/on_demand.ts";
import {
  close,
  O_CREAT,
  O_EXCL,
  O_WRONLY,
  open,
  read,
  write,
} from "../../system/descriptors.ts";
import { describeError } from "../../system/errno.ts";
import { fsync } from "../../system/files.ts";
import { addressOf } from "../../system/memory.ts";
import { unlink } from "../../system/names.ts";
import type { PlainFile, RotatedFiles } from "./rotated_files.ts";

/**
 * So much is compressed at a time, as a member of its own: RFC 1952 defines a gzip
 * file as a series of members, and everything that reads gzip joins them. So
 * memory stays bounded, and the work stays in this thread with its low priority,
 * where the streams of node:zlib would hand it to others.
 */
const MEMBER_BYTES = 1024 * 1024;

let chunk: Uint8Array | undefined;

/**
 * The compressor thread: compresses rotated files until all are, newest first, so
 * that one is not outrun by rotations for ever.
 *
 * @throws TemporaryError when it cannot; the plain file is then still there.
 */
export function compressAll(files: RotatedFiles): void {
  try {
    while (compressNext(files));
  } catch (error) {
    files.endCompression();
    throw error;
  }
}

/** False when there is no plain file. */
function compressNext(files: RotatedFiles): boolean {
  const plain = files.openPlain();
  if (plain === undefined) return false;
  try {
    compress(plain, files.unfinishedPath);
    files.replaceByCompressed(plain);
  } catch (error) {
    // It may have filled the disk.
    unlink(files.unfinishedPath);
    throw error;
  } finally {
    close(plain.descriptor);
  }
  return true;
}

function compress({ descriptor, status }: PlainFile, path: string): void {
  // A link that somebody has put there would lead the program to another file.
  unlink(path);
  const target = open(path, O_WRONLY | O_CREAT | O_EXCL, status.permissions & 0o777);
  check(target, path);
  try {
    chunk ??= new Uint8Array(MEMBER_BYTES);
    let length = fill(chunk, descriptor);
    do {
      writeAll(target, gzip(chunk.subarray(0, length)), path);
      length = fill(chunk, descriptor);
    } while (length > 0);
    // Before the plain file goes.
    check(fsync(target), path);
  } finally {
    close(target);
  }
}

/** Reads until `chunk` is full or the file ends; returns how many bytes that were. */
function fill(chunk: Uint8Array, descriptor: number): number {
  const address = addressOf(chunk);
  let length = 0;
  while (length < chunk.length) {
    const count = read(descriptor, address + length, chunk.length - length);
    if (count < 0) {
      throw new TemporaryError(`cannot read a rotated file: ${describeError(-count)}`);
    }
    if (count === 0) break;
    length += count;
  }
  return length;
}

function writeAll(descriptor: number, bytes: Uint8Array, path: string): void {
  const address = addressOf(bytes);
  let written = 0;
  while (written < bytes.length) {
    const count = write(descriptor, address + written, bytes.length - written);
    check(count, path);
    written += count;
  }
}

function check(outcome: number, path: string): void {
  if (outcome >= 0) return;
  throw new TemporaryError(
    `cannot write "${path}": ${
      describeError(-outcome)
    }; rotated files stay as they are until the next rotation`,
  );
}
