import { eastAsianWidth } from "get-east-asian-width";

/**
 * Breaks a text between words into lines of at most so many columns, as a terminal that
 * shows it would break it inside words. A word that is longer stays whole.
 */
export function wrapWords(text: string, columns: number): string {
  return text.split("\n").map((line) => wrapLine(line, columns)).join("\n");
}

function wrapLine(line: string, columns: number): string {
  // The first word has no space before it.
  let column = -1;
  return line.split(" ").map((word, index) => {
    const width = widthOf(word);
    const fits = column + 1 + width <= columns;
    column = fits ? column + 1 + width : width;
    return index === 0 ? word : `${fits ? " " : "\n"}${word}`;
  }).join("");
}

/** In columns; marks that combine with the character before them take none. */
function widthOf(text: string): number {
  const characters = Array.from(text.replaceAll(/\p{M}/gu, ""));
  return characters.reduce((sum, one) => sum + eastAsianWidth(one.codePointAt(0)!), 0);
}
