import { TemporaryError } from "../errors.ts";
import { compressAll } from "../output/file/compressor.ts";
import { RotatedFiles, type RotatedFilesSpec } from "../output/file/rotated_files.ts";
import { yieldToOthers } from "../system/process.ts";
import { note, say } from "./thread_messages.ts";
import type { CompressorStart } from "./thread_start.ts";

/** For as long as the program runs. Rejects for a fault of this program. */
export function runCompressorThread({ mail }: CompressorStart): Promise<never> {
  yieldToOthers();
  return new Promise((_, reject) => {
    mail.onmessage = ({ data }: MessageEvent<RotatedFilesSpec>) => {
      try {
        compress(data);
        say({ kind: "compressed" });
      } catch (error) {
        reject(error);
      }
    };
  });
}

function compress(files: RotatedFilesSpec): void {
  try {
    compressAll(new RotatedFiles(files));
  } catch (error) {
    if (!(error instanceof TemporaryError)) throw error;
    note({ event: "rotation_failing", message: error.message });
  }
}
