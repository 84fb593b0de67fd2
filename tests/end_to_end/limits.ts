/** Limits of a program that runs: prlimit(1). */

/** @param as what starts it with the rights of the program's user */
async function limit(pid: number, what: string, as: readonly string[] = []) {
  const [command, ...args] = [...as, "prlimit", "--pid", `${pid}`, what];
  const { success, stderr } = await new Deno.Command(command!, { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** How many processes and threads its user may have, as far as it is concerned. */
export async function limitThreads(pid: number, count: number, as: readonly string[]) {
  await limit(pid, `--nproc=${count}:`, as);
}

/** Its descriptors are numbered below that; those that it has stay. */
export async function limitFiles(pid: number, count: number) {
  await limit(pid, `--nofile=${count}:`);
}
