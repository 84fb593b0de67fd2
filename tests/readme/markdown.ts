/** Finds in the README what can be run and checked. */

export interface Fence {
  /** What follows the first three backticks. */
  readonly language: string;
  readonly text: string;
}

export function fencesIn(markdown: string): Fence[] {
  return [...markdown.matchAll(/^```(\w*)\n(.*?)^```$/gms)]
    .map(([, language, text]) => ({ language: language!, text: text! }));
}

/**
 * The commands of a shell script, each of which may take several lines: one that
 * ends in `\` or `|` goes on in the next. Comments are left out.
 */
export function commandsIn(script: string): string[] {
  const commands: string[] = [];
  let command = "";
  for (const line of script.split("\n")) {
    const text = line.replace(/(^|\s+)#.*$/, "").trim();
    if (text === "") continue;
    const goesOn = /[\\|]$/.test(text);
    command += text.replace(/\\$/, "").trimEnd() + (goesOn ? " " : "");
    if (goesOn) continue;
    commands.push(command);
    command = "";
  }
  return commands;
}

/** The part of a Markdown text between its heading and the next of that rank. */
export function section(markdown: string, heading: string): string {
  const start = markdown.indexOf(`\n${heading}\n`);
  if (start < 0) throw new Error(`the README has no "${heading}"`);
  const rank = heading.slice(0, heading.indexOf(" ") + 1);
  const end = markdown.indexOf(`\n${rank}`, start + 1);
  return markdown.slice(start, end < 0 ? undefined : end);
}
