/** The part of @std/fmt/colors that is used; its npm package carries no types. */

type Paint = (text: string) => string;

export const bold: Paint;
export const cyan: Paint;
export const dim: Paint;
export const green: Paint;
export const red: Paint;
export const yellow: Paint;

/** Without the colour codes. */
export function stripAnsiCode(text: string): string;

/** Off: the paints return their text as it is. On does nothing under NO_COLOR. */
export function setColorEnabled(enabled: boolean): void;
