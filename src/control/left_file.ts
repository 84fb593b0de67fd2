/** From a file that an earlier run has left to a lane. Control thread only. */

import { KeepError, messageOf } from "../errors.ts";
import { outputBytesFor } from "../formats/formats.ts";
import { checkSeedOf } from "../lane/frame_check.ts";
import { type KeptFolder, type LeftFile, mapLeft } from "../lane/kept_folder.ts";
import type { KeptHeader } from "../lane/kept_header.ts";
import { allocateLane, type Lane } from "../lane/lane.ts";
import { DamagedLaneError } from "../lane/damaged_lane.ts";
import type { LeftAmount } from "../lane/left_lane.ts";
import { SoundFrames } from "../lane/sound_frames.ts";
import { isSealed } from "../lane/whole_lane.ts";
import type { RoutePlan } from "../plan.ts";
import { amount } from "../report/quantities.ts";
import { unlockFile } from "../system/file_locks.ts";
import { bootId, hostName } from "../system/process.ts";
import { formatTime } from "../units.ts";

/** Where a file is put that takes the place of one that is damaged, and who hears of it. */
export interface LeftContext {
  /** None where a file is only looked at. */
  readonly folder: KeptFolder | undefined;
  say(message: string): void;
}

export interface OpenedLane {
  readonly lane: Lane;
  /** Of the file that is behind it. */
  readonly header: KeptHeader;
}

/**
 * The lane of a file; or one in the place of it, with what can be trusted, where the
 * machine has failed since. Nothing, where there is nothing to be delivered of that.
 *
 * @throws DamagedLaneError, KeepError
 */
export function openLane(
  file: LeftFile,
  plan: RoutePlan,
  context: LeftContext,
): OpenedLane | undefined {
  const { header } = file;
  const lane = laneFor(header, file.name, plan);
  const mapping = context.folder === undefined ? "private" : "shared";
  if (hasOutlivedMachine(file, context)) {
    map(lane, file, "private");
    const { checkSeed } = lane;
    if (checkSeed === undefined) {
      throw new DamagedLaneError(
        "the machine was restarted since, and nothing in it can be checked",
      );
    }
    if (!isSealed(lane, checkSeed)) {
      return takeSound(file, new SoundFrames(lane), plan, context);
    }
    // It is as this run has found it, and from now on that is another one.
    context.folder?.renew(file, { ...header, boot: bootId() });
  }
  map(lane, file, mapping);
  return { lane, header };
}

/** Some of its pages may be as they were when the machine failed, and others older. */
function hasOutlivedMachine({ header }: LeftFile, { folder }: LeftContext): boolean {
  const canHave = folder === undefined ? header.checked === true : !folder.isInMemory;
  return canHave && header.boot !== bootId();
}

function takeSound(
  { name, header: old, descriptor }: LeftFile,
  sound: SoundFrames,
  plan: RoutePlan,
  { folder, say }: LeftContext,
): OpenedLane | undefined {
  unlockFile(descriptor);
  const path = folder?.pathOf(name) ?? name;
  if (sound.sound.bytes === 0 && sound.missing.lines === 0) {
    say(damageOf(path, old, sound, folder?.setAside(name)));
    return undefined;
  }
  const header: KeptHeader = {
    ...old,
    boot: bootId(),
    output: plan.output.name,
    format: formatOf(plan),
    capacityBytes: sound.capacityBytes,
    landingBytes: 0,
    damaged: true,
    carried: undefined,
  };
  const lane = laneFor(header, name, plan);
  folder?.keep(lane, header);
  sound.copyTo(lane, 1000 * header.startMs);
  say(damageOf(path, header, sound, folder?.replace(name, header)));
  return { lane, header };
}

function damageOf(
  path: string,
  { label }: KeptHeader,
  { sound, missing, lastTime }: SoundFrames,
  aside: string | undefined,
): string {
  const gaps = missing.lines === 0 && missing.bytes === 0
    ? ""
    : `; ${amountOf(missing)} are missing`;
  const rest = lastTime === 0
    ? ""
    : `; what came after ${formatTime(lastTime / 1000)} is not known`;
  const found = sound.bytes === 0
    ? "nothing in it is sound that was not delivered"
    : `${amountOf(sound)} in it are sound, are delivered now, and may come twice`;
  const now = aside === undefined
    ? ""
    : `; it is now "${aside}": look at it with --recover, or remove it`;
  return `the machine was restarted while "${path}" was in use, of ${label}: ${found}${gaps}${rest}${now}`;
}

function amountOf({ lines, bytes }: LeftAmount): string {
  return amount(BigInt(lines), BigInt(bytes));
}

/** @throws KeepError when the system has not so much memory */
function laneFor(header: KeptHeader, name: string, plan: RoutePlan): Lane {
  const outputBytes = outputBytesFor(plan.format, plan.maxLineBytes);
  const { checked = false, damaged = false, run } = header;
  try {
    return {
      ...allocateLane({ ...header, outputBytes }),
      kept: true,
      checkSeed: checked ? checkSeedOf(run) : undefined,
      damaged,
    };
  } catch (error) {
    throw new KeepError(
      `cannot recover "${name}": cannot reserve memory for a ring of ${header.capacityBytes} bytes: ${
        messageOf(error)
      }; move it elsewhere`,
    );
  }
}

function map(lane: Lane, file: LeftFile, mapping: "shared" | "private"): void {
  const why = mapLeft(lane, file, mapping);
  if (why !== undefined) throw new DamagedLaneError(why);
}

/** What the bytes depend on that a format makes of lines. */
export function formatOf({ format, maxLineBytes, markers }: RoutePlan): string {
  return `${format} ${maxLineBytes} ${markers} ${hostName()}`;
}
