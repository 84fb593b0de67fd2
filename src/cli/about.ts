/** What the help and the manual page say of the program beside its flags. */

export const VERSION = "0.1.0";

export const SUMMARY =
  "Reads logs from a pipe without ever blocking the writer: while the output is slow it keeps the newest lines, and says exactly how many it overwrote.";

/** The ways to call it. */
export const USAGE = [
  "PROGRAM | spillway [FLAGS]",
  "spillway [FLAGS] -- COMMAND [ARG…]",
  "spillway --fifo PATH [--fifo LABEL=PATH …] [FLAGS]",
];

/** Commands as people type them, and what each does. */
export const EXAMPLES = [
  {
    command: "service 2>&1 | spillway --output app.log --max-size 10MB --compress",
    meaning: "Write a service's logs to a file, and rotate it",
  },
  {
    command: "spillway --fifo /run/app.fifo --create --output syslog+unix:/dev/log",
    meaning: "Pass on what is written to a named pipe",
  },
  {
    command: "service | spillway --capacity 64MiB --metrics 9464 | slow-log-driver",
    meaning: "Keep more for a slow reader, and watch it in a browser",
  },
];

export const EXIT_STATUSES = [
  [0, "everything was written"],
  [1, "an input or the output failed for good"],
  [2, "the command line is wrong"],
  [3, "lines were lost, and --fail-on-loss was given"],
  [4, "stopped with lines not written"],
  [125, "as 1, with a command"],
  [126, "the command cannot be executed"],
  [127, "the command was not found"],
] as const;

export const COMMAND_STATUS =
  "A command's own exit status comes before 3 and 4; it is 128 and the signal's number where a signal has ended it.";

export const SIGNALS = [
  [
    "SIGTERM",
    "read what is in the pipe, write everything, and exit; a second one exits at once",
  ],
  [
    "SIGINT, SIGQUIT",
    "the same, but read a pipe on standard input to its end: its writer has got the signal, too",
  ],
  [
    "SIGHUP",
    "reopen the output file (log rotation); with another output like SIGINT",
  ],
  ["SIGUSR1, SIGUSR2", "report now"],
  [
    "with a command",
    "all are passed on to it; SIGHUP reopens the file as well, and the others are as above when it has ended",
  ],
] as const;

export const UNITS =
  "Sizes take k m g, KiB MiB GiB (× 1024) or KB MB GB (× 1000); durations take ms s m h.";

export const ENVIRONMENT =
  "Flags can also be set in the environment, as in SPILLWAY_CAPACITY=64MiB, SPILLWAY_CREATE=1 or SPILLWAY_FIFO=out=/run/out,err=/run/err. The command line wins.";
