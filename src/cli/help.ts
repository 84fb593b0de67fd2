import { type Flag, FLAG_GROUPS } from "./flags.ts";

export const VERSION = "0.1.0";

const WIDTH = 80;
const INDENT = 4;

const SUMMARY = `Reads logs from a pipe without ever making the writer wait, keeps the
newest in memory while the output is slow, and says exactly which lines
had to be overwritten.`;

const USAGE = `Usage: PROGRAM | spillway [FLAGS]
       spillway --fifo PATH [--fifo LABEL=PATH …] [FLAGS]`;

const EXIT = `Exit status:
  0  everything was written
  1  an input or the output failed for good
  2  the command line is wrong
  3  lines were lost, and --fail-on-loss was given
  4  stopped with lines not written

Signals:
  SIGTERM, SIGINT  read what is in the pipe, write what is kept, and end;
                   a second one ends at once
  SIGHUP           open the output file anew (log rotation)
  SIGUSR2          report now

Sizes take k m g, KiB MiB GiB (× 1024) or KB MB GB (× 1000); durations take
ms s m h.

Flags can also be set in the environment, as in SPILLWAY_CAPACITY=64MiB,
SPILLWAY_CREATE=1 or SPILLWAY_FIFO=out=/run/out,err=/run/err. The command line
wins.`;

/** What a terminal without input is shown. */
export const SHORT_HELP = `${SUMMARY}

${USAGE}

Try:   some-service 2>&1 | spillway --output app.log
       spillway --help
`;

/** What `--help` prints. */
export function fullHelp(): string {
  const groups = FLAG_GROUPS.map(({ title, flags }) =>
    `${title}:\n${flags.map(describe).join("\n")}`
  );
  return `${SUMMARY}\n\n${USAGE}\n\n${groups.join("\n\n")}\n\n${EXIT}\n`;
}

function describe(flag: Flag): string {
  const short = flag.short === undefined ? "" : `-${flag.short}, `;
  const value = flag.value === undefined ? "" : ` ${flag.value}`;
  const standard = flag.default === undefined ? "" : ` [${flag.default}]`;
  return `  ${short}--${flag.name}${value}\n${wrap(flag.help + standard)}`;
}

function wrap(text: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && INDENT + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map((line) => " ".repeat(INDENT) + line).join("\n");
}
