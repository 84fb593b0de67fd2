/** Names in braces in --output, such as `{id}`, that are replaced by others. */

import { UsageError } from "../errors.ts";
import { fileName } from "../containerd/container.ts";
import { shownOutput } from "../output/sinks.ts";

/** What each name stands for; asked only where a template has it. */
export type Placeholders = Readonly<Record<string, () => string>>;

/**
 * Replaces them by what they mean, each as a name that can only be that of
 * one file or folder.
 *
 * @throws UsageError for a name that stands for nothing here.
 */
export function expand(template: string, placeholders: Placeholders): string {
  return template.replaceAll(/\{([^{}]*)\}/g, (braces: string, name: string) => {
    if (Object.hasOwn(placeholders, name)) return fileName(placeholders[name]!());
    throw new UsageError(
      `"${shownOutput(template)}": ${braces} is not known; ${known(placeholders)}`,
    );
  });
}

/** `{a}, {b} and {c} are` */
function known(placeholders: Placeholders): string {
  const names = Object.keys(placeholders).map((name) => `{${name}}`);
  const last = names.pop();
  return names.length === 0 ? `only ${last} is` : `${names.join(", ")} and ${last} are`;
}

/**
 * The folders in a path that are named by placeholders, outermost first:
 * `/logs/{namespace}/{id}.log` → `/logs/default`. Nobody else could have made them.
 */
export function namedFolders(template: string, placeholders: Placeholders): string[] {
  const folders = template.split("/").slice(0, -1);
  const first = folders.findIndex((folder) => folder.includes("{"));
  if (first < 0) return [];
  return folders.slice(first).map((_, index) =>
    expand(folders.slice(0, first + index + 1).join("/"), placeholders)
  );
}
