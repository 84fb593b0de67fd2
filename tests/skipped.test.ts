import { assert, assertEquals } from "@std/assert";
import { describeSkipped, skippedIn } from "./skipped.ts";

const REPORT = `<testsuites name="deno test" tests="5">
  <testsuite name="./tests/a.test.ts" tests="5">
    <testcase name="source: runs" classname="x" time="4.6" line="54" col="10">
    </testcase>
    <testcase name="source: dies (needs strace of the Debian package strace)" time="0">
        <skipped/>
    </testcase>
    <testcase name="source: a &quot;&lt;disk&gt;&quot; &amp; more (needs root)" time="0">
        <skipped/>
    </testcase>
    <testcase name="source: logs (needs runc of the Debian packages containerd, runc and busybox-static)" time="0">
        <skipped/>
    </testcase>
    <testcase name="all &gt; git clone (the tests run in such a clone)" time="0">
        <skipped/>
    </testcase>
  </testsuite>
</testsuites>`;

Deno.test("says by name what was skipped, why, and the line that installs it", () => {
  assertEquals(
    describeSkipped(skippedIn(REPORT)),
    `
Skipped:
  needs strace of the Debian package strace:
    dies
  needs root:
    a "<disk>" & more
  needs runc of the Debian packages containerd, runc and busybox-static:
    logs
  the tests run in such a clone:
    all > git clone
To run those that lack a package: sudo apt-get install --no-install-recommends strace containerd runc busybox-static`,
  );
});

Deno.test("says that nothing was skipped", () => {
  assertEquals(
    describeSkipped(skippedIn("<testsuites></testsuites>")),
    "\nNo test was skipped.",
  );
});

Deno.test("the list of packages has every package that a test asks for", async () => {
  const folder = new URL("./", import.meta.url);
  const list = await Deno.readTextFile(new URL("debian_packages", folder));
  const packages = list.split("\n").filter((line) =>
    line !== "" && !line.startsWith("#")
  );
  assertEquals(packages, packages.toSorted());
  for (const path of await sources(folder)) {
    const text = await Deno.readTextFile(path);
    const asked = [
      ...text.matchAll(/\bneeding(?:Program)?\((?:[^()]*,)?\s*"([^"]+)",?\s*\)/g),
    ];
    for (const [, name] of asked) assert(packages.includes(name!), `${path}: ${name}`);
  }
});

async function sources(folder: URL): Promise<URL[]> {
  const found: URL[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) found.push(...await sources(new URL(`${name}/`, folder)));
    else if (name.endsWith(".ts")) found.push(new URL(name, folder));
  }
  return found;
}
