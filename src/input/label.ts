/** What an input can be called in reports, formats and the names of outputs. */
const LABEL = /^[A-Za-z0-9_.-]{1,64}$/;

/** What messages say of it. */
export const LABEL_RULE =
  "a label is 1 to 64 letters, digits, dots, dashes and underscores";

export function isLabel(text: string): boolean {
  return LABEL.test(text);
}
