import { assertEquals } from "@std/assert";
import { parse } from "@std/yaml";
import { needing } from "../end_to_end/installed.ts";
import { until } from "../end_to_end/run.ts";
import { MANUAL } from "./documents.ts";
import { type Fence, fencesIn } from "./markdown.ts";
import { type Stage, testOnStage } from "./stage.ts";

/** The README's files: neither commands nor output. */
const files = fencesIn(MANUAL).filter(({ language }) => !["", "sh"].includes(language));

/** What cannot be tried here, and why; by a file's first line. */
const NOT_TRIED: Record<string, string> = {
  'ENTRYPOINT ["/usr/local/bin/spillway", "--"]':
    "needs a registry; command_container.test.ts runs such containers",
  "FROM registry.example/shop:1":
    "needs a registry; command_container.test.ts runs such containers",
  "FROM gcr.io/distroless/cc-debian12:nonroot":
    "needs a registry; minimal_root.test.ts runs the same executable in such a root",
  "FROM alpine:3.20":
    "needs a registry; minimal_root.test.ts runs the same executable in such a root",
};

/** The part of a pod that counts here. */
interface Pod {
  readonly spec: Readonly<Record<"initContainers" | "containers", PodContainer[]>>;
}

interface PodContainer {
  readonly name: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly restartPolicy?: string;
  readonly volumeMounts: readonly unknown[];
}

/** By a file's first line: what must be true of it. */
const TRIED: Record<string, (stage: Stage, text: string) => Promise<void>> = {
  "# web.service": async (stage, text) => {
    const unit = "/etc/systemd/system/web.service";
    stage.write(unit, text);
    const { stdout, stderr } = await stage.run(`systemd-analyze verify ${unit}`);
    assertEquals(stdout + stderr, "");
    const [, command] = /^ExecStart=(.* --) \S+$/m.exec(text)!;
    await stage.run(`mkdir -p /var/log/web; ${command} service`);
    assertEquals(stage.text("/var/log/web/web.log"), "a warning\n1\n2\n3\n");
  },
  "# web.yaml": async (stage, text) => {
    const { spec } = parse(text) as Pod;
    stage.write("/web", "#!/bin/sh\nexec service\n");
    const command = shell(spec.containers[0]!.command!);
    assertEquals(await stage.run(`chmod +x /web; exec ${command}`), {
      stdout: "1\n2\n3\n",
      stderr: "a warning\n",
    });
  },
  "apiVersion: v1": async (stage, text) => {
    const { spec } = parse(text) as Pod;
    const [pipe, sidecar] = spec.initContainers as [PodContainer, PodContainer];
    const [shop] = spec.containers as [PodContainer];
    const mounts = [pipe, sidecar, shop].map(({ volumeMounts }) => volumeMounts[0]);
    assertEquals(mounts, Array(3).fill({ name: "logs", mountPath: "/logs" }));
    assertEquals([pipe.restartPolicy, sidecar.restartPolicy], [undefined, "Always"]);
    await stage.run(
      `echo 'service; cat' >/shop; chmod +x /shop; ${shell(pipe.command!)}`,
    );
    const spillway = stage.start(`exec spillway ${shell(sidecar.args!)} >/run/pod.log`);
    const app = stage.start(shell(shop.command!));
    await until("its lines", () => stage.text("/run/pod.log") === "a warning\n1\n2\n3\n");
    await app.end();
    await spillway.kill("SIGTERM");
    assertEquals([await app.code, await spillway.code], [0, 0]);
  },
};

/** Programs that it takes, and their Debian packages; by a file's first line. */
const TOOLS: Record<string, readonly [command: string, debianPackage: string]> = {
  "# web.service": ["systemd-analyze", "systemd"],
};

function shell(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(" ");
}

function firstLine({ text }: Fence): string {
  return text.slice(0, text.indexOf("\n"));
}

Deno.test("every file in the README is tried, or it is said why it is not", () => {
  const known = [...Object.keys(NOT_TRIED), ...Object.keys(TRIED)];
  assertEquals(files.map(firstLine).sort(), known.sort());
});

testOnStage("the README's files do what it says", async (t, stage) => {
  for (const file of files) await tryFile(t, stage, file);
});

async function tryFile(t: Deno.TestContext, stage: Stage, file: Fence): Promise<void> {
  const key = firstLine(file);
  const [test, why] = [TRIED[key], NOT_TRIED[key]];
  if (test === undefined) {
    await t.step({ name: `${key} (${why})`, ignore: true, fn: () => {} });
    return;
  }
  const tool = TOOLS[key];
  const { name, ignore } = tool ? needing(key, ...tool) : { name: key, ignore: false };
  await t.step({ name, ignore, fn: () => test(stage, file.text) });
}
