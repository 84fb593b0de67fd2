import { assert, assertEquals, assertMatch } from "@std/assert";
import { CANNOT_RUN, Containerd } from "./containerd.ts";
import { checkConservation, checkNumberedLines, MARKER } from "./numbered_lines.ts";
import { freePort } from "./peers.ts";
import { type Program, testExecutables } from "./programs.ts";
import { killIfThere, until } from "./run.ts";

function testContainers(
  name: string,
  test: (containerd: Containerd, program: Program) => Promise<void>,
): void {
  testExecutables(
    `containerd${CANNOT_RUN ? ` (${CANNOT_RUN})` : ""}: ${name}`,
    (program) => Containerd.use((containerd) => test(containerd, program)),
    { ignore: CANNOT_RUN !== undefined },
  );
}

/** Lines of a shell's making, numbered as `numberedLines` does, 100 bytes each. */
function numbered(count: number): string {
  const line = `substr(i " ${"x".repeat(98)}", 1, 99)`;
  return `awk 'BEGIN { for (i = 0; i < ${count}; i++) print ${line} }'`;
}

testContainers(
  "both streams of a container arrive whole",
  async (containerd, program) => {
    const count = 20_000;
    const script = `seq 1 ${count}; seq ${count} -1 1 >&2; printf end; exit 7`;
    const expected = Array.from({ length: count }, (_, index) => `${index + 1}`);
    const parsers: Record<string, (line: string) => { stream: string; text: string }> = {
      cri: (line) => {
        const [, stream, tag, ...content] = line.split(" ");
        return { stream: stream!, text: content.join(" ") + (tag === "F" ? "\n" : "") };
      },
      "json-file": (line) => {
        const { stream, log } = JSON.parse(line);
        return { stream, text: log };
      },
    };
    for (const [format, parse] of Object.entries(parsers)) {
      const ended = await containerd.run(format, script, program, {
        "--output": `${containerd.logs}/{namespace}/{id}.log`,
        "--format": format,
        "--no-markers": "",
      });
      assertEquals(ended, { code: 7, stderr: "" });
      const summary = await containerd.summaryOf(format);
      checkConservation(summary);
      assertEquals([summary.lines_in, summary.lines_out], [2 * count + 1, 2 * count + 1]);
      const log = await Deno.readTextFile(
        `${containerd.logs}/${containerd.namespace}/${format}.log`,
      );
      const text = { stdout: "", stderr: "" };
      for (const line of log.split("\n").slice(0, -1)) {
        const record = parse(line);
        text[record.stream as keyof typeof text] += record.text;
      }
      assertEquals(text.stdout, `${expected.join("\n")}\nend`);
      assertEquals(text.stderr, `${expected.toReversed().join("\n")}\n`);
    }
  },
);

testContainers(
  "a bad argument keeps a container from starting",
  async (containerd, program) => {
    const refused = await containerd.run("web", "exit 0", program, {
      "--output": `${containerd.logs}/log`,
      "--capacity": "lots",
    });
    assertEquals(refused.code, 1);
    assertMatch(refused.stderr, /OCI runtime create failed/);
    await containerd.says(
      /spillway: spillway-c-\w+\/web: --capacity: "lots" is not a size/,
    );
    const allowed = await containerd.run("web", "exit 3", program, {
      "--output": `${containerd.logs}/log`,
    });
    assertEquals(allowed.code, 3, "the same name can be used again");
  },
);

testContainers(
  "a port for metrics that another container has keeps this one from starting",
  async (containerd, program) => {
    const port = freePort();
    const args = { "--output": `${containerd.logs}/{id}`, "--metrics": `${port}` };
    assertEquals(
      (await containerd.runDetached("one", "sleep 1000", program, args)).code,
      0,
    );
    const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    assertMatch(
      page,
      /^spillway_container_info\{container_id="one",.*="spillway-c-\w+"\} 1$/m,
    );
    const two = await containerd.run("two", "exit 0", program, args);
    assertEquals(two.code, 1);
    await containerd.says(/spillway-c-\w+\/two|"container_id":"two"/);
    await containerd.says(/cannot listen on 127\.0\.0\.1 port \d+ for --metrics/);
  },
);

