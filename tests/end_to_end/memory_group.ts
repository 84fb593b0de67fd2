/** Memory limits of the kernel's control groups, of either version. */

/** Where groups are made, and which of a group's files holds its limit in bytes. */
const HIERARCHIES = [
  { folder: "/sys/fs/cgroup", limit: "memory.max" },
  { folder: "/sys/fs/cgroup/memory", limit: "memory.limit_in_bytes" },
];

/** Undefined where no such group can be made: not root, or in a container. */
const hierarchy = HIERARCHIES.find(({ folder, limit }) => {
  const probe = `${folder}/spillway-probe-${crypto.randomUUID()}`;
  try {
    Deno.mkdirSync(probe);
    return Deno.statSync(`${probe}/${limit}`).isFile;
  } catch {
    return false;
  } finally {
    removeGroup(probe);
  }
});

export const MEMORY_GROUPS = hierarchy !== undefined;

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
  const { folder, limit } = hierarchy!;
  const group = `${folder}/spillway-test-${crypto.randomUUID()}`;
  Deno.mkdirSync(group);
  try {
    Deno.writeTextFileSync(`${group}/${limit}`, `${limitBytes}`);
    await test(group);
  } finally {
    removeGroup(group);
  }
}
