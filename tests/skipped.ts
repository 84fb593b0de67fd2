/** Which tests were skipped, why, and what would have them run. */

import { EXECUTABLES, MUSL_EXECUTABLE } from "./end_to_end/programs.ts";

const MAY_BE_MISSING = [...EXECUTABLES, MUSL_EXECUTABLE];

/** The names of the tests that a report in JUnit's format calls skipped. */
export function skippedIn(junit: string): string[] {
  const cases = junit.matchAll(/<testcase name="([^"]*)"[^>]*>\s*<skipped\/>/g);
  return [...cases].map(([, name]) => unescaped(name!));
}

/** For people: the skipped tests by what they lack, and the line that installs it. */
export function describeSkipped(names: readonly string[]): string {
  if (names.length === 0) return "\nNo test was skipped.";
  const lines = ["\nSkipped:"];
  const byReason = Map.groupBy(names, reasonOf);
  for (const [reason, skipped] of byReason) {
    lines.push(`  ${reason}:`);
    lines.push(...[...new Set(skipped.map(plainName))].map((name) => `    ${name}`));
  }
  const packages = [...byReason.keys()].flatMap(packagesOf);
  if (packages.length > 0) {
    const install = "sudo apt-get install --no-install-recommends";
    lines.push(`To run those that lack a package: ${install} ${packages.join(" ")}`);
  }
  return lines.join("\n");
}

function reasonOf(name: string): string {
  const program = MAY_BE_MISSING.find(({ name: prefix, missing }) =>
    missing && name.startsWith(`${prefix}:`)
  );
  if (program !== undefined) return `${program.name} could not be made, see above`;
  return /\((needs .*)\)$/.exec(name)?.[1] ?? /\(([^()]*)\)$/.exec(name)?.[1] ??
    "for a reason that their source says";
}

/** Without the reason, and without the program, with which the same test begins thrice. */
function plainName(name: string): string {
  const prefix = ["source", ...MAY_BE_MISSING.map(({ name }) => name)]
    .find((prefix) => name.startsWith(`${prefix}: `));
  const plain = prefix === undefined ? name : name.slice(prefix.length + 2);
  return plain.replace(/ \((needs .*|[^()]*)\)$/, "");
}

function packagesOf(reason: string): string[] {
  const list = /of the Debian packages? (.*)$/.exec(reason)?.[1] ?? "";
  return list.split(/,? and |, /).filter(Boolean);
}

function unescaped(text: string): string {
  const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'" };
  return text.replaceAll(/&(lt|gt|quot|apos);/g, (_, name) => entities[name]!)
    .replaceAll("&amp;", "&");
}