testContainers(
  "what runs beside a container has a logging binary of its own",
  async (containerd, program) => {
    const args = { "--output": `${containerd.logs}/{id}` };
    await containerd.runDetached("web", "echo web; sleep 1000", program, args);
    const script = "echo out; echo err >&2; exit 5";
    // containerd gives it the name of what is executed, and not the container's.
    assertEquals((await containerd.exec("web", "look", script, program, args)).code, 5);
    const summary = await containerd.summaryOf("look");
    assertEquals(summary.inputs?.map(({ lines_out }) => lines_out), [1, 1]);
    const lines = (await Deno.readTextFile(`${containerd.logs}/look`)).split("\n");
    assertEquals(lines.sort(), ["", "err", "out"]);
    const web = `${containerd.logs}/web`;
    await until("the line", async () => await Deno.readTextFile(web) === "web\n");
  },
);

testContainers(
  "what nobody takes until the end is counted, before the shim loses patience",
  async (containerd, program) => {
    const fifo = `${containerd.logs}/fifo`;
    assert((await new Deno.Command("mkfifo", { args: [fifo] }).output()).success);
    const ended = await containerd.run("web", "seq 1000; echo end >&2", program, {
      "--output": `fifo:${fifo}`,
      "--drain-timeout": "200ms",
    });
    assertEquals(ended, { code: 0, stderr: "" });
    const summary = await containerd.summaryOf("web");
    checkConservation(summary);
    assertEquals([summary.lines_in, summary.lines_unflushed], [1001, 1001]);
    assert(!containerd.log.includes("failed to wait for shim logger process"));
  },
);

testContainers(
  "a container writes 500 MB while nobody takes its log",
  async (containerd, program) => {
    const [count, line] = [5_000_000, "x".repeat(99)];
    const fifo = `${containerd.logs}/fifo`;
    assert((await new Deno.Command("mkfifo", { args: [fifo] }).output()).success);
    const held = await Deno.open(fifo, { read: true, write: true });
    const reader = await Deno.open(fifo, { read: true });
    held.close();
    const script = `yes ${line} | head -n ${count}; echo > /written`;
    const args = { "--output": `fifo:${fifo}` };
    const running = containerd.run("web", script, program, args);
    await until(
      "the container to have written all",
      () => Deno.stat(`${containerd.root}/written`).then(() => true, () => false),
    );
    // Only now does somebody read.
    const log = new TextDecoder().decode(await new Response(reader.readable).bytes());
    assertEquals(await running, { code: 0, stderr: "" });
    const seen = { lines: 0, lostLines: 0, lostBytes: 0 };
    for (const text of log.split("\n").slice(0, -1)) {
      const marker = MARKER.exec(text);
      if (marker === null) assertEquals(text, line);
      seen.lines += marker === null ? 1 : 0;
      seen.lostLines += Number(marker?.[1] ?? 0);
      seen.lostBytes += Number(marker?.[2] ?? 0);
    }
    const summary = await containerd.summaryOf("web");
    checkConservation(summary);
    assertEquals([summary.lines_in, summary.bytes_in], [count, 500_000_000]);
    assertEquals(seen, {
      lines: Number(summary.lines_out),
      lostLines: Number(summary.lines_overwritten),
      lostBytes: 100 * Number(summary.lines_overwritten),
    });
    assertEquals(seen.lines + seen.lostLines, count);
    assert(seen.lostLines > 0.9 * count, "the log was taken too early for this test");
  },
);

