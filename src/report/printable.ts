/** Control characters, separators of lines, and what is not seen but changes what is. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Text that comes from outside, such as the name of a file or what a server said,
 * as a terminal may show it on one line: control and format characters, among them
 * those that turn the direction of writing, as `\\x1b`, `\\u202e` and `\\u{e0001}`.
 */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) => {
    const code = character.codePointAt(0)!.toString(16);
    if (code.length <= 2) return `\\x${code.padStart(2, "0")}`;
    return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, "0")}`;
  });
}
