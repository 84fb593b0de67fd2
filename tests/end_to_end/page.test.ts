import { assert, assertEquals, assertMatch } from "@std/assert";
import { Browser } from "./browser.ts";
import { needing } from "./installed.ts";
import { numberedLines } from "./numbered_lines.ts";
import { testExecutables } from "./programs.ts";
import { inFolder, start, until } from "./run.ts";

/** Background and text colour as the page has them in each scheme. */
const COLOURS = {
  light: ["rgb(246, 247, 249)", "rgb(27, 36, 48)"],
  dark: ["rgb(16, 21, 28)", "rgb(230, 235, 242)"],
} as const;
/** A desktop by day, a phone by night. */
const LOOKS = [["light", 1200, 900], ["dark", 360, 740]] as const;

const test = needing(
  "the page lives, shows a loss, and asks for nothing else",
  "chromium",
  "chromium",
);
testExecutables(test.name, async (program) => {
  const spillway = start(program, [
    "--metrics",
    "0",
    "--capacity",
    // Twice what the pipe of the output takes, so that it stalls however much is lost.
    "512KiB",
    "--report",
    "json",
  ]);
  const { url } = await spillway.reported(
    "address",
    ({ event }) => event === "listening",
  );
  const browser = await Browser.launch();
  try {
    let written = 0;
    for (const [scheme, width, height] of LOOKS) {
      await browser.open(String(url), scheme, width, height);
      const text = () => browser.evaluate<string>("document.body?.innerText ?? ''");
      await until("the input's card", async () => /\bRing\b/.test(await text()), 50);
      const colours = await browser.evaluate<string[]>(
        "(({ backgroundColor, color }) => [backgroundColor, color])(getComputedStyle(document.body))",
      );
      assertEquals(colours, [...COLOURS[scheme]]);
      const overflows = "document.documentElement.scrollWidth > innerWidth";
      assertEquals(await browser.evaluate(overflows), false);

      const marks = "document.querySelector('#total .loss').getAttribute('d')";
      // What was lost before the page was opened again is still there.
      if (written > 0) {
        await until("the history", async () => await browser.evaluate(marks) !== "", 50);
      }
      await spillway.write(numberedLines(written, 20_000));
      written += 20_000;
      const count = `${written.toLocaleString("en")} lines`;
      await until(`${count} in`, async () => (await text()).includes(count), 50);
      await until(
        "a loss in the chart",
        async () => await browser.evaluate(marks) !== "",
        50,
      );
      const state = "document.querySelector('#state').innerText";
      assertMatch(await browser.evaluate(state), /stalled|losing/);
      assertMatch(await text(), /^lost\n[\d,]+ lines$/m);
      assert(!/^lost\n0 lines/m.test(await text()));
      await until(
        "the last loss",
        async () => /Last loss: [\d,]+ lines/.test(await text()),
      );
      assertMatch(await browser.evaluate("document.title"), / – Spillway on ./);
    }
    assertEquals(browser.complaints, []);
    const asked = ["/", "/history.json", "/status.json"];
    assertEquals(
      [...new Set(browser.requests)].sort(),
      asked.map((path) => new URL(path, String(url)).href),
    );
  } finally {
    await browser.close();
    await spillway.end();
    await spillway.readAll();
    await spillway.code;
  }
}, test);

const many = needing("the page is usable with 64 inputs", "chromium", "chromium");
testExecutables(many.name, (program) =>
  inFolder(async (folder) => {
    const inputs = Array.from({ length: 64 }, (_, index) => `app-${index}`);
    const spillway = start(program, [
      ...inputs.flatMap((label) => ["--fifo", `${label}=${folder}/${label}`]),
      ...["--create", "--metrics", "0", "--capacity", "64KiB", "--report", "json"],
    ]);
    const { url } = await spillway.reported(
      "address",
      ({ event }) => event === "listening",
    );
    const browser = await Browser.launch();
    try {
      await browser.open(String(url), "light", 1200, 900);
      const labels = () =>
        browser.evaluate<string[]>(
          "[...document.querySelectorAll('#rows button')].map((b) => b.innerText)",
        );
      await until("a row for each", async () => (await labels()).length === 64, 50);
      // More than the pipes and the ring hold: nobody takes the output.
      const writer = await Deno.open(`${folder}/app-33`, { write: true });
      await writer.write(new TextEncoder().encode(numberedLines(0, 20_000)));
      writer.close();
      await until("the worst first", async () => (await labels())[0] === "app-33", 50);
      const first = "document.querySelector('#rows tr').innerText";
      await until(
        "what is wrong with it",
        async () =>
          /losing lines|ring \d+% full|stalled/.test(await browser.evaluate(first)),
        50,
      );

      // Typing and Enter, as without a mouse.
      await until("the field to be reached", async () => {
        await browser.press("Tab");
        return await browser.evaluate("document.activeElement.id") === "find";
      });
      await browser.type("app-4");
      await until("what was looked for", async () => (await labels()).length === 11, 50);
      await browser.press("Tab");
      await browser.press("Enter");
      const open = "document.querySelector('#rows [aria-expanded=true]')?.innerText";
      await until("an open row", async () => /app-4/.test(await browser.evaluate(open)));
      const charts =
        "document.querySelectorAll('#rows tr:not([hidden]) svg[aria-label]')";
      assertEquals(await browser.evaluate(`${charts}.length`), 1);
      assertEquals(browser.complaints, []);
    } finally {
      await browser.close();
      await spillway.kill("SIGTERM");
      await spillway.end().catch(() => {});
      await spillway.readAll();
      await spillway.code;
    }
  }), many);
