/**
 * A small world in which the README's commands can be run as they are: a root
 * folder of its own (with the programs of this machine, and `/etc`, `/run`, `/var`
 * and `/dev` that nobody else sees), a network of its own, stand-ins for the
 * programs that the README only makes up, and peers under the names that it makes
 * up. Only root can make it.
 */

import { needing } from "../end_to_end/installed.ts";
import { makeCertificates } from "../end_to_end/peers.ts";
import { PROGRAMS } from "../end_to_end/programs.ts";
import { inFolder, killIfThere, Running, until } from "../end_to_end/run.ts";

const PROJECT = new URL("../../", import.meta.url).pathname;
/** Where peers keep what they get; a file each. */
export const RECEIVED = "/received";
/** Where commands are run. */
const HOME = "/home/stage";
/** Stand-ins come first. */
const PATH = "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const SHELL = ["bash", "-o", "pipefail", "-c"];
/** Far more than any command takes; one that takes longer has failed. */
const RUN_LIMIT = "110s";
/** As elsewhere in the tests: on a busy machine a drain may take longer than usual. */
const PATIENCE = "SPILLWAY_DRAIN_TIMEOUT=100s";
/** The hosts that the README makes up; all are this machine. */
const HOSTS = ["logs.example.org", "es.example.org"];
/** Each has an address of its own, for a server at the same port. */
export const CLUSTER = ["127.0.0.1", "127.0.0.2", "127.0.0.3"];
const CLUSTER_HOSTS = CLUSTER.map((address, index) =>
  `${address} n${index + 1}.example.org`
);

/** As good as any of them: what the README says is the same for all. */
const spillway = PROGRAMS.find(({ name, missing }) => name !== "source" && !missing) ??
  PROGRAMS[0]!;

/** What the README's programs do here. */
const STAND_INS: Record<string, string> = {
  spillway: `echo $$ >/run/spillway.pid
exec ${spillway.command.map((word) => `'${word}'`).join(" ")} "$@"`,
  service: "echo a warning >&2; seq 3",
  "slow-log-driver": `exec cat >${RECEIVED}/driver`,
  deno: `exec '${Deno.execPath()}' "$@"`,
  // The real one would fetch the Deno that runs already; the project is the clone.
  npx: `cd ${PROJECT}; shift 2; exec '${Deno.execPath()}' "$@"`,
};

/** Moves into a new root folder and runs a command there. */
const ENTER = `set -e
folder=$1
shift
root=/mnt
ip link set lo up
mount -t tmpfs tmpfs "$root"
for path in /*; do
  case $path in
    /mnt) ;;
    /etc) cp -a /etc "$root" ;;
    /dev | /run | /var | /home) mkdir "$root$path" ;;
    *)
      if [ -L "$path" ]; then cp -P "$path" "$root"
      elif [ -d "$path" ]; then mkdir "$root$path"; mount --rbind "$path" "$root$path"
      fi ;;
  esac
done
for device in null zero full random urandom; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s /proc/self/fd "$root/dev/fd"
mkdir "$root/dev/shm"
mount -t tmpfs -o size=64m tmpfs "$root/dev/shm"
mkdir -p "$root/var/log/shop" "$root/var/lib" "$root/run/secrets" "$root/run/shop" \\
  "$root/logs" "$root${HOME}" "$root${RECEIVED}"
mount --bind "$folder/bin" "$root/usr/local/bin"
ln -s "${PROJECT}dist" "$root${HOME}/dist"
echo "127.0.0.1 localhost ${HOSTS.join(" ")}
${CLUSTER_HOSTS.join("\n")}" >"$root/etc/hosts"
cat "$folder/ca.pem" >>"$root/etc/ssl/certs/ca-certificates.crt"
cp "$folder/ca.pem" "$root/etc/ca.pem"
cp "$folder/client.pem" "$root/etc/me.pem"
cp "$folder/client.key" "$root/etc/me.key"
echo secret >"$root/run/secrets/token"
echo me:secret >"$root/run/secrets/es"
exec chroot "$root" "$@"`;

/** Adds to a test's name why it is ignored, where a stage cannot be set up. */
function needingStage(name: string): { name: string; ignore: boolean } {
  if (Deno.uid() !== 0) return { name: `${name} (needs root)`, ignore: true };
  const tools = [["openssl", "openssl"], ["ip", "iproute2"]] as const;
  return tools.map(([command, debianPackage]) => needing(name, command, debianPackage))
    .find(({ ignore }) => ignore) ?? { name, ignore: false };
}

