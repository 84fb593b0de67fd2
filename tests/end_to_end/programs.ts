/** The programs under test: the source under Deno and what is made from it. */

const ROOT = new URL("../../", import.meta.url).pathname;

export interface Program {
  readonly name: string;
  readonly command: readonly string[];
  readonly missing: boolean;
}

export const PROGRAMS: readonly Program[] = [
  {
    name: "source",
    command: [
      "env",
      "DENO_NO_UPDATE_CHECK=1",
      Deno.execPath(),
      "run",
      "--quiet",
      "--no-prompt",
      "--allow-ffi",
      "--allow-net",
      "--allow-env=CONTAINER_ID,CONTAINER_NAMESPACE,NO_COLOR,TERM,DENO_TLS_CA_STORE,DENO_CERT,NODE_EXTRA_CA_CERTS",
      `--allow-read=${ROOT}`,
      `${ROOT}main.ts`,
    ],
    missing: false,
  },
  executable("dist/spillway"),
  executable("dist/spillway-bun"),
];

/** What needs nothing but itself: the source needs packages, and a home to find them in. */
export const EXECUTABLES = PROGRAMS.filter(({ name }) => name !== "source");

/** Runs where the C library is musl; its tests bring one. */
export const MUSL_EXECUTABLE = executable("dist/spillway-bun-musl");

function executable(path: string): Program {
  let missing = false;
  try {
    Deno.statSync(ROOT + path);
  } catch {
    missing = true;
  }
  return { name: path, command: [ROOT + path], missing };
}

/** What a test needs beside its program. */
export interface Needs {
  /** It cannot be run here. */
  readonly ignore?: boolean;
  /** What is missing then; a name may say it already. */
  readonly why?: string;
  readonly programs?: readonly Program[];
}

/**
 * One test for each executable, where it makes no difference that the source runs with
 * another version of Deno, is started otherwise and has other rights.
 */
export function testExecutables(
  name: string,
  test: (program: Program) => Promise<void>,
  needs: Needs = {},
): void {
  testPrograms(name, test, { programs: EXECUTABLES, ...needs });
}

/** One test for each program; those that were not made are reported as ignored. */
export function testPrograms(
  name: string,
  test: (program: Program) => Promise<void>,
  needs: Needs = {},
): void {
  const missing = needs.ignore && needs.why !== undefined ? ` (needs ${needs.why})` : "";
  for (const program of needs.programs ?? PROGRAMS) {
    Deno.test({
      name: `${program.name}: ${name}${missing}`,
      ignore: program.missing || needs.ignore === true,
      fn: () => test(program),
    });
  }
}
