/**
 * Assembles the text of the kernels into the TypeScript that the program imports:
 * `deno task kernels`.
 */

// @ts-types="./wabt.d.ts"
import loadWabt from "wabt";

const TEXT = new URL("../../src/kernels/kernels.wat", import.meta.url);
export const ASSEMBLED = new URL("../../src/kernels/kernel_bytes.ts", import.meta.url);

const BYTES_PER_ROW = 16;

/** The source of kernel_bytes.ts. Throws where the text is wrong, or does not compile. */
export async function assembleKernels(): Promise<string> {
  const wabt = await loadWabt();
  const text = await Deno.readTextFile(TEXT);
  const parsed = wabt.parseWat("kernels.wat", text, { threads: true });
  const bytes = parsed.toBinary({}).buffer;
  parsed.destroy();
  new WebAssembly.Module(bytes);
  return source(bytes);
}

function source(bytes: Uint8Array<ArrayBuffer>): string {
  const rows: string[] = [];
  for (let at = 0; at < bytes.length; at += BYTES_PER_ROW) {
    rows.push(`  ${[...bytes.subarray(at, at + BYTES_PER_ROW)].join(", ")},\n`);
  }
  return `// deno-fmt-ignore-file
/** kernels.wat as WebAssembly's bytes; made by \`deno task kernels\`, not by hand. */
export const KERNEL_BYTES: Uint8Array<ArrayBuffer> = new Uint8Array([
${rows.join("")}]);
`;
}

if (import.meta.main) await Deno.writeTextFile(ASSEMBLED, await assembleKernels());
