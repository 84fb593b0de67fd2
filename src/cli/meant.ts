/** Words that people know from other programs, and what they are called here. */

import type { FlagName } from "./flags.ts";

const MEANT: Partial<Record<FlagName, Readonly<Record<string, string>>>> = {
  format: {
    json: "ndjson (or json-file, for Docker's lines)",
    jsonl: "ndjson",
    "json-lines": "ndjson",
    docker: "json-file",
    kubernetes: "cri",
    k8s: "cri",
    text: "raw",
    plain: "raw",
    syslog: "rfc5424 (or local-syslog, for /dev/log)",
    rfc3164: "local-syslog",
    elasticsearch: "elasticsearch-bulk",
    opensearch: "elasticsearch-bulk",
    bulk: "elasticsearch-bulk",
    opentelemetry: "otlp",
  },
  "when-full": {
    "drop-oldest": "overwrite",
    "discard-oldest": "overwrite",
    "drop-old": "overwrite",
    "drop-new": "drop-newest",
    "discard-newest": "drop-newest",
    drop: "overwrite (the oldest) or drop-newest",
    discard: "overwrite (the oldest) or drop-newest",
    "non-blocking": "overwrite (the oldest) or drop-newest",
    wait: "block",
    blocking: "block",
  },
  report: { off: "none", quiet: "none", silent: "none", jsonl: "json" },
};

/** `; did you mean ndjson?`, or nothing. @param word a value that the flag does not know */
export function whatWasMeant(flag: FlagName, word: string): string {
  const words = MEANT[flag];
  const key = word.toLowerCase();
  const meant = words !== undefined && Object.hasOwn(words, key) ? words[key] : undefined;
  return meant === undefined ? "" : `; did you mean ${meant}?`;
}
