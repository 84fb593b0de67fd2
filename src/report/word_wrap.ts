/**
 * Breaks a text between words into lines of at most so many columns, as a terminal that
 * shows it would break it inside words. A word that is longer stays whole. Every
 * character takes one column.
 */
export function wrapWords(text: string, columns: number): string {
  return text.split("\n").map((line) => wrapLine(line, columns)).join("\n");
}

function wrapLine(line: string, columns: number): string {
  const lines: string[] = [];
  let rest = line;
  while (rest.length > columns) {
    // A space right behind the last column is where a full line ends.
    const inside = rest.lastIndexOf(" ", columns);
    const end = inside > 0 ? inside : rest.indexOf(" ", columns);
    if (end < 0) break;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end + 1);
  }
  return [...lines, rest].join("\n");
}
