/**
 * Makes the executables and the part of a release that the end-to-end tests run: `deno task test` calls it
 * first. One that cannot be made here is removed, so that its tests are skipped
 * by name instead of running something old.
 *
 * `deno compile` needs a runtime from Deno's own site. Where that is out of
 * reach, $DENO_COMPILE may name another Deno that has one ($DENORT_BIN).
 */

const BUILDS = [
  {
    program: "dist/spillway",
    command: Deno.env.get("DENO_COMPILE") ?? Deno.execPath(),
    task: "compile",
  },
  { program: "dist/spillway-bun", command: Deno.execPath(), task: "compile:bun" },
  {
    program: "dist/spillway-bun-musl",
    command: Deno.execPath(),
    task: "compile:bun-musl",
  },
  { program: "dist/npm", command: Deno.execPath(), task: "npm" },
  {
    program: "dist/release",
    command: Deno.execPath(),
    task: "release aarch64-glibc-bun",
  },
];

for (const { program, command, task } of BUILDS) {
  await Deno.remove(program, { recursive: true }).catch(() => {});
  const { success, stderr } = await new Deno.Command(command, {
    args: ["task", "--quiet", ...task.split(" ")],
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) {
    await Deno.remove(program, { recursive: true }).catch(() => {});
    console.error(`${program} cannot be made here, its tests are skipped:`);
    console.error(new TextDecoder().decode(stderr));
  }
}
