import { assertEquals } from "@std/assert";
import { cleanFilePages, releaseStartPages } from "../../src/system/start_pages.ts";
import { until } from "../end_to_end/run.ts";

function mapping(head: string, anonymousKib: number): string {
  return `${head}
Size:                  8 kB
Rss:                   8 kB
Anonymous:             ${anonymousKib} kB
VmFlags: rd mr mw me
`;
}

Deno.test("only private, read-only, unchanged mappings of files are given back", () => {
  const smaps = [
    mapping("00200000-00204000 r--p 00000000 fe:00 77  /usr/bin/program", 0),
    mapping("00204000-0020c000 r-xp 00004000 fe:00 77  /usr/bin/program", 0),
    mapping("0020c000-0020e000 r--p 0000c000 fe:00 77  /usr/bin/program", 8),
    mapping("0020e000-00210000 rw-p 0000e000 fe:00 77  /usr/bin/program", 0),
    mapping("00400000-00410000 rw-p 00000000 00:00 0  [heap]", 64),
    mapping("00500000-00510000 r--p 00000000 00:00 0 ", 0),
    mapping("00600000-00610000 r--s 00000000 fe:00 78  /var/cache/shared", 0),
    mapping("7fff0000-7fff2000 r-xp 00000000 00:00 0  [vdso]", 0),
    mapping("7fff8000-7fffa000 r-xp 00000000 fe:00 79  /usr/lib/a library", 0),
  ].join("");
  assertEquals(cleanFilePages(smaps), [
    { address: 0x200000, bytes: 0x4000 },
    { address: 0x204000, bytes: 0x8000 },
    { address: 0x7fff8000, bytes: 0x2000 },
  ]);
  assertEquals(cleanFilePages(""), []);
});

Deno.test("the program goes on after its pages were given back", async () => {
  // Other threads take pages back at the same time.
  await until("fewer pages", () => {
    const before = residentFileKib();
    releaseStartPages();
    return residentFileKib() < before;
  });
  assertEquals([3, 1, 2].sort(), [1, 2, 3]);
});

function residentFileKib(): number {
  const status = Deno.readTextFileSync("/proc/self/status");
  return Number(/^RssFile:\s*(\d+)/m.exec(status)?.[1]);
}
