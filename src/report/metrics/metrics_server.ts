import process from "node:process";
import type { Container } from "../../containerd/container.ts";
import { messageOf } from "../../errors.ts";
import type { ListenAddress } from "../../runtime/tcp_listener.ts";
import { hostName } from "../../system/process.ts";
import { processUsage } from "../../system/process_usage.ts";
import { type Snapshot, uptimeMs } from "../events.ts";
import { toJson } from "../json.ts";
import { formatFor } from "./accept.ts";
import { SAMPLE_MS, StatusHistory } from "./history.ts";
import { failure, type Reply, serveHttp } from "./http_server.ts";
import {
  METRICS_TYPES,
  type MetricsFormat,
  toMetrics,
  type Watched,
  whyUnhealthy,
} from "./metrics.ts";
import { PAGE } from "../page/page.ts";

const JSON_TYPE = "application/json";
const TEXT = "text/plain; charset=utf-8";

/** What is said of this program. */
interface Identity {
  readonly version: string;
  /** As people would write it, and without secrets. */
  readonly startedAs: string;
  readonly container: Container | undefined;
  readonly command: Watched | undefined;
}

/** How the data path does. */
interface Looks {
  snapshot(): Snapshot;
  /**
   * Since when nothing has come in, gone out or changed, on the clock of
   * `performance.now`; undefined while something may.
   */
  restsSinceMs(): number | undefined;
}

/**
 * `--metrics`: `/metrics` for Prometheus, `/healthz` for what watches over the
 * program, `/` for people, `/status.json` and `/history.json` for that page.
 *
 * @returns the address of the page
 * @throws Error that says what to do when the address cannot be used.
 */
export function serveMetrics(
  address: ListenAddress,
  { version, startedAs, container, command }: Identity,
  { snapshot, restsSinceMs }: Looks,
): string {
  const { deno, bun } = process.versions;
  const build = { version, runtime: bun ? `Bun ${bun}` : `Deno ${deno}` };
  const about = { host: hostName(), command: startedAs };
  const history = new StatusHistory(about, uptimeMs(snapshot()));
  const answers = {
    metrics: (format: MetricsFormat) => {
      const surroundings = { build, process: processUsage(), container, command };
      return toMetrics(snapshot(), surroundings, format);
    },
    health: () => whyUnhealthy(snapshot(), command),
    snapshot,
    history,
  };
  try {
    const url = serveHttp(
      address,
      (path, accept) => answerTo(path, formatFor(accept), answers),
    );
    recordRegularly(history, { snapshot, restsSinceMs });
    return url;
  } catch (error) {
    throw new Error(
      `cannot listen on ${address.host} port ${address.port} for --metrics: ${
        messageOf(error)
      }; name an address of this machine and ${
        /EACCES|Permission denied/.test(messageOf(error))
          ? "a port from 1024 on: those below are for root (CAP_NET_BIND_SERVICE)"
          : "a port that is free"
      }`,
    );
  }
}

/** To look at a thousand inputs takes 10 ms, which is a lot for a program that is idle. */
function recordRegularly(
  history: StatusHistory,
  { snapshot, restsSinceMs }: Looks,
): void {
  let lookedMs = -Infinity;
  setInterval(() => {
    const nowMs = performance.now();
    const sinceMs = restsSinceMs() ?? Infinity;
    if (lookedMs > sinceMs && history.settled) {
      history.rest(nowMs - lookedMs);
      return;
    }
    lookedMs = nowMs;
    history.record(snapshot());
  }, SAMPLE_MS);
}

/** What is found at the paths. */
interface Answers {
  metrics(format: MetricsFormat): Reply["body"];
  /** What is not well, if anything. */
  health(): string | undefined;
  snapshot(): Snapshot;
  readonly history: StatusHistory;
}

function answerTo(
  path: string,
  format: MetricsFormat,
  { metrics, health, snapshot, history }: Answers,
): Reply {
  switch (path) {
    case "/":
      return { status: 200, type: "text/html; charset=utf-8", body: PAGE };
    case "/metrics":
      return { status: 200, type: METRICS_TYPES[format], body: metrics(format) };
    case "/healthz":
      return healthReply(health());
    case "/status.json": {
      const now = snapshot();
      const body = toJson({ timeMs: now.timeMs, event: "status", snapshot: now });
      return { status: 200, type: JSON_TYPE, body: `${body}\n` };
    }
    case "/history.json": {
      const body = JSON.stringify(history.at(snapshot().startMs));
      return { status: 200, type: JSON_TYPE, body: `${body}\n` };
    }
    default:
      return failure(404);
  }
}

function healthReply(reason: string | undefined): Reply {
  return reason === undefined
    ? { status: 200, type: TEXT, body: "ok\n" }
    : { status: 503, type: TEXT, body: `${reason}\n` };
}
