import { gapSentence } from "./gap_sentence.ts";
import { type RecordLayout, TIME } from "./record_layout.ts";

/** The only streams that the grammar knows. */
export const CRI_STREAMS: readonly string[] = ["stdout", "stderr"];

/**
 * The log line of Kubernetes' container runtimes, defined by its design proposal
 * kubelet-cri-logging. The tag says whether the line ends here (F) or goes on in
 * the next entry of its stream (P). There is no escaping, and as with containerd
 * `\r\n` ends a line like `\n`. A gap marker is an entry like others: the grammar
 * has no place for its numbers but the sentence.
 */
export const CRI: RecordLayout = {
  stripsCarriageReturn: true,
  record: (label, goesOn) => ({
    before: `${TIME} ${label} ${goesOn ? "P" : "F"} `,
    after: "\n",
  }),
  marker: (gap, label, time) => `${time} ${label} F ${gapSentence(gap)}\n`,
};
