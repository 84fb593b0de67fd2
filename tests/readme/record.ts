/**
 * `deno task readme:record`: makes the README's pictures from real runs in a
 * terminal (tmux): `meter.svg`, a film of the meter, and `demo.svg`.
 */

import { setTimeout as pause } from "node:timers/promises";
import { inFolder } from "../end_to_end/run.ts";
import { Terminal } from "../end_to_end/terminal.ts";
import { toSvg } from "./terminal_svg.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const HERE = new URL(".", import.meta.url).pathname;
const SPILLWAY = `${Deno.execPath()} task --quiet --config ${ROOT}deno.json spillway`;

const METER = { columns: 96, rows: 12, screenMs: 250 };
const FILM_MS = 15_000;
const DEMO = { columns: 118, rows: 50 };

/** A service of 6 MB/s, and a destination that stops for a while. */
const METER_SCRIPT = `cd "$1"
for line in $(seq 1000 6999); do
  echo "$line GET /a/page/of/the/service HTTP/1.1 200 and whatever else is worth a line"
done >lines
service() { for i in $(seq 110); do cat lines; sleep 0.08; done; }
driver() {
  for i in $(seq 35); do head -c 900000 >/dev/null; sleep 0.1; done
  sleep 5
  cat >/dev/null
}
clear
printf '\\033[2m$\\033[0m service | spillway --progress | slow-log-driver\\n'
service | ${SPILLWAY} --progress | driver
`;

const DEMO_SCRIPT = `cd ${ROOT}
clear
printf '\\033[2m$\\033[0m deno task demo\\n'
${Deno.execPath()} task --quiet demo
`;

async function record(
  script: string,
  { columns, rows }: { columns: number; rows: number },
  capture: (terminal: Terminal) => Promise<string[]>,
): Promise<string[]> {
  let screens: string[] = [];
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/script.sh`, script);
    const command = `bash ${folder}/script.sh ${folder}; sleep 60`;
    const terminal = await Terminal.open(folder, command, columns, rows);
    try {
      screens = await capture(terminal);
    } finally {
      await terminal.close();
    }
  });
  return screens;
}

async function filmOfMeter(terminal: Terminal): Promise<string[]> {
  await terminal.shows(/out/);
  const screens: string[] = [];
  const end = Date.now() + FILM_MS;
  while (Date.now() < end) {
    const next = Date.now() + METER.screenMs;
    screens.push(await terminal.screen(true));
    await pause(Math.max(0, next - Date.now()));
  }
  return screens;
}

const meter = await record(METER_SCRIPT, METER, filmOfMeter);
await Deno.writeTextFile(
  `${HERE}meter.svg`,
  toSvg({
    ...METER,
    screens: meter,
    still: meter.findLastIndex((screen) => screen.includes("stalled")),
    title: "The meter while a destination stops: the ring fills, the oldest lines are " +
      "lost and counted, and the destination goes on.",
  }),
);

const demo = await record(DEMO_SCRIPT, DEMO, async (terminal) => {
  await terminal.shows(/ in, .* out, .* overwritten, in /);
  return [await terminal.screen(true)];
});
await Deno.writeTextFile(
  `${HERE}demo.svg`,
  toSvg({
    columns: DEMO.columns,
    rows: demo[0]!.split("\n").length,
    screens: demo,
    screenMs: 0,
    still: 0,
    title: "deno task demo: without Spillway a write of 128 KiB waits for its reader, " +
      "with it none does; and a marker that counts exactly what was overwritten.",
  }),
);
