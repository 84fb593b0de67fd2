import {
  createAccount,
  createOperator,
  createUser,
  encodeAccount,
  encodeOperator,
  encodeUser,
  fmtCreds,
} from "@nats-io/jwt";
import { nkeys } from "@nats-io/nats-core";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { checkConservation, numberedLines } from "./numbered_lines.ts";
import { mkfifo } from "../../src/system/names.ts";
import {
  allStored,
  makeStream,
  type NatsServer,
  PATIENCE,
  withNats,
} from "./nats_servers.ts";
import { failureOf, testNats } from "./nats_tests.ts";
import { freeze, run, start, summaryIn } from "./run.ts";

const JSON_REPORTS = ["--report", "json"];

function contents(server: NatsServer, stream = "LOGS") {
  return allStored(server.address, stream);
}

testNats("a stream holds the lines in their order", async (program, server) => {
  await withNats(server.address, (nats) => makeStream(nats, "LOGS", ["logs.>"]));
  const input = numberedLines(0, 20_000);
  const { code, stderr } = await run(
    program,
    [
      ...["--output", `nats://${server.address}/logs.app`, "--format", "raw"],
      ...JSON_REPORTS,
    ],
    `${input}no newline`,
  );
  assertEquals(code, 0, stderr);
  const summary = summaryIn(stderr);
  checkConservation(summary);
  assertEquals(summary.lines_out, 20_001);
  const messages = await contents(server);
  assertEquals(messages.map(({ text }) => text).join(""), `${input}no newline`);
  assert(messages.length < 100, `${messages.length} messages`);
  for (const { subject, id } of messages) {
    assertEquals(subject, "logs.app");
    assertMatch(id, /^[0-9a-f-]{36}-stdout-\d+-\d+$/);
  }
});

testNats("batch=line makes a message of each line", async (program, server) => {
  await withNats(server.address, (nats) => makeStream(nats, "LOGS", ["logs.>"]));
  const output = `nats://${server.address}/logs.app?batch=line`;
  const lines = numberedLines(0, 3000).split("\n").slice(0, -1);
  const { code, stderr } = await run(
    program,
    ["--output", output, "--format", "raw", ...JSON_REPORTS],
    `${lines.join("\n")}\n\nend`,
  );
  assertEquals(code, 0, stderr);
  const messages = await contents(server);
  assertEquals(messages.map(({ text }) => text), [
    ...lines,
    "",
    "end",
  ]);
  assertEquals(
    messages.slice(-3).map(({ id, partial }) => [id.split("-").at(-1), partial]),
    [["300000", false], ["300001", false], ["300004", true]],
  );
  assertEquals(summaryIn(stderr).lines_out, 3002);
});

testNats(
  "a missing stream is waited for, and said how to make",
  async (program, server) => {
    const spillway = start(program, [
      ...["--output", `nats://${server.address}/logs.app`, "--format", "raw"],
      ...JSON_REPORTS,
    ]);
    await spillway.write("a\n");
    const report = await spillway.reported(
      "a failure",
      (r) => r.event === "sink_failing",
    );
    assertMatch(
      report.message ?? "",
      /^no stream of nats:\S+\/logs.app takes the subject "logs.app"; make one, such as with nats stream add --subjects 'logs.>', or add create=NAME$/,
    );
    await withNats(server.address, (nats) => makeStream(nats, "LOGS", ["logs.>"]));
    await spillway.counted("the line", (s) => s.lines_out === 1);
    await spillway.end();
    assertEquals(await spillway.code, 0);
    assertEquals((await contents(server)).map(({ text }) => text), ["a\n"]);
  },
);

testNats("create makes a stream for a whole fleet, once", async (program, server) => {
  for (const host of ["web-1", "web-2"]) {
    const output = `nats://${server.address}/logs.${host}?create=FLEET`;
    const { code, stderr } = await run(
      program,
      ["--output", output, "--format", "raw"],
      `${host}\n`,
    );
    assertEquals(code, 0, stderr);
  }
  const messages = await contents(server, "FLEET");
  assertEquals(messages.map(({ text }) => text), ["web-1\n", "web-2\n"]);
});

testNats("each input has a subject of its own", async (program, server, folder) => {
  const labels = ["api", "web"];
  for (const label of labels) mkfifo(`${folder}/${label}`, 0o600);
  const spillway = start(program, [
    ...labels.flatMap((label) => ["--fifo", `${label}=${folder}/${label}`]),
    ...["--output", `nats://${server.address}/logs.{input}?create=LOGS`, "--once"],
    ...["--format", "raw"],
  ]);
  await Promise.all(
    labels.map((label) => Deno.writeTextFile(`${folder}/${label}`, `${label}\n`)),
  );
  assertEquals(await spillway.code, 0, spillway.stderrSoFar);
  const messages = await contents(server);
  assertEquals(messages.map(({ subject, text }) => [subject, text]).sort(), [
    ["logs.api", "api\n"],
    ["logs.web", "web\n"],
  ]);
});

