import type { Destination } from "./sink.ts";

/** What rotation calls other files: `PATH.1`, `PATH.2.gz`, `PATH.compressing`. */
const ROTATED = /^(.+)\.(?:\d+(?:\.gz)?|compressing)$/s;

/**
 * The outputs of routes beside each other, which must not write to the same file, nor to
 * one that another rotates its own to: then each would rename and remove what the other
 * has written.
 */
export class OutputNames {
  /** By the name of the output, whose it is. */
  readonly #owners = new Map<string, string>();
  /** The paths of files that would be rotated ones of this path. */
  readonly #rotated = new Map<string, Set<string>>();

  /**
   * Takes the output for an owner.
   *
   * @returns undefined, or why it cannot be, in words that begin with an owner
   */
  take(owner: string, output: Destination): string | undefined {
    const other = this.#owners.get(output.name);
    if (other !== undefined) {
      return `"${other}" and "${owner}" would both go to ${output.name}`;
    }
    const { rotates } = output;
    if (rotates !== undefined) {
      const obstacle = this.#rotation(owner, rotates);
      if (obstacle !== undefined) return obstacle;
      const base = ROTATED.exec(rotates)?.[1];
      if (base !== undefined) {
        const paths = this.#rotated.get(base) ?? new Set();
        this.#rotated.set(base, paths.add(rotates));
      }
      this.#owners.set(rotates, owner);
    }
    this.#owners.set(output.name, owner);
    return undefined;
  }

  #rotation(owner: string, path: string): string | undefined {
    const base = ROTATED.exec(path)?.[1];
    const of = base === undefined ? undefined : this.#owners.get(base);
    if (of !== undefined) {
      return `"${owner}" would go to "${path}", where "${of}" rotates its file to`;
    }
    const [rotated] = this.#rotated.get(path) ?? [];
    const to = rotated === undefined ? undefined : this.#owners.get(rotated);
    return to && `"${to}" would go to "${rotated}", where "${owner}" rotates its file to`;
  }

  /** Nothing is written to it any more. */
  free({ name, rotates }: Destination): void {
    this.#owners.delete(name);
    if (rotates === undefined) return;
    this.#owners.delete(rotates);
    const base = ROTATED.exec(rotates)?.[1];
    if (base === undefined) return;
    const paths = this.#rotated.get(base);
    paths?.delete(rotates);
    if (paths?.size === 0) this.#rotated.delete(base);
  }
}
