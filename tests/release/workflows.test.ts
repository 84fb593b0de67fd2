import { assert, assertEquals, assertMatch } from "@std/assert";
import { parse } from "@std/yaml";
import { EXECUTABLES } from "../../.ci/executables.ts";

const FOLDER = new URL("../../.github/workflows/", import.meta.url);

interface Workflow {
  readonly permissions: Record<string, string>;
  readonly jobs: Record<string, Job>;
}

interface Job {
  readonly uses?: string;
  readonly steps?: readonly Step[];
  readonly strategy?: { readonly matrix: { readonly include?: readonly Matrix[] } };
}

interface Step {
  readonly uses?: string;
  readonly run?: string;
}

type Matrix = Readonly<Record<"platform" | "image" | "runner", string>>;

const workflows = await Promise.all(
  [...Deno.readDirSync(FOLDER)].map(async ({ name }) => ({
    name,
    workflow: parse(await Deno.readTextFile(new URL(name, FOLDER))) as Workflow,
  })),
);

for (const { name, workflow } of workflows) {
  Deno.test(`${name} may only read, and takes actions by their content`, () => {
    assertEquals(workflow.permissions, { contents: "read" });
    for (const { uses, steps = [] } of Object.values(workflow.jobs)) {
      const taken = [uses, ...steps.map((step) => step.uses)].filter((use) => use);
      for (const action of taken) assertMatch(action!, /^\.\/|@[0-9a-f]{40}$/);
    }
  });

  Deno.test(`${name} has no script that the shell cannot read`, async () => {
    const steps = Object.values(workflow.jobs).flatMap(({ steps = [] }) => steps);
    for (const { run } of steps.filter(({ run }) => run !== undefined)) {
      const args = ["-n", "-c", run!];
      const { success, stderr } = await new Deno.Command("bash", { args }).output();
      assert(success, new TextDecoder().decode(stderr));
      // Such a text would become part of the script: it goes in by the environment.
      assert(!run!.includes("${{"), run);
    }
  });
}

Deno.test("a release tries every executable on a machine and a C library it is for", () => {
  const { workflow } = workflows.find(({ name }) => name === "release.yml")!;
  const tried = workflow.jobs.try!.strategy!.matrix.include!;
  assertEquals(
    tried.map(({ platform }) => platform).sort(),
    EXECUTABLES.map(({ platform }) => platform).sort(),
  );
  for (const { platform, image, runner } of tried) {
    assertEquals(platform.startsWith("aarch64"), runner.endsWith("-arm"), platform);
    assertEquals(platform.includes("musl"), image.startsWith("alpine"), platform);
  }
});
