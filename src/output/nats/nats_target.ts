import type { NatsCredentials } from "./nats_credentials.ts";

/** Where messages go, and how. */
export interface NatsTarget {
  /** `HOST:PORT`, tried in random order. */
  readonly servers: readonly string[];
  readonly subject: string;
  /** Every record is a message of its own; else a message holds as many as there are. */
  readonly messagePerRecord: boolean;
  /** A stream to make where none takes the subject. */
  readonly create: { readonly name: string; readonly replicas: number } | undefined;
  readonly credentials: NatsCredentials | undefined;
  /** How long a server may take to answer. */
  readonly timeoutMs: number;
}
