/** `HOST:PORT`, as people and URLs write it. */

import { UsageError } from "./errors.ts";

export interface HostPort {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
}

export const MAX_PORT = 65_535;

/**
 * Parses `HOST:PORT`, `HOST` or `[IPv6]:PORT`.
 *
 * @param standardPort where the port may be left out
 * @throws UsageError that says what would be right.
 */
export function parseHostPort(
  text: string,
  standardPort?: number,
): HostPort {
  const match = /^(?:\[([0-9a-fA-F:.]+(?:%[\w.-]+)?)\]|([^\s:/[\]]+))(?::(\d{1,5}))?$/
    .exec(text);
  if (match === null) {
    throw new UsageError(
      `"${text}" is not HOST:PORT; write a name or an address and a port, such as logs.example.org:6514 or [::1]:6514`,
    );
  }
  const [, v6, name, digits] = match;
  const port = digits === undefined ? standardPort : Number(digits);
  if (port === undefined) {
    throw new UsageError(`"${text}" has no port; write ${text}:PORT`);
  }
  if (port < 1 || port > MAX_PORT) {
    throw new UsageError(`port ${port} of "${text}" is not from 1 to ${MAX_PORT}`);
  }
  return { host: (v6 ?? name)!, port };
}

/** An IPv6 address gets its brackets back. */
export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
