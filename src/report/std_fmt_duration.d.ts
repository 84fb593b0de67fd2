/** The part of @std/fmt/duration that is used; its npm package carries no types. */

/** 99674 → `1m 39s 674ms`, with parts that are zero left out. */
export function format(ms: number, options: { readonly ignoreZero: true }): string;
