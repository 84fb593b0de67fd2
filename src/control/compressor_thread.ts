import { TemporaryError } from "../errors.ts";
import { compressAll } from "../output/file/compressor.ts";
import { RotatedFiles } from "../output/file/rotated_files.ts";
import { note } from "./thread_messages.ts";
import type { CompressorStart } from "./thread_start.ts";

export function runCompressorThread({ files }: CompressorStart): void {
  try {
    compressAll(new RotatedFiles(files));
  } catch (error) {
    if (!(error instanceof TemporaryError)) throw error;
    note({ event: "rotation_failing", message: error.message });
  }
}
