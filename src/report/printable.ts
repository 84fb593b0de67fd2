/**
 * Text that comes from outside, such as the name of a file or what a server said,
 * as a terminal may show it on one line: control characters, and those that turn
 * the direction of writing, as `\\x1b` and `\\u202e`.
 */
export function printable(text: string): string {
  return text.replaceAll(
    // deno-lint-ignore no-control-regex
    /[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g,
    (character) => {
      const code = character.charCodeAt(0).toString(16);
      return code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, "0")}`;
    },
  );
}
