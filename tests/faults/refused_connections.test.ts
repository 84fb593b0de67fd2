/** Connections that the system forbids: by a firewall, or by the mode of a socket. */

import dgram from "node:dgram";
import { once } from "node:events";
import { assert, assertEquals } from "@std/assert";
import { HttpReceiver } from "../end_to_end/http_receiver.ts";
import { NEEDS_STRACE } from "../end_to_end/installed.ts";
import { checkConservation } from "../end_to_end/numbered_lines.ts";
import { testExecutables } from "../end_to_end/programs.ts";
import { inFolder, Running, summaryIn, until } from "../end_to_end/run.ts";
import { Receiver } from "../end_to_end/stream_receiver.ts";
import { startFaulty } from "./injection.ts";

async function checkForbidden(spillway: Running, error: string): Promise<void> {
  const { message = "" } = await spillway.reported(
    "that it is forbidden",
    ({ event }) => event === "sink_failing",
  );
  assert(message.includes(error), message);
}

async function checkEnd(spillway: Running, lines: number): Promise<void> {
  await spillway.counted("all lines", (s) => s.lines_out === lines);
  await spillway.end();
  assertEquals(await spillway.code, 0);
  checkConservation(summaryIn(await spillway.stderr));
}

for (const error of ["EPERM", "EACCES"]) {
  const fault = { call: "connect", error, when: "1..2" };

  testExecutables(
    `tcp: ${error} is tried again, from the first time on`,
    async (program) => {
      const receiver = Receiver.tcp();
      receiver.start();
      try {
        const output = receiver.destination.replace("localhost", "127.0.0.1");
        const spillway = startFaulty(program, fault, ["--output", output]);
        await spillway.write("a\n");
        await checkForbidden(spillway, error);
        await checkEnd(spillway, 1);
      } finally {
        receiver.stop();
      }
    },
    NEEDS_STRACE,
  );

  testExecutables(
    `http: ${error} is tried again, from the first time on`,
    async (program) => {
      const receiver = new HttpReceiver();
      await receiver.start();
      try {
        const output = `http://127.0.0.1:${receiver.port}/`;
        const spillway = startFaulty(program, fault, ["--output", output]);
        await spillway.write("a\n");
        // Each runtime has its own words for it.
        await spillway.reported("a failure", ({ event }) => event === "sink_failing");
        await checkEnd(spillway, 1);
      } finally {
        await receiver.stop();
      }
    },
    NEEDS_STRACE,
  );

  testExecutables(
    `syslog: ${error} is tried again, from the first time on`,
    async (program) => {
      const receiver = dgram.createSocket("udp4");
      receiver.bind(0, "127.0.0.1");
      await once(receiver, "listening");
      try {
        const output = `syslog://127.0.0.1:${receiver.address().port}`;
        const spillway = startFaulty(program, fault, ["--output", output]);
        await spillway.write("a\n");
        await checkForbidden(spillway, error);
        await checkEnd(spillway, 1);
      } finally {
        receiver.close();
      }
    },
    NEEDS_STRACE,
  );
}

testExecutables(
  "unix: a socket that may not be used yet, after a restart, is waited for",
  (program) =>
    inFolder(async (folder) => {
      const receiver = Receiver.unix(`${folder}/socket`);
      receiver.start();
      const fault = { call: "connect", error: "EACCES", when: "2..3" };
      const spillway = startFaulty(program, fault, ["--output", receiver.destination]);
      try {
        await spillway.write("a\n");
        await spillway.counted("the first line", (s) => s.lines_out === 1);
        receiver.stop();
        receiver.start();
        // What the peer that has gone has not taken is found out by what is sent next.
        await spillway.write("b\n");
        await checkEnd(spillway, 2);
        await until("the second line", () => receiver.text.includes("b\n"));
      } finally {
        receiver.stop();
      }
    }),
  NEEDS_STRACE,
);

testExecutables(
  "unix: a socket that may not be used at the start is an error",
  (program) =>
    inFolder(async (folder) => {
      const receiver = Receiver.unix(`${folder}/socket`);
      receiver.start();
      const fault = { call: "connect", error: "EACCES", when: "1+" };
      const spillway = startFaulty(program, fault, ["--output", receiver.destination]);
      try {
        // It may have ended before there was anything to read.
        await spillway.write("a\n").catch(() => {});
        await spillway.end().catch(() => {});
        assertEquals(await spillway.code, 1);
        assert((await spillway.stderr).includes("needs the right to write to it"));
      } finally {
        receiver.stop();
      }
    }),
  NEEDS_STRACE,
);

/** Takes a datagram, and is bound again, as a logger that restarts. */
const LOGGER = `
import os, socket, sys
for line in range(2):
  logger = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
  logger.bind(sys.argv[1])
  print("bound", file=sys.stderr, flush=True)
  print(logger.recv(9999), file=sys.stderr, flush=True)
  logger.close()
  os.unlink(sys.argv[1])
`;

testExecutables(
  "syslog+unix: a socket that may not be used yet is waited for",
  (program) =>
    inFolder(async (folder) => {
      const socket = `${folder}/socket`;
      const logger = new Running(["python3", "-c", LOGGER, socket]);
      const isBound = (times: number) =>
        until(
          `socket ${times} to be bound`,
          () => logger.stderrSoFar.split("bound").length === 1 + times,
        );
      await isBound(1);
      const fault = { call: "connect", error: "EACCES", when: "2..3" };
      const output = `syslog+unix:${socket}`;
      const spillway = startFaulty(program, fault, ["--output", output]);
      await spillway.write("first\n");
      await spillway.counted("the first line", (s) => s.lines_out === 1);
      // The first socket would take it, too, and be closed with it.
      await isBound(2);
      await spillway.write("second\n");
      await checkEnd(spillway, 2);
      await logger.readAll();
      await logger.end().catch(() => {});
      assert((await logger.stderr).includes("second"));
    }),
  NEEDS_STRACE,
);

testExecutables(
  "syslog: what a router finds too long is not the message that is sent then",
  async (program) => {
    const server = dgram.createSocket("udp4");
    let text = "";
    server.on("message", (bytes) => text += `${bytes}\n`);
    server.bind(0, "127.0.0.1");
    await once(server, "listening");
    try {
      const output = `syslog://127.0.0.1:${server.address().port}`;
      const fault = { call: "sendto", error: "EMSGSIZE", when: "2" };
      const spillway = startFaulty(program, fault, ["--output", output]);
      await spillway.write("long\n");
      // A signal that asks for the counters may be handled in this thread, by a sendto.
      await until("the first line", () => /long\n$/.test(text));
      await spillway.write("short\n");
      await checkEnd(spillway, 2);
      await until("both lines", () => /long\n.*short\n$/s.test(text));
    } finally {
      server.close();
    }
  },
  NEEDS_STRACE,
);
