/** The package for npm, packed, installed from the tarball and run. */

import { assertEquals } from "@std/assert";
import { VERSION } from "../../src/cli/about.ts";
import { isFile, isInstalled } from "../end_to_end/installed.ts";
import { inFolder } from "../end_to_end/run.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const { tasks } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
const PERMISSIONS = [...tasks.compile.matchAll(/--allow-\S+/g)].join(" ");

const HAS_NPM = isInstalled("npm");

async function bash(script: string, folder: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("timeout", {
    args: ["300s", "bash", "-euc", script, "bash", Deno.execPath(), ROOT],
    cwd: folder,
    env: { npm_config_prefer_offline: "true", npm_config_fund: "false" },
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** How each runs the package that is installed in the folder. */
const RUNS: Record<string, { command: string; version: RegExp }> = {
  "npx, where there is Node": { command: "npx spillway", version: /\(Bun [\d.]+\)/ },
  "bunx, where there is no Node": {
    command: "env PATH=$PWD/path bunx spillway",
    version: /\(Bun [\d.]+\)/,
  },
  "deno run, with the permissions of the executable": {
    command: `"$1" run --no-prompt ${PERMISSIONS} --allow-read=. npm:spillway`,
    version: /\(Deno [\d.]+\)/,
  },
};

Deno.test({
  name: "the package is packed, installed, and run by npx, bunx and Deno" +
    (HAS_NPM ? "" : " (needs npm, which comes with Node)"),
  ignore: !HAS_NPM || !isFile(`${ROOT}dist/npm/package.json`),
  fn: (t) =>
    inFolder(async (folder) => {
      await bash(
        `npm pack --silent "$2/dist/npm" && npm install --silent ./spillway-*.tgz
        mkdir path && ln -s /usr/bin/env ../node_modules/.bin/bun ../node_modules/.bin/bunx path`,
        folder,
      );
      for (const [name, { command, version }] of Object.entries(RUNS)) {
        await t.step(name, async () => {
          assertEquals(await bash(`seq 3 | ${command}`, folder), "1\n2\n3\n");
          const said = await bash(`${command} --version`, folder);
          assertEquals(said.replace(version, "()"), `spillway ${VERSION} ()\n`);
        });
      }
      await t.step("man shows its page", async () => {
        const page = await Deno.readTextFile(
          `${folder}/node_modules/spillway/spillway.1`,
        );
        assertEquals(page.startsWith(".TH SPILLWAY 1 "), true);
      });
    }),
});
