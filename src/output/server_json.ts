/** What servers say in JSON, in which anything may be in the place of anything. */

export type JsonObject = Readonly<Record<string, unknown>>;

/** The object that a text is; undefined for all other texts. */
export function jsonObject(text: string): JsonObject | undefined {
  try {
    return objectIn(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Undefined for what is no object. */
export function objectIn(value: unknown): JsonObject | undefined {
  return typeof value === "object" && value !== null ? value as JsonObject : undefined;
}

/** What is in the place of a reason, where it can be one. */
export function reasonIn(value: unknown): string {
  return typeof value === "string" ? value : "no reason";
}
