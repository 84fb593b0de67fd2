import { assert, assertEquals, assertMatch } from "@std/assert";
import { Browser } from "./browser.ts";
import { needing } from "./installed.ts";
import { numberedLines } from "./numbered_lines.ts";
import { testPrograms } from "./programs.ts";
import { start, until } from "./run.ts";

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
testPrograms(test.name, async (program) => {
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
      await until("the input's card", async () => /\bring\b/.test(await text()), 50);
      const colours = await browser.evaluate<string[]>(
        "(({ backgroundColor, color }) => [backgroundColor, color])(getComputedStyle(document.body))",
      );
      assertEquals(colours, [...COLOURS[scheme]]);
      const overflows = "document.documentElement.scrollWidth > innerWidth";
      assertEquals(await browser.evaluate(overflows), false);

      await spillway.write(numberedLines(written, 20_000));
      written += 20_000;
      const count = `${written.toLocaleString("en")} lines`;
      await until(`${count} in`, async () => (await text()).includes(count), 50);
      const marks = "document.querySelector('path.loss').getAttribute('d')";
      await until(
        "a loss in the chart",
        async () => await browser.evaluate(marks) !== "",
        50,
      );
      const state = "document.querySelector('#state').innerText";
      assertMatch(await browser.evaluate(state), /stalled|losing/);
      assertMatch(await text(), /^lost\n[\d,]+ lines$/m);
      assert(!/^lost\n0 lines/m.test(await text()));
    }
    assertEquals(browser.complaints, []);
    const status = new URL("/status.json", String(url)).href;
    assertEquals([...new Set(browser.requests)].sort(), [String(url), status]);
  } finally {
    await browser.close();
    await spillway.end();
    await spillway.readAll();
    await spillway.code;
  }
}, test);