testNats(
  "what a stream refuses is counted, and nothing else",
  async (program, server) => {
    await withNats(server.address, (nats) => makeStream(nats, "LOGS", ["logs.>"]));
    const { code, stderr } = await run(
      program,
      [
        ...["--output", `nats://${server.address}/logs.app`, "--format", "raw"],
        ...["--max-line", "256KiB", ...JSON_REPORTS],
      ],
      `good\n${"x".repeat(100_000)}\ngood\n`,
    );
    assertEquals(code, 0, stderr);
    const summary = summaryIn(stderr);
    checkConservation(summary);
    assertEquals([summary.lines_out, summary.lines_rejected], [2, 1]);
    assert(stderr.includes("takes messages of up to"), stderr);
    const messages = await contents(server);
    assertMatch(
      messages.map(({ text }) => text).join(""),
      /^good\ngood\nspillway: 1 line \(100001 bytes\) rejected between .*\n$/,
    );
  },
  () => Promise.resolve("max_payload: 64KB"),
);

testNats(
  "a server that is killed again and again costs no line",
  async (program, server) => {
    await withNats(server.address, (nats) => makeStream(nats, "LOGS", ["logs.>"]));
    for (const batch of ["lines", "line"]) {
      const spillway = start(program, [
        ...["--output", `nats://${server.address}/logs.${batch}?batch=${batch}`],
        ...["--format", "raw", ...JSON_REPORTS],
      ]);
      const [rounds, perRound] = [4, 5000];
      for (let round = 0; round < rounds; round++) {
        const written = spillway.write(numberedLines(round * perRound, perRound));
        await spillway.counted(
          "some are out",
          ({ lines_out }) => Number(lines_out) > round * perRound,
        );
        await server.server.stop("SIGKILL");
        await server.server.start();
        await written;
      }
      await spillway.end();
      assertEquals(await spillway.code, 0, spillway.stderrSoFar);
      const summary = summaryIn(await spillway.stderr);
      checkConservation(summary);
      assertEquals(summary.lines_out, rounds * perRound);
      const lines = (await contents(server))
        .filter(({ subject }) => subject === `logs.${batch}`)
        .map(({ text }) => batch === "line" ? `${text}\n` : text).join("");
      assertEquals(lines, numberedLines(0, rounds * perRound));
    }
  },
);

testNats(
  "a cluster that does not answer keeps nobody waiting at the end",
  async (program, server) => {
    await withNats(server.address, (nats) => makeStream(nats, "LOGS", ["logs.>"]));
    const spillway = start(program, [
      ...["--output", `nats://${server.address}/logs.app?timeout=300ms`],
      ...["--drain-timeout", "1s", ...JSON_REPORTS],
    ]);
    await spillway.write("a\n");
    await spillway.counted("a line is out", (s) => s.lines_out === 1);
    await freeze(server.server.pid);
    await spillway.write("b\nc\n");
    // On a busy machine 0.3 s may have been too short for the first connection.
    await spillway.reported(
      "that nothing is acknowledged",
      ({ message }) =>
        message?.includes("has not acknowledged a message for 0.3 s") === true,
    );
    await spillway.end();
    assertEquals(await spillway.code, 4);
    const summary = summaryIn(await spillway.stderr);
    checkConservation(summary);
    assertEquals([summary.lines_out, summary.lines_unflushed], [1, 2]);
    Deno.kill(server.server.pid, "SIGCONT");
  },
);

testNats("an acknowledgement that comes late counts", async (program, server) => {
  await withNats(server.address, (nats) => makeStream(nats, "LOGS", ["logs.>"]));
  const spillway = start(program, [
    ...["--output", `nats://${server.address}/logs.app?timeout=1s`, "--format", "raw"],
    ...JSON_REPORTS,
  ]);
  await spillway.write("a\n");
  await spillway.counted("a line is out", (s) => s.lines_out === 1);
  await freeze(server.server.pid);
  await spillway.write("b\n");
  await spillway.reported("a failure", (r) => r.event === "sink_failing");
  Deno.kill(server.server.pid, "SIGCONT");
  await spillway.reported("that it works", (r) => r.event === "sink_recovered");
  await spillway.write("c\n");
  await spillway.end();
  assertEquals(await spillway.code, 0);
  assertEquals(summaryIn(await spillway.stderr).lines_out, 3);
  const texts = (await contents(server)).map(({ text }) => text);
  assertEquals(texts.join(""), "a\nb\nc\n");
});

