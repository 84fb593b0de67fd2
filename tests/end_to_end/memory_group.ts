/** Memory limits of the kernel's control groups. */

/** Where groups are made, and the file that holds a group's limit. */
interface Hierarchy {
  readonly folder: string;
  readonly limitFile: string;
  /** Of the second version, which hands a controller on only when asked to. */
  readonly handsOn: boolean;
}

const HIERARCHIES: readonly Hierarchy[] = [
  {
    folder: "/sys/fs/cgroup/memory",
    limitFile: "memory.limit_in_bytes",
    handsOn: false,
  },
  { folder: "/sys/fs/cgroup", limitFile: "memory.max", handsOn: true },
];

const HIERARCHY = HIERARCHIES.find(canLimit);

/** Such groups can be made by root, and not in every container. */
export const NEEDS_MEMORY_GROUPS = {
  ignore: HIERARCHY === undefined,
  why: "root, and memory groups that it may make",
};

function canLimit(hierarchy: Hierarchy): boolean {
  const probe = groupIn(hierarchy);
  try {
    if (hierarchy.handsOn) {
      const control = `${hierarchy.folder}/cgroup.subtree_control`;
      Deno.writeTextFileSync(control, "+memory", { create: false });
    }
    Deno.mkdirSync(probe);
    Deno.statSync(`${probe}/${hierarchy.limitFile}`);
    return true;
  } catch {
    return false;
  } finally {
    removeGroup(probe);
  }
}

function groupIn({ folder }: Hierarchy): string {
  return `${folder}/spillway-test-${crypto.randomUUID()}`;
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
  if (HIERARCHY === undefined) throw new Error("no memory groups can be made here");
  const group = groupIn(HIERARCHY);
  Deno.mkdirSync(group);
  try {
    Deno.writeTextFileSync(`${group}/${HIERARCHY.limitFile}`, `${limitBytes}`);
    await test(group);
  } finally {
    removeGroup(group);
  }
}
