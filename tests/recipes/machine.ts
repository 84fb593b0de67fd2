/**
 * A small machine with a real systemd: process 1 of namespaces of its own (processes,
 * mounts, network, control groups), with this machine's programs, and `/etc`, `/run`
 * and `/var` that nobody else sees. Only root can make it.
 */

import { Running, until } from "../end_to_end/run.ts";

/** Of systemd's own units only what others need to be started and logged. */
const UNITS = [
  ...["basic", "final", "local-fs", "multi-user", "network", "paths", "shutdown"],
  ...["slices", "sockets", "sysinit", "timers", "umount"],
].map((name) => `${name}.target`).concat(
  [
    "systemd-journald.service",
    "systemd-journald.socket",
    "systemd-journald-dev-log.socket",
  ],
);

/** See https://systemd.io/CONTAINER_INTERFACE for what process 1 expects. */
const BOOT = `set -e
folder=$1
root=$folder/root
mount --make-rprivate /
mount -t tmpfs tmpfs "$root"
cd "$root"
mkdir -p dev etc/systemd/system home proc root run sys tmp var/log var/lib
for path in /bin /lib /lib64 /sbin /usr; do
  if [ -L "$path" ]; then cp -P "$path" "$root"
  elif [ -d "$path" ]; then mkdir "$root$path"; mount --rbind "$path" "$root$path"
  fi
done
mount --bind "$folder/bin" "$root/usr/local/bin"
ln -s /run var/run
for name in passwd group shadow nsswitch.conf login.defs; do cp -a "/etc/$name" etc; done
for unit in ${UNITS.join(" ")}; do
  cp "/lib/systemd/system/$unit" "$root/etc/systemd/system"
done
mkdir "$root/etc/systemd/system/sysinit.target.wants"
ln -s ../systemd-journald.service "$root/etc/systemd/system/sysinit.target.wants"
echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
for path in /run /tmp /dev; do mount -t tmpfs -o mode=755 tmpfs "$root$path"; done
for device in null zero full random urandom tty; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s /proc/self/fd "$root/dev/fd"
mkdir "$root/dev/shm" "$root/dev/pts"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
# With chroot alone no unit could have users of its own: see user_namespaces(7).
mkdir old
pivot_root . old
umount -l old
rmdir old
mount --make-rshared /
exec /usr/bin/env -i container=test SYSTEMD_UNIT_PATH=/etc/systemd/system \\
  PATH=/usr/local/bin:/usr/bin:/usr/sbin /lib/systemd/systemd --unit=multi-user.target`;

/** Goes to a control group of its own, by a mount that only it sees. */
const START = `set -e
mkdir "$1/groups" "$1/root"
mount -t cgroup2 cgroup2 "$1/groups"
mkdir "$1/groups/$2"
echo $$ >"$1/groups/$2/cgroup.procs"
exec unshare --pid --fork --kill-child=KILL --mount --uts --ipc --net --cgroup \\
  bash -c "$3" bash "$1"`;

const REMOVE_GROUPS = `mount -t cgroup2 cgroup2 "$1/groups"
find "$1/groups/$2" -depth -type d -exec rmdir {} +`;

/** Far more than any command takes. */
const RUN_LIMIT = "110s";

export class Machine {
  readonly #folder: string;
  readonly #group: string;
  readonly #running: Running;
  #init = 0;

  private constructor(folder: string, group: string, running: Running) {
    this.#folder = folder;
    this.#group = group;
    this.#running = running;
  }

  /** @param folder one with nothing but `bin`, which becomes /usr/local/bin */
  static async boot(folder: string): Promise<Machine> {
    const group = `spillway-test-${crypto.randomUUID()}`;
    const running = new Running(
      ["unshare", "--mount", "bash", "-c", START, "bash", folder, group, BOOT],
    );
    const machine = new Machine(folder, group, running);
    try {
      await until("systemd to be up", () => machine.#isUp());
    } catch (error) {
      await machine.close();
      throw error;
    }
    return machine;
  }

  async #isUp(): Promise<boolean> {
    if (this.#running.ended) throw new Error(await this.#running.stderr);
    const children = `/proc/${this.#running.pid}/task/${this.#running.pid}/children`;
    this.#init = Number((await Deno.readTextFile(children)).trim());
    if (this.#init === 0) return false;
    const state = await this.try("systemctl is-system-running");
    return state.stdout.trim() === "running";
  }

  /** Runs a command in the shell, to its end. */
  async try(command: string): Promise<{ code: number; stdout: string; stderr: string }> {
    const enter = ["nsenter", "-t", `${this.#init}`, "-a", "-r", "-w"];
    const env = ["env", "-i", "PATH=/usr/local/bin:/usr/bin:/usr/sbin"];
    const running = new Running(
      [...enter, "timeout", RUN_LIMIT, ...env, "bash", "-c", command],
    );
    await running.end().catch(() => {});
    const stdout = new TextDecoder().decode(await running.readAll());
    return { code: await running.code, stdout, stderr: await running.stderr };
  }

  /** The same; fails unless it succeeds. @returns what it has written */
  async run(command: string): Promise<string> {
    const { code, stdout, stderr } = await this.try(command);
    if (code !== 0) throw new Error(`${command} ended with ${code}: ${stdout}${stderr}`);
    return stdout;
  }

  /** What systemd knows of a unit. */
  async property(unit: string, name: string): Promise<string> {
    return (await this.run(`systemctl show ${unit} --property ${name} --value`)).trim();
  }

  async write(path: string, text: string): Promise<void> {
    await Deno.writeTextFile(`/proc/${this.#init}/root${path}`, text);
  }

  async close(): Promise<void> {
    // The other processes of the machine go with its first one.
    if (this.#init !== 0) Deno.kill(this.#init, "SIGKILL");
    await this.#running.end().catch(() => {});
    await this.#running.readAll();
    await this.#running.code;
    const args = ["--mount", "bash", "-c", REMOVE_GROUPS, "bash", this.#folder];
    const { success, stderr } = await new Deno.Command("unshare", {
      args: [...args, this.#group],
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  }
}
