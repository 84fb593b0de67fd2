/** What people read of the project, in the order in which they would. */

const ROOT = new URL("../../", import.meta.url);

/** By their paths in the project. */
export const DOCUMENTS: ReadonlyMap<string, string> = new Map(
  await Promise.all([
    "README.md",
    "tests/recipes/README.md",
    "src/README.md",
    "src/child/README.md",
    "src/output/README.md",
    "src/formats/README.md",
    "tests/README.md",
    "tests/bench/README.md",
  ].map(async (path) => [path, await Deno.readTextFile(new URL(path, ROOT))] as const)),
);

export const README = DOCUMENTS.get("README.md")!;
/** With what to do when something goes wrong. */
export const RECIPES = DOCUMENTS.get("tests/recipes/README.md")!;
/** Those whose commands and files can be tried as they are. */
export const MANUAL = README + DOCUMENTS.get("src/output/README.md")! + RECIPES;
