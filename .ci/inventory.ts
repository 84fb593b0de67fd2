/** The part of `deno info --json` that is used. */
export interface ModuleGraph {
  readonly modules: readonly { readonly kind?: string; readonly npmPackage?: string }[];
}

/** The part of deno.lock that is used. */
export interface Lock {
  readonly npm: Readonly<Record<string, { readonly integrity: string }>>;
}

/**
 * What is inside the files of a release, as CycloneDX 1.6 says it:
 * https://cyclonedx.org/docs/1.6/json/
 *
 * @param files SHA-256 by name
 * @param runtimes their versions, by the word in the names of executables
 */
export function inventory(
  version: string,
  files: Readonly<Record<string, string>>,
  graph: ModuleGraph,
  lock: Lock,
  runtimes: Readonly<Record<"deno" | "bun", string>>,
): unknown {
  const bundled = new Set(graph.modules.flatMap(({ npmPackage }) => npmPackage ?? []));
  const libraries = [...bundled].sort().map((id) => library(id, lock));
  const platforms = {
    deno: `pkg:github/denoland/deno@v${runtimes.deno}`,
    bun: `pkg:npm/bun@${runtimes.bun}`,
  };
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: {
        type: "application",
        "bom-ref": "spillway",
        name: "spillway",
        version,
        licenses: [{ license: { id: "MIT" } }],
      },
    },
    components: [
      ...Object.entries(files).map(([name, content]) => ({
        type: "file",
        "bom-ref": name,
        name,
        hashes: [{ alg: "SHA-256", content }],
      })),
      ...libraries,
      ...Object.entries(platforms).map(([name, purl]) => ({
        type: "platform",
        "bom-ref": purl,
        name,
        version: runtimes[name as keyof typeof runtimes],
        purl,
      })),
    ],
    dependencies: [
      { ref: "spillway", dependsOn: libraries.map(({ purl }) => purl) },
      ...Object.keys(files).map((name) => ({
        ref: name,
        dependsOn: ["spillway", ...runtimeIn(name, platforms)],
      })),
    ],
  };
}

/** Of an executable; the bundle brings none. */
function runtimeIn(file: string, platforms: Readonly<Record<string, string>>): string[] {
  const found = platforms[/-(\w+)$/.exec(file)?.[1] ?? ""];
  return found === undefined ? [] : [found];
}

/** @param id `NAME@VERSION`, and behind a `_` which peers it was resolved with */
function library(id: string, lock: Lock) {
  const [, name, version] = /^(.+)@([^@_]+)/.exec(id)!;
  const [, digest] = /^sha512-(.+)$/.exec(lock.npm[id]!.integrity)!;
  const bytes = Uint8Array.from(atob(digest!), (character) => character.charCodeAt(0));
  const purl = `pkg:npm/${name!.replace("@", "%40")}@${version}`;
  const content = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return {
    type: "library",
    "bom-ref": purl,
    name,
    version,
    purl,
    hashes: [{ alg: "SHA-512", content }],
  };
}
