/** Scripts that let a shell complete the flags and their values, from the table of flags. */

import { briefOf, type Flag, FLAGS } from "./flags.ts";

const ALL: readonly Flag[] = FLAGS;
/** Such as `-q`, and what each is short for. */
const SHORTCUTS = ALL.flatMap(({ name, shortcut }) =>
  shortcut === undefined
    ? []
    : [{ letter: shortcut.letter, brief: `Short for --${name} ${shortcut.value}` }]
);

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
  const shortcuts = SHORTCUTS.map(({ letter }) => `-${letter}`);
  const words = [...ALL.flatMap(namesOf), ...shortcuts];
  return `# Completes spillway in bash. Made by: spillway --completions bash
_spillway() {
  local word=\${COMP_WORDS[COMP_CWORD]} flag=\${COMP_WORDS[COMP_CWORD - 1]}
  local choices kind at
  # Bash takes --flag=value for three words.
  if [[ $word == = ]]; then
    word=
  elif [[ $flag == = ]]; then
    flag=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  COMPREPLY=()
  # A command of its own after --.
  for ((at = 1; at < COMP_CWORD; at++)); do
    [[ \${COMP_WORDS[at]} == -- ]] || continue
    if declare -F _command_offset >/dev/null; then
      _command_offset $((at + 1))
    else
      compopt -o filenames
      ((COMP_CWORD == at + 1)) && kind=-c || kind=-f
      mapfile -t COMPREPLY < <(compgen $kind -- "$word")
    fi
    return
  done
  case $flag in
${choices.join("\n")}
    ${paths})
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
      return
      ;;
    ${others}) return ;;
    *) choices='${words.join(" ")}' ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
}
complete -F _spillway spillway
`;
}

function zsh(): string {
  const specs = ALL.map((flag) => {
    const names = namesOf(flag);
    // Only after a long name may the value follow an equals sign.
    const spelled = names.map((name) =>
      flag.value !== undefined && name.startsWith("--") ? `${name}=` : name
    );
    const spec = quoted(`[${escaped(briefOf(flag), "[]\\:")}]${argument(flag)}`);
    if (flag.repeatable) return `    '*'${spelled.join()}${spec}`;
    return names.length === 1
      ? `    ${spelled[0]}${spec}`
      : `    '(${names.join(" ")})'{${spelled.join()}}${spec}`;
  });
  specs.push(...SHORTCUTS.map(({ letter, brief }) => `    -${letter}'[${brief}]'`));
  return `#compdef spillway
# Completes spillway in zsh. Made by: spillway --completions zsh
_spillway() {
  # A command of its own after --.
  local -i at=\${words[(i)--]}
  if ((at < CURRENT)); then
    shift $at words
    ((CURRENT -= at))
    _normal
    return
  fi
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
  lines.push(
    ...SHORTCUTS.map(({ letter, brief }) =>
      `complete -c spillway -s ${letter} -d ${quoted(brief)}`
    ),
  );
  return `# Completes spillway in fish. Made by: spillway --completions fish
complete -c spillway -f
${lines.join("\n")}
# A command of its own after --.
function __spillway_command
  set -l words (commandline -opc) (commandline -ct)
  set -l at (contains -i -- -- $words)
  complete -C (string escape -- $words[(math $at + 1)..-1] | string join ' ')
end
complete -c spillway -n 'contains -- -- (commandline -opc)' -x -a '(__spillway_command)'
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
