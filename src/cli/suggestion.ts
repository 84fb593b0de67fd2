import { type FlagName, FLAGS } from "./flags.ts";

/** More slips of the finger than this make it another word. */
const MAX_SLIPS = 2;

/** The flag that was probably meant by `name`, which is none; undefined if none is near. */
export function nearestFlag(name: string): FlagName | undefined {
  const begun = FLAGS.find((flag) =>
    name !== "" && (flag.name.startsWith(name) || name.startsWith(flag.name))
  );
  if (begun !== undefined) return begun.name;
  const distances = FLAGS.map((flag) => slips(name, flag.name));
  const least = Math.min(...distances);
  // Half of a short word is no slip.
  return least <= MAX_SLIPS && least * 2 < name.length
    ? FLAGS[distances.indexOf(least)]!.name
    : undefined;
}

/** Letters that were added, left out or mistaken: the Levenshtein distance. */
function slips(written: string, meant: string): number {
  let above = Array.from({ length: meant.length + 1 }, (_, column) => column);
  for (const [row, letter] of [...written].entries()) {
    const current = [row + 1];
    for (let column = 0; column < meant.length; column++) {
      current.push(Math.min(
        above[column]! + (meant[column] === letter ? 0 : 1),
        above[column + 1]! + 1,
        current[column]! + 1,
      ));
    }
    above = current;
  }
  return above.at(-1)!;
}
