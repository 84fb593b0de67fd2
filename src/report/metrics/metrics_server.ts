import type { Container } from "../../containerd/container.ts";
import { messageOf } from "../../errors.ts";
import type { ListenAddress } from "../../runtime/tcp_listener.ts";
import type { Snapshot } from "../events.ts";
import { toJson } from "../json.ts";
import { failure, type Reply, serveHttp } from "./http_server.ts";
import { METRICS_TYPE, toMetrics, whyUnhealthy } from "./metrics.ts";
import { PAGE } from "./page.ts";

const TEXT = "text/plain; charset=utf-8";

/**
 * `--metrics`: `/metrics` for Prometheus, `/healthz` for what watches over the
 * program, `/` for people, `/status.json` for that page.
 *
 * @returns the address of the page
 * @throws Error that says what to do when the address cannot be used.
 */
export function serveMetrics(
  address: ListenAddress,
  version: string,
  container: Container | undefined,
  snapshot: () => Snapshot,
): string {
  const metrics = () => toMetrics(snapshot(), version, container);
  try {
    return serveHttp(address, (path) => answerTo(path, metrics, snapshot));
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

function answerTo(
  path: string,
  metrics: () => string,
  snapshot: () => Snapshot,
): Reply {
  switch (path) {
    case "/":
      return { status: 200, type: "text/html; charset=utf-8", body: PAGE };
    case "/metrics":
      return { status: 200, type: METRICS_TYPE, body: metrics() };
    case "/healthz":
      return health(snapshot());
    case "/status.json": {
      const now = snapshot();
      const body = toJson({ timeMs: now.timeMs, event: "status", snapshot: now });
      return { status: 200, type: "application/json", body: `${body}\n` };
    }
    default:
      return failure(404);
  }
}

function health(snapshot: Snapshot): Reply {
  const reason = whyUnhealthy(snapshot);
  return reason === undefined
    ? { status: 200, type: TEXT, body: "ok\n" }
    : { status: 503, type: TEXT, body: `${reason}\n` };
}
