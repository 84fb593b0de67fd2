/** The programs that are measured: this one, and what a person would use instead. */

const ROOT = new URL("../../", import.meta.url).pathname;

export interface Subject {
  readonly name: string;
  readonly command: readonly string[];
  /** Undefined: it is not on this machine. */
  readonly version: string | undefined;
}

/** A peer that copies its input to its output, or one that stamps and writes lines. */
interface Peer {
  readonly name: string;
  readonly command: readonly string[];
  /** Debian package that has it. */
  readonly debian: string;
}

const COPIERS: readonly Peer[] = [
  { name: "cat", command: ["cat"], debian: "coreutils" },
  { name: "dd bs=1M", command: ["dd", "bs=1M", "status=none"], debian: "coreutils" },
  { name: "pv", command: ["pv", "-q"], debian: "pv" },
  { name: "mbuffer", command: ["mbuffer", "-q", "-m", "16M"], debian: "mbuffer" },
];

/** FOLDER stands for a folder of its own, on a file system in memory. */
const STAMPERS: readonly Peer[] = [
  { name: "svlogd -tt", command: ["svlogd", "-tt", "FOLDER"], debian: "runit" },
  {
    name: "s6-log T",
    command: ["s6-log", "n10", "s16777215", "T", "FOLDER"],
    debian: "s6",
  },
  {
    name: "multilog t",
    command: ["multilog", "t", "n10", "s16777215", "FOLDER"],
    debian: "daemontools",
  },
  // Without a syslog server to wait for, which flatters it.
  {
    name: "logger",
    command: ["logger", "--no-act", "--socket-errors=off"],
    debian: "bsdutils",
  },
];

/** Without markers, so that what arrives is what was written, less what was lost. */
const SPILLWAY_ARGS = ["--report", "json", "--no-markers"];

/** Compiled with Deno, and with Bun. */
const spillways: readonly Subject[] = ["spillway", "spillway-bun"].map((name) => {
  const path = `${ROOT}dist/${name}`;
  return {
    name,
    command: [path, ...SPILLWAY_ARGS],
    version: firstLineOf(path, "--version"),
  };
});

const copiers = COPIERS.map(find);
const stampers = STAMPERS.map(find);

export const SPILLWAYS = spillways.filter(isThere);
export const COPYING_PEERS = copiers.filter(isThere);
export const STAMPING_PEERS = stampers.filter(isThere);

export const VERSIONS: ReadonlyMap<string, string> = new Map(
  [...SPILLWAYS, ...COPYING_PEERS, ...STAMPING_PEERS].map((
    { name, version },
  ) => [name, version!]),
);
/** What cannot be measured here. */
export const MISSING: readonly string[] = [...spillways, ...copiers, ...stampers]
  .filter((subject) => !isThere(subject)).map(({ name }) => name);

export function isSpillway(name: string): boolean {
  return spillways.some((subject) => subject.name === name);
}

function isThere(subject: Subject): boolean {
  return subject.version !== undefined;
}

/** The first line of what a command prints; undefined when it cannot be run. */
function firstLineOf(command: string, ...args: string[]): string | undefined {
  try {
    const { stdout, success } = new Deno.Command(command, { args, stderr: "null" })
      .outputSync();
    return success ? new TextDecoder().decode(stdout).split("\n")[0] : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function find({ name, command, debian }: Peer): Subject {
  const there = firstLineOf("sh", "-c", `command -v ${command[0]}`) !== undefined;
  // Not every one of them can say its version; the package always can.
  const version = firstLineOf("dpkg-query", "-W", "-f", "${Version}", debian);
  return { name, command, version: there ? `${debian} ${version ?? "?"}` : undefined };
}
