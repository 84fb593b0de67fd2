import { assertEquals, assertMatch } from "@std/assert";
import { needing } from "../end_to_end/installed.ts";
import { EXECUTABLES, type Program, testExecutables } from "../end_to_end/programs.ts";
import { inFolder, until } from "../end_to_end/run.ts";
import { Machine } from "./machine.ts";

const FOLDER = new URL("systemd/", import.meta.url);
const UNITS = ["shop-log.socket", "shop-log.service", "shop.service"];
const LOG = "/var/log/shop/shop.log";
/** The greatest exposure that `systemd-analyze security` may find, in tenths. */
const EXPOSURE = 30;

const systemd = needing("", "systemctl", "systemd");
const needs = {
  ignore: Deno.uid() !== 0 || systemd.ignore || !knowsControlGroups(),
};

function knowsControlGroups(): boolean {
  return /\bcgroup2$/m.test(Deno.readTextFileSync("/proc/filesystems"));
}

/** Writes so many lines as it is asked for; every other to standard error. */
const SHOP = `#!/bin/bash
while read -r count; do
  for ((i = 0; i < count; i++)); do
    number=$((number + 1))
    if ((number % 2)); then echo $number; else echo $number >&2; fi
  done
done <>/run/orders
`;

/** A machine on which the three units are enabled, and shop waits for orders. */
class ShopMachine {
  readonly machine: Machine;
  #ordered = 0;

  private constructor(machine: Machine) {
    this.machine = machine;
  }

