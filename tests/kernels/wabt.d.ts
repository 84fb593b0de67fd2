/** The part of wabt that is used; its package carries no types. */

interface Module {
  toBinary(options: object): { readonly buffer: Uint8Array<ArrayBuffer> };
  /** Frees what is not JavaScript's. */
  destroy(): void;
}

interface Wabt {
  /** Throws with line and column where the text is wrong. */
  parseWat(name: string, text: string, features: { readonly threads: boolean }): Module;
}

export default function loadWabt(): Promise<Wabt>;
