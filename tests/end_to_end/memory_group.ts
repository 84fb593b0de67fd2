/** Memory limits of the kernel's control groups, of the first version. */

const GROUPS = "/sys/fs/cgroup/memory";

/** True where such groups can be made: root, and not in a container. */
export const MEMORY_GROUPS = canMakeGroups();

function canMakeGroups(): boolean {
  const probe = `${GROUPS}/spillway-probe-${crypto.randomUUID()}`;
  try {
    Deno.mkdirSync(probe);
    return true;
  } catch {
    return false;
  } finally {
    removeGroup(probe);
  }
}

function removeGroup(group: string): void {
  try {
    Deno.removeSync(group);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** A group that may use so much memory, the page cache included. */
export async function withMemoryGroup(
  limitBytes: number,
  test: (group: string) => Promise<void>,
): Promise<void> {
  const group = `${GROUPS}/spillway-test-${crypto.randomUUID()}`;
  Deno.mkdirSync(group);
  try {
    Deno.writeTextFileSync(`${group}/memory.limit_in_bytes`, `${limitBytes}`);
    await test(group);
  } finally {
    removeGroup(group);
  }
}
