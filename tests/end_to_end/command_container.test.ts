/**
 * Spillway as the first process of real containers: nothing is in their images but the
 * executable, the libraries that it links to, and one static program.
 */

import { assert, assertEquals } from "@std/assert";
import { CANNOT_RUN, Containerd } from "./containerd.ts";
import { makeRoot } from "./minimal_root.ts";
import { type Program, testExecutables } from "./programs.ts";
import { until } from "./run.ts";

const SHELL = ["/busybox", "sh", "-c"];

function testImages(
  name: string,
  test: (containerd: Containerd, root: string) => Promise<void>,
): void {
  testExecutables(
    `container${CANNOT_RUN ? ` (${CANNOT_RUN})` : ""}: ${name}`,
    (program: Program) =>
      Containerd.use(async (containerd) => {
        await makeRoot(program, containerd.folder);
        const root = `${containerd.folder}/root`;
        await Deno.copyFile(`${containerd.root}/bin/busybox`, `${root}/busybox`);
        await test(containerd, root);
      }),
    { ignore: CANNOT_RUN !== undefined },
  );
}

testImages("its first process hands on output and exit status", async (
  containerd,
  root,
) => {
  const log = `${containerd.logs}/log`;
  const script = "/busybox seq 1 50000; echo $PPID; exit 7";
  const command = ["/spillway", "--report", "none", "--", ...SHELL, script];
  const ended = await containerd.runProgram("web", root, command, `file://${log}`);
  assertEquals(ended, { code: 7, stderr: "" });
  const lines = Array.from({ length: 50_000 }, (_, index) => `${index + 1}\n`).join("");
  assertEquals(await Deno.readTextFile(log), `${lines}1\n`);
});

/** A logging binary that says it is ready, and then reads nothing. */
const FROZEN = "#!/bin/sh\nprintf x >&5; exec 5>&-; exec sleep 1000\n";

testImages("a log driver that is stuck stops nothing", async (containerd, root) => {
  const frozen = `${containerd.folder}/frozen`;
  await Deno.writeTextFile(frozen, FROZEN, { mode: 0o755 });
  const script = "/busybox yes | /busybox head -c 100000000; echo all > /written; exit 3";
  const command = ["/spillway", "--drain-timeout", "0ms", "--", ...SHELL, script];
  const running = containerd.runProgram("web", root, command, `binary://${frozen}?a=b`);
  await until(
    "all to be written",
    () =>
      Deno.readTextFile(`${root}/written`).then((text) => text === "all\n", () => false),
  );
  assertEquals((await running).code, 3);
});

testImages("the signal that stops a container reaches the command", async (
  containerd,
  root,
) => {
  const log = `${containerd.logs}/log`;
  const script =
    `trap 'echo bye; exit 5' TERM; echo ready; while :; do /busybox sleep 0.05; done`;
  const command = ["/spillway", "--", ...SHELL, script];
  const running = containerd.runProgram("web", root, command, `file://${log}`);
  const text = () => Deno.readTextFile(log).catch(() => "");
  await until("the command", async () => await text() === "ready\n");
  assert((await containerd.ctr("task", "kill", "-s", "SIGTERM", "web")).code === 0);
  assertEquals((await running).code, 5);
  assertEquals(await text(), "ready\nbye\n");
});
