/** Scripts that let a shell complete the flags and their values, from the table of flags. */

import { briefOf, type Flag, FLAGS } from "./flags.ts";

const ALL: readonly Flag[] = FLAGS;

/** What writes the script, by the shell's name on the command line. */
const SCRIPTS = { bash, zsh, fish };

export type Shell = keyof typeof SCRIPTS;
export const SHELLS = Object.keys(SCRIPTS) as Shell[];

/** A script for the shell to read when it starts. */
export function completionScript(shell: Shell): string {
  return SCRIPTS[shell]();
}

function bash(): string {
  const choices = ALL.flatMap((flag) =>
    flag.values === undefined
      ? []
      : [`    ${namesOf(flag).join(" | ")}) choices='${flag.values.join(" ")}' ;;`]
  );
  const paths = ALL.filter(({ isPath }) => isPath).flatMap(namesOf).join(" | ");
  const others = ALL.filter(({ value, values, isPath }) => value && !values && !isPath)
    .flatMap(namesOf).join(" | ");
  return `# Completes spillway in bash. Made by: spillway --completions bash
_spillway() {
  local word=\${COMP_WORDS[COMP_CWORD]} flag=\${COMP_WORDS[COMP_CWORD - 1]} choices
  # Bash takes --flag=value for three words.
  if [[ $word == = ]]; then
    word=
  elif [[ $flag == = ]]; then
    flag=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  COMPREPLY=()
  case $flag in
${choices.join("\n")}
    ${paths})
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
      return
      ;;
    ${others}) return ;;
    *) choices='${ALL.flatMap(namesOf).join(" ")}' ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
}
complete -F _spillway spillway
`;
}

function zsh(): string {
  const specs = ALL.map((flag) => {
    const names = namesOf(flag);
    const brief = `[${escaped(briefOf(flag), "[]\\:")}]`;
    const rest = quoted(assigned(flag) + brief + argument(flag));
    if (flag.repeatable) return `    '*'${names.join()}${rest}`;
    return names.length === 1
      ? `    ${names[0]}${rest}`
      : `    '(${names.join(" ")})'{${names.join()}}${rest}`;
  });
  return `#compdef spillway
# Completes spillway in zsh. Made by: spillway --completions zsh
_spillway() {
  _arguments -s -S \\
${specs.join(" \\\n")}
}
# It may be found in $fpath by its name, or sourced.
if [[ $funcstack[1] == _spillway ]]; then
  _spillway "$@"
else
  compdef _spillway spillway
fi
`;
}

/** That a value may also follow an equals sign. */
function assigned({ value }: Flag): string {
  return value === undefined ? "" : "=";
}

function argument({ value, values, isPath }: Flag): string {
  if (value === undefined) return "";
  const action = values ? `(${values.join(" ")})` : isPath ? "_files" : " ";
  return `:${escaped(value, "\\:")}:${action}`;
}

function fish(): string {
  const lines = ALL.map((flag) => {
    const { name, short, value, values, isPath } = flag;
    const words = ["complete -c spillway"];
    if (short !== undefined) words.push(`-s ${short}`);
    words.push(`-l ${name}`);
    if (value !== undefined) words.push(isPath ? "-r -F" : "-x");
    if (values !== undefined) words.push(`-a ${quoted(values.join(" "))}`);
    return `${words.join(" ")} -d ${quoted(briefOf(flag))}`;
  });
  return `# Completes spillway in fish. Made by: spillway --completions fish
complete -c spillway -f
${lines.join("\n")}
`;
}

function namesOf({ name, short }: Flag): string[] {
  return short === undefined ? [`--${name}`] : [`-${short}`, `--${name}`];
}

/** @throws RangeError for a text that no shell's single quotes can hold in one way */
function quoted(text: string): string {
  if (/['\n]/.test(text)) throw new RangeError(`cannot be quoted: ${text}`);
  return `'${text}'`;
}

function escaped(text: string, characters: string): string {
  return [...text].map((letter) => characters.includes(letter) ? `\\${letter}` : letter)
    .join("");
}
