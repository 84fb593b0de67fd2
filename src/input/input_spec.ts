import { STDIN } from "../system/descriptors.ts";

/** What the control thread knows of an input. */
export interface InputSpec {
  readonly label: string;
  readonly source: InputSource;
}

/** Where an input comes from. */
export type InputSource =
  | {
    readonly kind: "fifo";
    readonly path: string;
    /**
     * It was found in a folder, from which it may go again: its name is then that of no
     * next one. Whoever watches the folder says when to look at it.
     */
    readonly inFolder?: true;
  }
  /** Handed over open by whoever has started the program; `name` is for messages. */
  | { readonly kind: "descriptor"; readonly number: number; readonly name: string }
  /** An earlier run has read all that there is, and left it in a file. */
  | {
    readonly kind: "kept";
    readonly path: string;
    readonly run: string;
    /** It is all in the ring. */
    readonly ended: boolean;
  };

export const STANDARD_INPUT: InputSource = {
  kind: "descriptor",
  number: STDIN,
  name: "standard input",
};

/** How messages call it. */
export function nameOfSource(source: InputSource): string {
  if (source.kind === "kept") return `"${source.path}"`;
  return source.kind === "fifo" ? `FIFO "${source.path}"` : source.name;
}
