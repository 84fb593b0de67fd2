/**
 * Makes dist/npm/, the package for `npx spillway` and `bunx spillway`: the bundle, the
 * manual page, the README and the licence. `npm publish dist/npm` puts it on npm.
 *
 *   deno task npm
 */

import { SUMMARY, VERSION } from "../src/cli/about.ts";
import { manualPage } from "../src/cli/manual_page.ts";

const FOLDER = "dist/npm";
const PROGRAM = "spillway.js";

await Deno.remove(FOLDER, { recursive: true }).catch(() => {});
await Deno.mkdir(FOLDER, { recursive: true });
for (const name of ["README.md", "LICENSE"]) {
  await Deno.copyFile(name, `${FOLDER}/${name}`);
}
await Deno.writeTextFile(`${FOLDER}/spillway.1`, manualPage());
const bundle = await Deno.readTextFile("dist/spillway.js");
await Deno.writeTextFile(`${FOLDER}/${PROGRAM}`, `#!/usr/bin/env bun\n${bundle}`, {
  mode: 0o755,
});
const tasks = await Deno.readTextFile("deno.json");
const repository = Deno.env.get("GITHUB_REPOSITORY");
await Deno.writeTextFile(
  `${FOLDER}/package.json`,
  JSON.stringify(
    {
      name: "spillway",
      version: VERSION,
      description: SUMMARY,
      license: "MIT",
      ...(repository && { repository: `github:${repository}` }),
      type: "module",
      bin: { spillway: PROGRAM },
      man: ["spillway.1"],
      os: ["linux"],
      cpu: ["x64", "arm64"],
      // For those who have only Node, which lacks what is needed for system calls. It is
      // the version that the executables have inside.
      dependencies: { bun: /\bbun@([\d.]+)/.exec(tasks)![1] },
    },
    null,
    2,
  ) + "\n",
);
