import { assert, assertEquals } from "@std/assert";
import { toMetrics } from "../../src/report/metrics/metrics.ts";
import { toJson } from "../../src/report/json.ts";
import { needing } from "../end_to_end/installed.ts";
import { inFolder } from "../end_to_end/run.ts";
import { RECIPES } from "../readme/documents.ts";
import { inputOf, snapshot, START_MS } from "../report/snapshots.ts";

const ALERTS = new URL("alerts.yml", import.meta.url).pathname;
const DASHBOARD = new URL("grafana.json", import.meta.url);

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly gridPos: Readonly<Record<"x" | "y" | "w" | "h", number>>;
    readonly targets: readonly { readonly expr: string }[];
  }[];
}

const dashboard: Dashboard = JSON.parse(await Deno.readTextFile(DASHBOARD));
const expressions = dashboard.panels.flatMap(({ targets }) =>
  targets.map(({ expr }) => expr)
);

/** Lines are lost after five minutes, and the output is stalled, with its ring full. */
const RULES_TEST = `
rule_files: [alerts.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: spillway_lost_lines_total{input="stdout", instance="a", reason="overwritten"}
        values: 0x5 100x5
      - series: spillway_sink_up{instance="a"}
        values: 1x5 0x5
      - series: spillway_buffered_bytes{input="stdout", instance="a"}
        values: 10x5 95x5
      - series: spillway_capacity_bytes{input="stdout", instance="a"}
        values: 100x11
    promql_expr_test:
      - { expr: count(ALERTS), eval_time: 4m, exp_samples: [] }
      - expr: count(ALERTS{alertstate="firing"})
        eval_time: 8m
        exp_samples: [{ labels: '{}', value: 3 }]
`;

async function promtool(...args: string[]): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command("promtool", { args })
    .output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert(success, text);
}

Deno.test({
  ...needing(
    "the alerts call when they should, and not before",
    "promtool",
    "prometheus",
  ),
  fn: () =>
    inFolder(async (folder) => {
      await promtool("check", "rules", ALERTS);
      await Deno.copyFile(ALERTS, `${folder}/alerts.yml`);
      await Deno.writeTextFile(`${folder}/test.yml`, RULES_TEST);
      await promtool("test", "rules", `${folder}/test.yml`);
    }),
});

Deno.test({
  ...needing("Prometheus can read what the dashboard asks", "promtool", "prometheus"),
  fn: () =>
    inFolder(async (folder) => {
      // What Grafana puts in place of its variables.
      const rules = expressions.map((expr, index) => ({
        record: `panel:${index}`,
        expr: expr.replaceAll("$instance", ".*").replaceAll(/\$__\w+/g, "5m"),
      }));
      const text = JSON.stringify({ groups: [{ name: "dashboard", rules }] });
      await Deno.writeTextFile(`${folder}/rules.yml`, text);
      await promtool("check", "rules", `${folder}/rules.yml`);
    }),
});

Deno.test("alerts, dashboard and documents name no metric that there is not", async () => {
  const bytes = toMetrics(snapshot(1, [inputOf({})]), {
    build: { version: "1", runtime: "Deno 2" },
    process: {
      cpuSeconds: 1,
      residentBytes: 1,
      virtualBytes: 1,
      openFiles: 1,
      maxOpenFiles: 1,
    },
  });
  const there = new Set(
    [...new TextDecoder().decode(bytes).matchAll(/^# TYPE (\w+)/gm)].map(([, name]) =>
      name
    ),
  );
  const text = [await Deno.readTextFile(ALERTS), RECIPES, ...expressions].join("\n");
  const named = [...text.matchAll(/\b(spillway|process)_[a-z_]+/g)].map(([name]) => name);
  assert(named.length > expressions.length);
  for (const name of named) assert(there.has(name), name);
});

Deno.test("no panel of the dashboard lies on another, or is called the same", () => {
  const titles = dashboard.panels.map(({ title }) => title);
  assertEquals(new Set(titles).size, titles.length);
  const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, at) => `${x + at % w} ${y + Math.floor(at / w)}`)
  );
  assertEquals(new Set(cells).size, cells.length);
});

Deno.test("every field of the status is in the recipes", () => {
  const lastError = { message: "full", timeMs: START_MS };
  const one = snapshot(1, [inputOf({})], { lastError });
  const two = { ...one, routes: [...one.routes, ...one.routes] };
  for (const seen of [one, two]) {
    const text = toJson({ timeMs: START_MS, event: "status", snapshot: seen });
    for (const [, field] of text.matchAll(/"(\w+)":/g)) {
      assert(RECIPES.includes(`\`${field}\``), field);
    }
  }
});
