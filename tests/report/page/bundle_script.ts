/** Bundles the page's script into the TypeScript that the program imports: `deno task page`. */

const CLIENT = new URL("../../../src/report/page/client.ts", import.meta.url);
export const BUNDLED = new URL("../../../src/report/page/script.ts", import.meta.url);

/** The source of script.ts. Throws where the script does not compile. */
export async function bundleScript(): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--platform", "browser", CLIENT.pathname],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  const script = new TextDecoder().decode(stdout)
    // Of every module esbuild names the file; that is of this machine.
    .replace(/^\/\/ .*\n/gm, "");
  return `// deno-fmt-ignore-file
/** client.ts as one script for browsers; made by \`deno task page\`, not by hand. */
export const SCRIPT: string = ${literal(script)};
`;
}

/** A template, so that a change of the script shows as a change of its lines. */
function literal(text: string): string {
  if (text.includes("</")) throw new Error("the script would end where it says </");
  const escaped = text.replace(/[\\`]|\$\{/g, "\\$&");
  return `\`\n${escaped}\``;
}

if (import.meta.main) await Deno.writeTextFile(BUNDLED, await bundleScript());
