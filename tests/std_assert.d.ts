/** The part of @std/assert that is used; its npm package carries no types. */

/** Compares deeply. @throws AssertionError that shows where they differ. */
export function assertEquals<T>(actual: T, expected: T, message?: string): void;
export function assert(condition: unknown, message?: string): asserts condition;
export function assertMatch(actual: string, expected: RegExp, message?: string): void;
/** @returns what was thrown */
export function assertThrows<E extends Error>(
  fn: () => unknown,
  kind: new (message?: string) => E,
  messageIncludes?: string,
): E;
