/**
 * The part of the NATS client that is used. Imported on the first use only, which keeps
 * its text out of what every thread reads at its start.
 */

import {
  type ConnectionOptions,
  type NatsConnection,
  NatsConnectionImpl,
  setTransportFactory,
} from "@nats-io/nats-core/internal";
import type { TlsSettings } from "../../runtime/tls.ts";
import { NatsTransport } from "./nats_transport.ts";

export {
  createInbox,
  credsAuthenticator,
  headers,
  nkeyAuthenticator,
} from "@nats-io/nats-core/internal";

/** Connects once to one of the servers; with TLS where settings for it are given. */
export function connect(
  options: ConnectionOptions,
  tls: TlsSettings | undefined,
): Promise<NatsConnection> {
  setTransportFactory({ factory: () => new NatsTransport(tls) });
  return NatsConnectionImpl.connect({ ...options, tls: tls ? {} : null });
}
