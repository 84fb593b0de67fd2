/** The part of @std/fmt/bytes that is used; its npm package carries no types. */

/** A size in decimal units: 1337 → `1.34 kB`. */
export function format(bytes: number, options?: { readonly binary?: boolean }): string;