testContainers(
  "a disk that is full for a while costs nothing",
  async (containerd, program) => {
    const count = 40_000;
    await mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", containerd.logs);
    try {
      const script = `${numbered(count)}; until [ -e /freed ]; do sleep 0.1; done`;
      const running = containerd.run("web", script, program, {
        "--output": `${containerd.logs}/log`,
      });
      await until(
        "the disk to be full",
        () => containerd.log.includes("No space left on device (ENOSPC)"),
      );
      await mount("-o", "remount,size=64m", containerd.logs);
      await Deno.writeTextFile(`${containerd.root}/freed`, "");
      assertEquals(await running, { code: 0, stderr: "" });
      const summary = await containerd.summaryOf("web");
      checkConservation(summary);
      assertEquals([summary.lines_in, summary.lines_out], [count, count]);
      const seen = checkNumberedLines(await Deno.readFile(`${containerd.logs}/log`));
      assertEquals([seen.lines, seen.markers], [count, 0]);
    } finally {
      await new Deno.Command("umount", { args: ["--lazy", containerd.logs] }).output();
    }
  },
);

async function mount(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("mount", { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

testContainers(
  "a container that is killed inside a line leaves that part of it",
  async (containerd, program) => {
    const output = `${containerd.logs}/log`;
    const args = { "--output": output };
    const script = 'echo one; printf "tw"; sleep 1000';
    const running = containerd.run("web", script, program, args);
    await until(
      "the part of a line",
      async () => await Deno.readTextFile(output).catch(() => "") === "one\ntw",
    );
    assertEquals((await containerd.ctr("task", "kill", "-s", "SIGKILL", "web")).code, 0);
    assertEquals((await running).code, 128 + 9);
    const summary = await containerd.summaryOf("web");
    assertEquals([summary.lines_in, summary.lines_out, summary.bytes_out], [2, 2, 6]);
    assertEquals(await Deno.readTextFile(output), "one\ntw");
  },
);

testContainers(
  "nothing is lost when the shim dies, and a new one goes on in the same file",
  async (containerd, program) => {
    const args = { "--output": `${containerd.logs}/log` };
    const script = `${numbered(10_000)}; sleep 1000`;
    await containerd.runDetached("web", script, program, args);
    await until(
      "the lines to be written",
      async () =>
        (await Deno.stat(args["--output"]).catch(() => undefined))?.size === 1_000_000,
    );
    const container = await containerd.pidOf("web");
    for (const shim of containerd.shims()) Deno.kill(shim, "SIGKILL");
    // containerd tries to kill it for five seconds, and then forgets it.
    killIfThere(container);
    // Its reports have no reader any more when containerd is quicker than it.
    await untilAllEnded(containerd);
    const { code, stderr } = await containerd.run("next", "echo again", program, args);
    assertEquals(code, 0, stderr);
    await untilAllEnded(containerd);
    const log = await Deno.readTextFile(args["--output"]);
    assertEquals(log.length, 1_000_000 + "again\n".length);
    assert(log.endsWith("\nagain\n"));
  },
);

function untilAllEnded(containerd: Containerd): Promise<void> {
  return until(
    "the logging binary to end",
    () => containerd.loggingBinaries().length === 0,
  );
}

testContainers(
  "a log goes on while containerd is restarted",
  async (containerd, program) => {
    const output = `${containerd.logs}/log`;
    const script = "echo one; until [ -e /again ]; do sleep 0.1; done; echo two";
    await containerd.runDetached("web", script, program, { "--output": output });
    await until(
      "the first line",
      async () => await Deno.readTextFile(output).catch(() => "") === "one\n",
    );
    await containerd.stop();
    await containerd.start();
    await Deno.writeTextFile(`${containerd.root}/again`, "");
    await until(
      "the second line",
      async () => await Deno.readTextFile(output) === "one\ntwo\n",
    );
    await until(
      "the task to be deleted",
      async () => (await containerd.ctr("task", "delete", "web")).code === 0,
      50,
    );
    const summary = await containerd.summaryOf("web");
    assertEquals([summary.lines_in, summary.lines_out], [2, 2]);
    assertEquals(await Deno.readTextFile(output), "one\ntwo\n");
  },
);
