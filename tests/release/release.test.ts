import { assert, assertEquals } from "@std/assert";
import { VERSION } from "../../src/cli/about.ts";
import { needing } from "../end_to_end/installed.ts";
import { makeRoot, MINIMAL_ROOT } from "../end_to_end/minimal_root.ts";
import { MUSL_EXECUTABLE, type Program, testPrograms } from "../end_to_end/programs.ts";
import { inFolder } from "../end_to_end/run.ts";
import { fencesIn } from "../readme/markdown.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
/** What build_programs.ts has made: of the executables only this one. */
const RELEASE = `${ROOT}dist/release`;
const ARM64 = `spillway-${VERSION}-linux-aarch64-glibc-bun`;
const SMOKE = `${ROOT}.ci/smoke`;
const QEMU = ["qemu-aarch64-static", "-L", "/usr/aarch64-linux-gnu"];

const ignore = !isThere(`${RELEASE}/SHA256SUMS`);

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Far more than anything takes. */
const LIMIT = "300s";

async function bash(script: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("timeout", {
    args: [LIMIT, "bash", "-euc", script, "bash", ...args],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test({
  name: "a release's checksums are those of all its files",
  ignore,
  fn: async () => {
    const checked = await bash('cd "$1"; sha256sum --check --strict SHA256SUMS', RELEASE);
    const names = [...Deno.readDirSync(RELEASE)].map(({ name }) => name);
    const expected = names.filter((name) => name !== "SHA256SUMS").sort();
    assertEquals(checked.trim().split("\n"), expected.map((name) => `${name}: OK`));
    assert((await Deno.readTextFile(`${RELEASE}-notes.md`)).length > 0);
  },
});

Deno.test({
  name: "a release lists what is inside its files: packages that are bundled, no others",
  ignore,
  fn: async () => {
    const list = await Deno.readTextFile(`${RELEASE}/spillway-${VERSION}.cdx.json`);
    const { components, dependencies } = JSON.parse(list);
    const names = (type: string) =>
      components.filter((component: { type: string }) => component.type === type)
        .map(({ name }: { name: string }) => name);
    assertEquals(names("file"), [ARM64, `spillway-${VERSION}.js`]);
    assertEquals(names("platform"), ["deno", "bun"]);
    // The tests alone take these.
    assert(names("library").includes("deno-std"));
    assert(!names("library").includes("fast-check"));
    const { dependsOn } = dependencies.find(({ ref }: { ref: string }) => ref === ARM64);
    assertEquals(dependsOn.length, 2);
    assert(/^pkg:npm\/bun@[\d.]+$/.test(dependsOn[1]), dependsOn[1]);
  },
});

Deno.test({
  name:
    "the README's way to install takes what the checksums are right for, and no other",
  ignore,
  fn: () =>
    inFolder(async (folder) => {
      const readme = await Deno.readTextFile(`${ROOT}README.md`);
      const fence = fencesIn(readme).find(({ text }) => text.includes("sha256sum"))!;
      await bash('cp -r "$1" "$2"; mkdir "$2/bin" "$2/download"', RELEASE, folder);
      const script = fence.text
        .replace("<this repository>/releases/download/v0.1.0", `file://${folder}/release`)
        .replace("$(uname -m)-glibc-deno", "aarch64-glibc-bun")
        .replace("sudo install", "install")
        .replace("/usr/local/bin/", `${folder}/bin/`);
      const install = () => bash(`cd "$1"; set -o pipefail; ${script}`, folder);
      await install();
      const mode = (await Deno.stat(`${folder}/bin/spillway`)).mode! & 0o777;
      assertEquals(mode, 0o755);
      await bash(`rm "$1/bin/spillway"; echo >>"$1/release/${ARM64}"`, folder);
      await install().then(() => assert(false, "installed"), () => {});
      assert(!isThere(`${folder}/bin/spillway`));
    }),
});

const emulated = needing(
  "an executable for arm64 copies lines",
  QEMU[0]!,
  "qemu-user-static",
);
Deno.test({
  ...emulated,
  ignore: ignore || emulated.ignore || !isThere(`${QEMU[2]}/lib/libc.so.6`),
  fn: async () => {
    const copied = await bash('seq 1000 | "$@"', ...QEMU, `${RELEASE}/${ARM64}`);
    assertEquals(copied, await bash("seq 1000"));
  },
});

const busybox = needing(
  "works where there is only musl, libstdc++ and busybox",
  "busybox",
  "busybox-static",
);
testPrograms(busybox.name, (program: Program) =>
  inFolder(async (folder) => {
    await makeRoot(program, folder);
    const script = `root=$1/root
      mkdir "$root/bin" "$root/tmp"
      cp "$(command -v busybox)" "$2" "$root/bin"
      chroot "$root" /bin/busybox --install -s /bin
      mknod -m 666 "$root/dev/null" c 1 3
      mount -t proc proc "$root/proc"
      exec chroot "$root" /bin/env PATH=/bin /bin/smoke /spillway`;
    await bash('exec unshare --mount bash -euc "$@"', script, "bash", folder, SMOKE);
  }), {
  ignore: MINIMAL_ROOT.ignore || busybox.ignore,
  programs: MINIMAL_ROOT.programs.filter(({ name }) => name === MUSL_EXECUTABLE.name),
});