const KINDS = {
  basic: {
    users: "users: [{ user: me, password: s3cret-word }]",
    text: "me:s3cret-word",
  },
  token: { users: "token: s3cret-token", text: "s3cret-token" },
} as const;

for (const [kind, { users, text }] of Object.entries(KINDS)) {
  testNats(
    `takes ${kind} from a file, and tells nobody`,
    async (program, server, folder) => {
      const output = `nats://${server.address}/logs.app?create=LOGS`;
      const path = `${folder}/credentials`;
      Deno.writeTextFileSync(path, `${text}\n`, { mode: 0o600 });
      const good = await run(program, ["--output", `${output}&${kind}=${path}`], "a\n");
      assertEquals(good.code, 0, good.stderr);
      Deno.writeTextFileSync(path, `${text}-wrong\n`);
      const bad = await failureOf(program, `${output}&${kind}=${path}`);
      assertMatch(bad.message, /^cannot connect to nats:\S+: authorization violation/i);
      assert(!bad.stderr.includes("s3cret"), bad.stderr);
    },
    () => Promise.resolve(`authorization { ${PATIENCE}, ${users} }`),
  );
}

testNats("signs with a seed from a file", async (program, server, folder) => {
  const output = `nats://${server.address}/logs.app?create=LOGS&nkey=${folder}/seed`;
  const { code, stderr } = await run(program, ["--output", output], "a\n");
  assertEquals(code, 0, stderr);
}, (folder) => {
  const user = nkeys.createUser();
  writeSecret(`${folder}/seed`, new TextDecoder().decode(user.getSeed()));
  return Promise.resolve(
    `authorization { ${PATIENCE}, users: [{ nkey: ${user.getPublicKey()} }] }`,
  );
});

testNats("takes the creds of an operator's account", async (program, server, folder) => {
  const output = `nats://${server.address}/logs.app?create=LOGS&creds=${folder}/me.creds`;
  const { code, stderr } = await run(program, ["--output", output], "a\n");
  assertEquals(code, 0, stderr);
  writeSecret(`${folder}/me.creds`, "nothing of the kind");
  const wrong = await run(program, ["--output", output], "a\n");
  assertEquals(wrong.code, 1, wrong.stderr);
  assertMatch(wrong.stderr, /me.creds" does not hold a user's JWT and seed/);
}, async (folder) => {
  const [operator, system, account, user] = [
    createOperator(),
    createAccount(),
    createAccount(),
    createUser(),
  ];
  const operatorJwt = await encodeOperator("operator", operator, {
    system_account: system.getPublicKey(),
  });
  const systemJwt = await encodeAccount("system", system, {}, { signer: operator });
  // -1: without a limit.
  const limits = {
    ...{ conn: -1, subs: -1, data: -1, payload: -1 },
    ...{ mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 },
  };
  const accountJwt = await encodeAccount("account", account, { limits }, {
    signer: operator,
  });
  const userJwt = await encodeUser("user", user, account);
  writeSecret(
    `${folder}/me.creds`,
    new TextDecoder().decode(fmtCreds(userJwt, user)),
  );
  return `operator: ${operatorJwt}
resolver: MEMORY
resolver_preload: {
  ${system.getPublicKey()}: ${systemJwt}
  ${account.getPublicKey()}: ${accountJwt}
}`;
});

function writeSecret(path: string, text: string): void {
  Deno.writeTextFileSync(path, `${text}\n`, { mode: 0o600 });
}

testNats("says what a user may not do", async (program, server, folder) => {
  Deno.writeTextFileSync(`${folder}/credentials`, "me:word\n", { mode: 0o600 });
  const settings = `?basic=${folder}/credentials`;
  await withNats(
    server.address,
    (nats) => makeStream(nats, "LOGS", ["logs.>", "other"]),
    { user: "admin", pass: "word" },
  );
  const allowed = await run(
    program,
    ["--output", `nats://${server.address}/logs.app${settings}`],
    "a\n",
  );
  assertEquals(allowed.code, 0, allowed.stderr);
  const denied = await failureOf(program, `nats://${server.address}/other${settings}`);
  assertMatch(denied.message, /permissions violation for publish to "other"/i);
}, () =>
  Promise.resolve(`authorization { ${PATIENCE}, users: [
  { user: admin, password: word },
  { user: me, password: word,
    permissions: { publish: ["logs.>"], subscribe: ["_INBOX.>"] } }
] }`));
