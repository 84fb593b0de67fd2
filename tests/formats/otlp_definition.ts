/** Reads OTLP requests by the definition that OpenTelemetry publishes. */

import { assertEquals } from "@std/assert";
import root from "otlp-definition";

export interface OtlpAttribute {
  readonly key: string;
  readonly value: { readonly [type: string]: unknown };
}

export interface OtlpScope {
  readonly scope: { readonly name: string };
  readonly logRecords: readonly {
    readonly timeUnixNano: string;
    readonly observedTimeUnixNano: string;
    readonly body: { readonly stringValue: string };
    readonly attributes: readonly OtlpAttribute[];
  }[];
}

export interface OtlpRequest {
  readonly resourceLogs: readonly {
    readonly resource: { readonly attributes: readonly OtlpAttribute[] };
    readonly scopeLogs: readonly OtlpScope[];
  }[];
}

/** The part that is used of what protobufjs has made of the definition; it says no types. */
interface Message {
  fromObject(value: unknown): unknown;
  encode(message: unknown): { finish(): Uint8Array };
  decode(bytes: Uint8Array): unknown;
  toObject(message: unknown, options: unknown): unknown;
}
const { ExportLogsServiceRequest } = (root as unknown as {
  opentelemetry: {
    proto: { collector: { logs: { v1: Record<"ExportLogsServiceRequest", Message> } } };
  };
}).opentelemetry.proto.collector.logs.v1;

/** By OpenTelemetry's own definition: what it does not know of, or reads otherwise, fails. */
export function readOtlp(request: Record<string, unknown>): OtlpRequest {
  const message = ExportLogsServiceRequest.fromObject(request);
  const bytes = ExportLogsServiceRequest.encode(message).finish();
  const read = ExportLogsServiceRequest.toObject(
    ExportLogsServiceRequest.decode(bytes),
    { longs: String, arrays: true },
  );
  assertEquals(withoutEmpty(read), withoutEmpty(request));
  return request as unknown as OtlpRequest;
}

/** What is empty goes without saying. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, withoutEmpty(member)])
      .filter(([, member]) => !(Array.isArray(member) && member.length === 0)),
  );
}
