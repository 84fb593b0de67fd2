import { PermanentError, TemporaryError, UsageError } from "../../errors.ts";
import {
  documentShape,
  type FormatName,
  isDocument,
  isJsonLines,
} from "../../formats/formats.ts";
import { hostName } from "../../system/process.ts";
import { splitSettings, wordIn } from "../network/address.ts";
import { timeoutIn } from "../network/stream_kinds.ts";
import {
  loadTls,
  TLS_SETTINGS,
  type TlsFiles,
  tlsFilesIn,
} from "../network/tls_settings.ts";
import { type Destination, SERVED, type SinkKind } from "../sink.ts";
import {
  CREDENTIAL_SETTINGS,
  type CredentialFile,
  credentialFileIn,
  readCredentials,
} from "./authorization.ts";
import { readHeaderFile } from "./header_file.ts";
import { HttpSink } from "./http_sink.ts";
import { replyKind } from "./reply_kinds.ts";

interface HttpDestination extends Destination {
  readonly host: string;
  readonly port: number;
  readonly authority: string;
  readonly path: string;
  readonly gzip: boolean;
  readonly credentials: CredentialFile | undefined;
  /** A file of more headers. */
  readonly headers: string | undefined;
  readonly timeoutMs: number;
  /** Undefined without TLS. */
  readonly tls: TlsFiles | undefined;
}

/**
 * `--output http://HOST[:PORT]/PATH?QUERY#SETTINGS`. What follows the question
 * mark is the server's, so that settings follow a `#`, which no server sees.
 */
export const httpKind: SinkKind<HttpDestination> = {
  kind: "http",
  help: "http://HOST/PATH or https://HOST/PATH",
  format: "ndjson",
  makesDocuments: true,
  loop: () => SERVED,
  parse: (output) => {
    if (!/^https?:\/\//.test(output)) return undefined;
    const secure = output.startsWith("https:");
    const known = ["gzip", "timeout", "headers", ...CREDENTIAL_SETTINGS];
    const { rest, settings } = splitSettings(
      output,
      "#",
      secure ? [...known, ...TLS_SETTINGS] : known,
    );
    const url = parseUrl(rest);
    return {
      kind: "http",
      // A query may hold a key.
      name: `${url.protocol}//${url.host}${url.pathname}`,
      host: url.hostname.replace(/^\[|\]$/g, ""),
      port: Number(url.port) || (secure ? 443 : 80),
      authority: url.host,
      path: url.pathname + url.search,
      gzip: wordIn(settings, "gzip", ["on", "off"], "off") === "on",
      credentials: credentialFileIn(settings),
      headers: settings.get("headers"),
      timeoutMs: timeoutIn(settings),
      tls: secure ? tlsFilesIn(settings) : undefined,
    };
  },
  open: (destination, _notices, format) => {
    const { name, tls, credentials, headers } = destination;
    checkFiles(() => {
      readCredentials(credentials);
      readHeaderFile(headers);
      if (tls !== undefined) loadTls(tls);
    });
    const target = {
      ...destination,
      contentType: contentType(format),
      replies: replyKind(format),
      shape: documentShape(format, hostName()),
    };
    return new HttpSink(name, target);
  },
};

/** What is wrong at the start can be put right. @throws PermanentError */
function checkFiles(read: () => void): void {
  try {
    read();
  } catch (error) {
    throw error instanceof TemporaryError ? new PermanentError(error.message) : error;
  }
}

function contentType(format: FormatName): string {
  if (isDocument(format)) return "application/json";
  return isJsonLines(format) ? "application/x-ndjson" : "text/plain; charset=utf-8";
}

function parseUrl(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw new UsageError(
      `"${text.replace(/\?.*/s, "")}" is not a URL; write http://HOST:PORT/PATH`,
    );
  }
}
