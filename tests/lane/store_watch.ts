import type { Kernels } from "../../src/kernels/kernels.ts";

type Kernel = (...args: number[]) => number;

/**
 * Sees every store that the code makes in a lane before it is made, but into plain arrays
 * of bytes; of a copy also its middle. One at a time is installed.
 */
export class StoreWatch {
  /** Called before each store. What it throws comes in the place of the store. */
  onStore: (() => void) | undefined;
  /** Called for accesses to words, in the place of the memory where it says so. */
  words: Partial<Pick<Kernels, "load" | "store" | "compareExchange">> & {
    isShared(at: number): boolean;
  } = { isShared: () => false };

  /** Sees views, and the kernels of memories that get theirs from now on. */
  install(): () => void {
    const { prototype } = DataView;
    const names = ["setFloat64", "setUint32"] as const;
    const real = names.map((name) => prototype[name]);
    const stored = () => this.onStore?.();
    for (const [index, name] of names.entries()) {
      prototype[name] = function (this: DataView, ...args: [number, number, boolean?]) {
        stored();
        real[index]!.apply(this, args);
      };
    }
    const { Instance } = WebAssembly;
    const watched = (kernels: Record<string, Kernel>) => this.#watched(kernels);
    WebAssembly.Instance = function (
      module: WebAssembly.Module,
      imports: WebAssembly.Imports,
    ) {
      const { exports } = new Instance(module, imports);
      return { exports: watched(exports as Record<string, Kernel>) };
    } as unknown as typeof Instance;
    return () => {
      for (const [index, name] of names.entries()) prototype[name] = real[index]!;
      WebAssembly.Instance = Instance;
    };
  }

  #watched(real: Record<string, Kernel>): Record<string, Kernel> {
    const stored = () => this.onStore?.();
    const watched = { ...real };
    for (const name of ["load", "store", "compareExchange"] as const) {
      watched[name] = (...args) => {
        const at = args[0]!;
        if (this.words.isShared(at)) {
          return (this.words[name] as Kernel)(...args);
        }
        if (name !== "load") stored();
        return real[name]!(...args);
      };
    }
    watched.add = (...args) => {
      stored();
      return real.add!(...args);
    };
    watched.copy = (to, from, length) => {
      stored();
      // Many stores, of which half may be the last.
      real.copy!(to!, from!, length! >>> 1);
      stored();
      return real.copy!(to!, from!, length!);
    };
    return watched;
  }
}
