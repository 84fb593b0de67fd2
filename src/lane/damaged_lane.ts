/** What must be true of a lane that an earlier process has left. */

/** The words make no sense: something else has written to them, or only a part was. */
export class DamagedLaneError extends Error {
  override readonly name = "DamagedLaneError";
}

/** The last moment that a date can be made of. */
const LAST_MICROS = 8.64e18;

/** @throws DamagedLaneError */
export function check(isSound: boolean, otherwise: string): void {
  if (!isSound) throw new DamagedLaneError(otherwise);
}

/** @throws DamagedLaneError where one of them cannot be a number of lines, bytes or frames */
export function checkWhole(...numbers: readonly number[]): void {
  const areWhole = numbers.every((number) => Number.isSafeInteger(number) && number >= 0);
  check(areWhole, "it counts what cannot be counted");
}

/**
 * @param times in microseconds since 1970
 * @throws DamagedLaneError
 */
export function checkTimes(...times: readonly number[]): void {
  const areTimes = times.every((time) => time >= 0 && time <= LAST_MICROS);
  check(areTimes, "it has times that no clock has shown");
}