/** One test with a stage of its own; ignored where none can be set up. */
export function testOnStage(
  name: string,
  test: (t: Deno.TestContext, stage: Stage) => Promise<void>,
): void {
  Deno.test({
    ...needingStage(name),
    fn: (t) =>
      inFolder(async (folder) => {
        const stage = await Stage.open(folder);
        try {
          await test(t, stage);
        } finally {
          await stage.close();
        }
      }),
  });
}

export class Stage {
  readonly #peers: Running;
  /** Of the stage's root folder, as seen from outside. */
  readonly #root: string;

  private constructor(peers: Running) {
    this.#peers = peers;
    this.#root = `/proc/${peers.pid}/root`;
  }

  /** @param folder an empty one */
  static async open(folder: string): Promise<Stage> {
    await Deno.mkdir(`${folder}/bin`);
    for (const [name, script] of Object.entries(STAND_INS)) {
      await Deno.writeTextFile(`${folder}/bin/${name}`, `#!/bin/sh\n${script}\n`, {
        mode: 0o755,
      });
    }
    await makeCertificates(folder, HOSTS);
    const deno = [Deno.execPath(), "run", "--quiet", "--allow-all"];
    const peers = new Running([
      ...["unshare", "--mount", "--net", "bash", "-c", ENTER, "bash", folder],
      ...[...deno, `--config=${PROJECT}deno.json`, `${PROJECT}tests/readme/receivers.ts`],
      ...[folder, RECEIVED],
    ]);
    const stage = new Stage(peers);
    await until("the stage to be set up", async () => {
      if (peers.ended) throw new Error(`no stage: ${await peers.stderr}`);
      return stage.exists(`${RECEIVED}/ready`);
    });
    return stage;
  }

  /** Ends all that is on the stage, also what a test that failed has left there. */
  async close(): Promise<void> {
    const stage = mountNamespaceOf(this.#peers.pid);
    for (const { name } of Deno.readDirSync("/proc")) {
      if (stage === undefined || !/^\d+$/.test(name)) continue;
      if (mountNamespaceOf(Number(name)) === stage) killIfThere(Number(name));
    }
    await this.#peers.end().catch(() => {});
    await this.#peers.readAll();
    await this.#peers.code;
  }

  /** A command that goes to its place on the stage before it begins. */
  entering(command: readonly string[], folder: string = HOME): string[] {
    const enter = ["nsenter", "-t", `${this.#peers.pid}`, "-m", "-n", "-r"];
    return [...enter, "/usr/bin/env", "-C", folder, PATH, ...command];
  }

  /** Starts a command in the shell. */
  start(command: string): Running {
    return new Running(this.entering([PATIENCE, ...SHELL, command]));
  }

  /** Runs a command to its end; fails unless it succeeds. */
  async run(command: string): Promise<{ stdout: string; stderr: string }> {
    const limited = ["timeout", RUN_LIMIT, ...SHELL, command];
    const running = new Running(this.entering([PATIENCE, ...limited]));
    const stdout = running.readAll();
    await running.end().catch(() => {});
    const code = await running.code;
    const stderr = await running.stderr;
    if (code !== 0) throw new Error(`${command} ended with ${code}: ${stderr}`);
    return { stdout: new TextDecoder().decode(await stdout), stderr };
  }

  exists(path: string): boolean {
    try {
      Deno.statSync(this.#root + this.#absolute(path));
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }

  /** A file's text; nothing while there is none. */
  text(path: string): string {
    return this.exists(path)
      ? Deno.readTextFileSync(this.#root + this.#absolute(path))
      : "";
  }

  write(path: string, text: string): void {
    Deno.writeTextFileSync(this.#root + this.#absolute(path), text);
  }

  /** Of the Spillway that was started last. */
  async spillwayPid(): Promise<number> {
    let pid = "";
    await until("Spillway to be started", () => {
      pid = this.text("/run/spillway.pid").trim();
      return pid !== "";
    });
    return Number(pid);
  }

  #absolute(path: string): string {
    return path.startsWith("/") ? path : `${HOME}/${path}`;
  }
}

/** Undefined for one that has just ended, and for those that are nobody's business. */
function mountNamespaceOf(pid: number): string | undefined {
  try {
    return Deno.readLinkSync(`/proc/${pid}/ns/mnt`);
  } catch (error) {
    const { NotFound, PermissionDenied } = Deno.errors;
    if (error instanceof NotFound || error instanceof PermissionDenied) return undefined;
    throw error;
  }
}
