/** A command on a terminal: what is typed reaches it once, and job control works. */

import { assert, assertEquals } from "@std/assert";
import { needing } from "./installed.ts";
import { type Program, testPrograms } from "./programs.ts";
import { inFolder } from "./run.ts";
import { Terminal } from "./terminal.ts";

/** Counts what the terminal sends, until it reads `stop`. */
const COUNTING = `
trap 'echo "INT $((++int))"' INT
trap 'echo "WINCH $((++winch))"' WINCH
echo ready
until [ "$line" = stop ]; do
  if read -t 0.3 part; then
    line=$begun$part begun=
    echo "read $line"
  else
    begun+=$part
  fi
done
exit 7
`;

/**
 * @param shell the terminal's own: with job control, or nothing between them
 * @param command what is run as `./run`, with `$spillway` for the program
 */
function onTerminal(
  program: Program,
  shell: "job control" | "none",
  command: string,
  test: (terminal: Terminal) => Promise<void>,
): Promise<void> {
  return inFolder(async (folder) => {
    const spillway = program.command.map((word) => `'${word}'`).join(" ");
    const script = command.replaceAll("$spillway", spillway);
    await Deno.writeTextFile(`${folder}/child`, COUNTING);
    await Deno.writeTextFile(`${folder}/run`, `#!/bin/bash\ncd ${folder}\n${script}\n`, {
      mode: 0o755,
    });
    const shells = {
      "job control": `cd ${folder}; exec bash --rcfile prompt -i`,
      none: `script -qec 'exec ${folder}/run' /dev/null; echo "status $?"`,
    };
    await Deno.writeTextFile(`${folder}/prompt`, "PS1='prompt> '\n");
    const terminal = await Terminal.open(folder, shells[shell], 80, 40);
    try {
      if (shell === "job control") {
        await terminal.shows(/prompt>/);
        await terminal.type("./run", "Enter");
      }
      await test(terminal);
    } finally {
      await terminal.close();
    }
  });
}

function testTerminals(name: string, test: (program: Program) => Promise<void>): void {
  const named = needing(name, "tmux", "tmux");
  testPrograms(named.name, test, { ignore: named.ignore });
}

testTerminals(
  "^C, ^Z and fg work as without Spillway",
  (program) =>
    onTerminal(
      program,
      "job control",
      "exec $spillway -- bash child",
      async (terminal) => {
        await terminal.shows(/ready/);
        await terminal.type("C-c");
        await terminal.shows(/INT 1/);
        await terminal.type("C-z");
        await terminal.shows(/Stopped/);
        await terminal.type("echo shell-$((6 * 7))", "Enter");
        await terminal.shows(/shell-42/);
        await terminal.type("fg", "Enter");
        await terminal.shows(/fg\n(.*\n)*\.\/run/);
        await terminal.type("again", "Enter");
        await terminal.shows(/read again/);
        await terminal.type("C-c");
        await terminal.shows(/INT 2/);
        await terminal.type("stop", "Enter");
        await terminal.shows(/read stop/);
        await terminal.type("echo status $?", "Enter");
        const screen = await terminal.shows(/status 7/);
        assert(!screen.includes("INT 3"), screen);
      },
    ),
);

testTerminals("the rest of a pipeline keeps the terminal", (program) =>
  onTerminal(
    program,
    "job control",
    `$spillway -- bash -c 'echo flowing; exec sleep 1000' |
      (read line; echo "$line"; read key </dev/tty; echo "key $key"; exec cat)`,
    async (terminal) => {
      await terminal.shows(/flowing/);
      await terminal.type("a", "Enter");
      await terminal.shows(/key a/);
      await terminal.type("C-c");
      await terminal.shows(/prompt>$/);
    },
  ));

testTerminals(
  "as the only job of a terminal it hands it to the command",
  (program) =>
    onTerminal(program, "none", "exec $spillway -- bash child", async (terminal) => {
      await terminal.shows(/ready/);
      await terminal.type("C-c");
      await terminal.shows(/INT 1/);
      // There is no shell that could let it go on.
      await terminal.type("C-z");
      await terminal.type("there", "Enter");
      await terminal.shows(/read there/);
      await terminal.resize(70, 30);
      await terminal.shows(/WINCH 1/);
      await terminal.type("C-c");
      await terminal.shows(/INT 2/);
      await terminal.type("stop", "Enter");
      const screen = await terminal.shows(/status 7/);
      assertEquals(/WINCH 2|INT 3/.exec(screen), null);
    }),
);
