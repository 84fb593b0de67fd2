import type { Escapes } from "../kernels/escape_table.ts";

const SHORT = new Map([['"', '\\"'], ["\\", "\\\\"], ["\n", "\\n"], ["\r", "\\r"]]);

function escape(character: string): [number, string] {
  const code = character.charCodeAt(0);
  return [
    code,
    SHORT.get(character) ?? `\\u${code.toString(16).padStart(4, "0")}`,
  ];
}

const CONTROL = Array.from({ length: 0x20 }, (_, code) => String.fromCharCode(code));

/** The text of a JSON string as Docker writes it: moby's daemon/logger/jsonfilelog/jsonlog. */
export const JSON_ESCAPES: Escapes = {
  ascii: new Map([...CONTROL, ...'"\\<>&'].map(escape)),
  invalid: "\\ufffd",
  separators: ["\\u2028", "\\u2029"],
};

/** What goes between the braces of a JSON object. */
export function members(fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(fields).slice(1, -1);
}
