import { assertEquals, assertMatch } from "@std/assert";
import { type Program, testExecutables } from "./programs.ts";
import { inFolder, Running, start, until } from "./run.ts";

/** What a service manager does: takes datagrams at a path, or a name that is no file. */
const RECEIVER = `use IO::Socket::UNIX;
my $name = shift;
$name =~ s/^@/\\0/;
my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $name) or die $!;
$| = 1;
$SIG{TERM} = sub { exit };
print "listening\\n";
while (defined $socket->recv(my $state, 4096)) { print join(" ", split /\\n/, $state), "\\n" }`;

/** A service manager that has said what it has got so far in `states`. */
class Manager {
  readonly states: string[] = [];
  readonly #receiver: Running;

  private constructor(receiver: Running) {
    this.#receiver = receiver;
  }

  static async listen(name: string): Promise<Manager> {
    const manager = new Manager(new Running(["perl", "-e", RECEIVER, name]));
    manager.#listen();
    await manager.hears(/^listening$/);
    return manager;
  }

  async #listen(): Promise<void> {
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of this.#receiver.stdout) {
      const lines = (text + decoder.decode(chunk)).split("\n");
      text = lines.pop()!;
      this.states.push(...lines);
    }
  }

  /** Waits for the next state, and takes it. */
  async hears(expected: RegExp): Promise<void> {
    await until(`${expected}`, () => this.states.length > 0);
    assertMatch(this.states.shift()!, expected);
  }

  async close(): Promise<void> {
    await this.#receiver.kill("SIGTERM");
    await this.#receiver.end();
    await this.#receiver.code;
  }
}

for (const kind of ["a socket's path", "an abstract socket"]) {
  testExecutables(
    `says at ${kind} what it is doing`,
    (program) =>
      inFolder(async (folder) => {
        const name = kind.includes("abstract") ? `@${folder}` : `${folder}/notify`;
        const manager = await Manager.listen(name);
        const log = `${folder}/app.log`;
        const args = ["--fifo", `${folder}/app`, "--create", "--output", log];
        const spillway = start(program, [...args, "--drain-timeout", "7s"], {
          NOTIFY_SOCKET: name,
        });
        try {
          await manager.hears(/^READY=1$/);
          await Deno.rename(log, `${log}.1`);
          await spillway.kill("SIGHUP");
          await manager.hears(/^RELOADING=1 MONOTONIC_USEC=\d{4,}$/);
          await manager.hears(/^READY=1$/);
          // The new file is there when the manager hears so.
          assertEquals(await Deno.readTextFile(log), "");
          await spillway.kill("SIGTERM");
          await manager.hears(/^STOPPING=1 EXTEND_TIMEOUT_USEC=13000000$/);
          await spillway.end();
          await spillway.readAll();
          assertEquals([await spillway.code, manager.states], [0, []]);
        } finally {
          await manager.close();
        }
      }),
  );
}

/** What it has got when the program has ended. */
async function statesOf(
  program: Program,
  folder: string,
  watchdog: Record<string, string>,
  test: (manager: Manager) => Promise<void>,
): Promise<readonly string[]> {
  const name = `${folder}/${crypto.randomUUID()}`;
  const manager = await Manager.listen(name);
  const spillway = start(program, [], { NOTIFY_SOCKET: name, ...watchdog });
  await until("it to be ready", () => manager.states.includes("READY=1"));
  await test(manager);
  await spillway.end();
  await spillway.readAll();
  assertEquals(await spillway.code, 0);
  // The watchdog is fed after it, too.
  await until(
    "the end",
    () => manager.states.some((state) => state.startsWith("STOPPING=1")),
  );
  await manager.close();
  return manager.states;
}

testExecutables(
  "feeds a watchdog that is its own, and no other",
  (program) =>
    inFolder(async (folder) => {
      const isFed = (states: readonly string[]) =>
        states.filter((state) => state === "WATCHDOG=1").length >= 3;
      const own = { WATCHDOG_USEC: "200000" };
      const fed = (manager: Manager) => until("food", () => isFed(manager.states));
      await statesOf(program, folder, own, fed);
      const others = { ...own, WATCHDOG_PID: "1" };
      const states = await statesOf(program, folder, others, async () => {});
      assertEquals(states.filter((state) => state === "WATCHDOG=1"), []);
    }),
);

testExecutables(
  "is ready again however many reloads come at once",
  (program) =>
    inFolder(async (folder) => {
      const manager = await Manager.listen(`${folder}/notify`);
      const args = [
        "--fifo",
        `${folder}/app`,
        "--create",
        "--output",
        `${folder}/app.log`,
      ];
      const spillway = start(program, args, { NOTIFY_SOCKET: `${folder}/notify` });
      await manager.hears(/^READY=1$/);
      for (let count = 0; count < 20; count++) await spillway.kill("SIGHUP");
      await until("it to be ready again", () => manager.states.at(-1) === "READY=1");
      await spillway.kill("SIGTERM");
      await spillway.end();
      await spillway.readAll();
      assertEquals(await spillway.code, 0);
      await manager.close();
    }),
);

testExecutables(
  "is ready again where there is no output yet to be reopened",
  (program) =>
    inFolder(async (folder) => {
      const manager = await Manager.listen(`${folder}/notify`);
      const args = [
        ...["--fifo", `${folder}/in/`, "--create"],
        ...["--output", `${folder}/{input}.log`],
      ];
      const spillway = start(program, args, { NOTIFY_SOCKET: `${folder}/notify` });
      try {
        await manager.hears(/^READY=1$/);
        await spillway.kill("SIGHUP");
        await manager.hears(/^RELOADING=1 /);
        await manager.hears(/^READY=1$/);
      } finally {
        await spillway.kill("SIGTERM");
        await spillway.end();
        await spillway.readAll();
        await manager.close();
      }
      assertEquals(await spillway.code, 0);
    }),
);

testExecutables("says why it cannot reach a service manager that there is not", async (
  program,
) => {
  const spillway = start(program, [], { NOTIFY_SOCKET: "/nonexistent/notify" });
  await spillway.end().catch(() => {});
  await spillway.readAll();
  assertEquals(await spillway.code, 1);
  assertMatch(
    await spillway.stderr,
    /^spillway: cannot connect to the service manager at "\/nonexistent\/notify": No such file or directory \(ENOENT\); unset NOTIFY_SOCKET/,
  );
});
