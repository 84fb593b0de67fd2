/**
 * The one table of flags: the parser, the environment, the help, the manual page and
 * the completions come from it, and the README's table is compared with it.
 */

import { FORMAT_HELP, FORMAT_NAMES } from "../formats/formats.ts";
import { DESTINATION_HELP } from "../output/sinks.ts";

export interface Flag {
  readonly name: string;
  readonly short?: string;
  /** A letter that stands for the flag with this value. */
  readonly shortcut?: { readonly letter: string; readonly value: string };
  /** What stands for the value in the help; a flag without it takes none. */
  readonly value?: string;
  readonly repeatable?: true;
  /** It cannot be set in the environment. */
  readonly commandLineOnly?: true;
  /** All that the value can be, for completions; `values.ts` checks it. */
  readonly values?: readonly string[];
  /** The value is a path, or may be one. */
  readonly isPath?: true;
  /** Sentences; the first one begins with what a completion says of it: see `briefOf`. */
  readonly help: string;
  readonly default?: string;
}

interface FlagGroup {
  readonly title: string;
  readonly flags: readonly Flag[];
}

export const FLAG_GROUPS = [
  {
    title: "Input",
    flags: [
      {
        name: "fifo",
        value: "[LABEL=]PATH",
        repeatable: true,
        isPath: true,
        help:
          "Read a named pipe instead of standard input; may be repeated. LABEL names the stream in reports and formats. A folder stands for every named pipe in it, also those that are made later, each labelled by its name; one that is removed is read to its writer's end.",
        default: "standard input, label stdout",
      },
      {
        name: "create",
        help:
          "Create missing named pipes (mode 0600), and folders where PATH ends with a slash. They are left when the program exits, for writers that have them open, and the next run uses them again.",
      },
      {
        name: "once",
        help:
          "Exit when the last writer of a --fifo closes it, instead of waiting for the next one.",
      },
      {
        name: "pipe-size",
        value: "SIZE",
        help: "Size to request for kernel pipes; the kernel may grant less.",
        default: "1MiB",
      },
    ],
  },
  {
    title: "Ring",
    flags: [
      {
        name: "capacity",
        value: "SIZE",
        help: "Memory for lines while the output is slow, for each input; 64KiB to 2GiB.",
        default: "16MiB",
      },
      {
        name: "when-full",
        value: "POLICY",
        values: ["overwrite", "drop-newest", "block"],
        help:
          "What to do when the ring is full: overwrite (the oldest lines), drop-newest, or block (the writer waits).",
        default: "overwrite; block for a regular file",
      },
      {
        name: "max-line",
        value: "SIZE",
        help:
          "Longest line to keep whole, at most a quarter of the capacity; longer lines are split into pieces.",
        default: "64KiB; 8KiB for datagrams",
      },
      {
        name: "keep",
        value: "DIR",
        isPath: true,
        help:
          "Keep what is read in files in DIR until it is delivered. After a crash or a restart the next run delivers first what was left. DIR is made with mode 0700; a folder in /dev/shm costs no speed.",
        default: "off",
      },
      {
        name: "recover",
        value: "FILE",
        isPath: true,
        commandLineOnly: true,
        help:
          "Write what a file of --keep holds, and leave it as it is. There is no other input.",
      },
    ],
  },
  {
    title: "Output",
    flags: [
      {
        name: "output",
        short: "o",
        value: "DEST",
        isPath: true,
        help:
          `Where to write: ${DESTINATION_HELP}. {host} in it stands for this machine's name, {input} for the label of an input, each of which then has an output of its own. Settings follow a ? (HTTP: a #); see the README.`,
        default: "-",
      },
      {
        name: "format",
        value: "FORMAT",
        values: FORMAT_NAMES,
        help: `How to write: ${FORMAT_HELP}.`,
        default: "raw",
      },
      {
        name: "max-size",
        value: "SIZE",
        help:
          "Rotate the output file before it gets larger than this, never within a line. Older files are PATH.1, PATH.2 and so on.",
        default: "never",
      },
      {
        name: "max-files",
        value: "N",
        help:
          "How many files to keep with --max-size, including PATH; with 1, PATH is emptied when it is full.",
        default: "5",
      },
      {
        name: "compress",
        help:
          "Compress rotated files in the background: PATH.1.gz, PATH.2.gz and so on. What is left at the end is done by the next run.",
      },
      {
        name: "no-markers",
        help: "Do not mark in the output where lines are missing.",
      },
      {
        name: "drain-timeout",
        value: "DUR",
        help: "How long to keep writing after the end of input or a signal.",
        default: "10s",
      },
    ],
  },
  {
    title: "Reports",
    flags: [
      {
        name: "report",
        shortcut: { letter: "q", value: "none" },
        value: "HOW",
        values: ["text", "json", "none"],
        help:
          "How to report on standard error: text, json (one object per line) or none. -q is short for --report none.",
        default: "text",
      },
      {
        name: "report-interval",
        value: "DUR",
        help: "How often to repeat the report of a loss or a stall that continues.",
        default: "10s",
      },
      {
        name: "progress",
        help:
          "Draw a live meter on standard error; this must be a terminal, and the output must not.",
      },
      {
        name: "metrics",
        value: "HOST:PORT",
        help:
          "Serve Prometheus metrics, health and a live page: /metrics, /healthz and /. Without HOST, on loopback only.",
      },
      { name: "fail-on-loss", help: "Exit with status 3 if any line was lost." },
    ],
  },
  {
    title: "Containers",
    flags: [
      {
        name: "containerd",
        commandLineOnly: true,
        help:
          "Be the logging binary of a container, as containerd starts it: read its two streams at descriptors 3 and 4. {id} and {namespace} in --output stand for the container's; folders named like this are created.",
      },
    ],
  },
  {
    title: "Other",
    flags: [
      {
        name: "completions",
        value: "SHELL",
        values: ["bash", "zsh", "fish"],
        commandLineOnly: true,
        help: "Print a script that completes the command line in this shell.",
      },
      {
        name: "man",
        commandLineOnly: true,
        help: "Print the manual page; read it with man -l.",
      },
      {
        name: "help",
        short: "h",
        commandLineOnly: true,
        help: "Show the help; -h shows it on one screen.",
      },
      { name: "version", short: "V", commandLineOnly: true, help: "Show the version." },
    ],
  },
] as const satisfies readonly FlagGroup[];

type AnyFlag = typeof FLAG_GROUPS[number]["flags"][number];
export type FlagName = AnyFlag["name"];

export const FLAGS: readonly (Flag & { readonly name: FlagName })[] = FLAG_GROUPS.flatMap(
  (group): readonly (Flag & { readonly name: FlagName })[] => group.flags,
);

/** `-h, --help`, `--output DEST` */
export function headOf({ name, short, value }: Flag): string {
  const long = value === undefined ? `--${name}` : `--${name} ${value}`;
  return short === undefined ? long : `-${short}, ${long}`;
}

/** What a flag does, in a few words: the beginning of its help. */
export function briefOf({ help }: Flag): string {
  return /^.*?(?=[.;:](\s|$))/.exec(help)?.[0] ?? help;
}