  static async with(
    program: Program,
    test: (shop: ShopMachine) => Promise<void>,
  ): Promise<void> {
    await inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/bin`);
      await Deno.copyFile(program.command[0]!, `${folder}/bin/spillway`);
      await Deno.writeTextFile(`${folder}/bin/shop`, SHOP, { mode: 0o755 });
      const machine = await Machine.boot(folder);
      try {
        await machine.run("useradd --system shop && useradd --system shop-log");
        await machine.run("mkfifo /run/orders && chown shop /run/orders");
        for (const name of UNITS) {
          const unit = await Deno.readTextFile(new URL(name, FOLDER));
          await machine.write(`/etc/systemd/system/${name}`, unit);
        }
        await machine.run("systemctl daemon-reload");
        await test(new ShopMachine(machine));
      } catch (error) {
        const journal = await machine.try("journalctl --no-pager -u 'shop*'");
        throw new Error(`${error}\n${journal.stdout}`, { cause: error });
      } finally {
        await machine.close();
      }
    });
  }

  /** So many more lines; they are in the log when this returns. */
  async logs(lines: number): Promise<void> {
    await this.order(lines);
    await this.hasLogged();
  }

  async order(lines: number): Promise<void> {
    this.#ordered += lines;
    await this.machine.run(`echo ${lines} >/run/orders`);
  }

  /** Everything that was ordered is in the log, once and in order. */
  async hasLogged(log = LOG): Promise<void> {
    const expected = await this.machine.run(`seq ${this.#ordered}`);
    let found = "";
    await until(`${this.#ordered} lines in ${log}`, async () => {
      found = (await this.machine.try(`cat ${log}`)).stdout;
      return found.length >= expected.length;
    }, 50);
    assertEquals(found, expected);
  }

  is(state: string): Promise<void> {
    return until(`the logs' service to be ${state}`, async () => {
      return await this.machine.property("shop-log.service", "ActiveState") === state;
    }, 50);
  }
}

testExecutables(
  "the units for systemd are clean, and leave little to what runs in them",
  (program) =>
    ShopMachine.with(program, async ({ machine }) => {
      const said = await machine.run(`systemd-analyze verify ${UNITS.join(" ")} 2>&1`);
      assertEquals(said, "");
      for (const unit of UNITS.filter((name) => name.endsWith(".service"))) {
        await machine.run(`systemd-analyze security --threshold=${EXPOSURE} ${unit}`);
      }
    }),
  { ...needs, programs: EXECUTABLES.slice(0, 1) },
);

testExecutables("systemd starts it with the first line, restarts, reloads and stops it", (
  program,
) =>
  ShopMachine.with(program, async (shop) => {
    const { machine } = shop;
    await machine.run("systemctl enable --now shop-log.socket shop.service");
    await shop.is("inactive");
    await shop.logs(3);
    await shop.is("active");
    assertEquals(await machine.run(`stat --format %a:%U ${LOG}`), "640:shop-log\n");

    const writer = await machine.property("shop.service", "MainPID");
    await shop.order(5000);
    await machine.run("systemctl restart shop-log.service");
    await shop.logs(5000);
    assertEquals(await machine.property("shop.service", "MainPID"), writer);

    await machine.run(`mv ${LOG} ${LOG}.1 && systemctl reload shop-log.service`);
    await until("the new file", async () => (await machine.try(`cat ${LOG}`)).code === 0);
    await shop.is("active");
    await shop.order(1);
    await until(
      "the line in it",
      async () => await machine.run(`cat ${LOG}`) === "10004\n",
    );

    await machine.run("systemctl stop shop-log.socket shop-log.service");
    assertEquals(await machine.property("shop-log.service", "Result"), "success");
    // What it reports is not among the lines that it logs.
    const summary = /spillway: \d+ lines \(.*\) in,/;
    let journal = "";
    await until(() => `the summary in ${journal}`, async () => {
      journal = await machine.run("journalctl -u shop-log.service");
      return summary.test(journal);
    }, 50);
  }), needs);

testExecutables(
  "systemd's watchdog starts another when it does not answer",
  (program) =>
    ShopMachine.with(program, async (shop) => {
      const { machine } = shop;
      await machine.run("mkdir /etc/systemd/system/shop-log.service.d");
      const path = "/etc/systemd/system/shop-log.service.d/watchdog.conf";
      await machine.write(path, "[Service]\nWatchdogSec=2\n");
      await machine.run("systemctl daemon-reload");
      await machine.run("systemctl enable --now shop-log.socket shop.service");
      await shop.logs(1);
      // Until it has said that it is ready nobody watches it.
      await shop.is("active");
      await machine.run("systemctl kill --signal STOP shop-log.service");
      await shop.order(1);
      await until("another to be started", async () => {
        return await machine.property("shop-log.service", "NRestarts") !== "0";
      }, 50);
      await shop.hasLogged();
      assertMatch(await machine.run("journalctl -u shop-log.service"), /[Ww]atchdog/);
    }),
  needs,
);

const rotate = needing(
  "logrotate rotates the log that it writes",
  "logrotate",
  "logrotate",
);
testExecutables(rotate.name, (program) =>
  ShopMachine.with(program, async (shop) => {
    const { machine } = shop;
    const conf = await Deno.readTextFile(new URL("../logrotate.conf", FOLDER));
    await machine.write("/etc/logrotate.conf", conf);
    await machine.run("systemctl enable --now shop-log.socket shop.service");
    await shop.logs(3);
    const logrotate = "logrotate --force --state /run/rotate.state /etc/logrotate.conf";
    await machine.run(logrotate);
    await until("the new file", async () => (await machine.try(`cat ${LOG}`)).code === 0);
    assertEquals(await machine.run(`cat ${LOG}.1`), "1\n2\n3\n");
    await shop.order(1);
    await until("the line", async () => await machine.run(`cat ${LOG}`) === "4\n");
    await machine.run(logrotate);
    assertEquals(await machine.run(`zcat ${LOG}.2.gz`), "1\n2\n3\n");
    assertEquals(await machine.run(`stat --format %a:%U ${LOG}.2.gz`), "640:shop-log\n");
  }), { ignore: needs.ignore || rotate.ignore, programs: EXECUTABLES.slice(0, 1) });
