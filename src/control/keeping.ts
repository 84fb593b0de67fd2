/** `--keep` and `--recover`: lanes that outlive the process. Control thread only. */

import { KeepError } from "../errors.ts";
import { hasIds, labelsOf } from "../formats/formats.ts";
import type { InputSource, InputSpec } from "../input/input_spec.ts";
import { checkSeedOf } from "../lane/frame_check.ts";
import { HandJournal } from "../lane/hand_journal.ts";
import { KeptFolder, type LeftFile, openLeft } from "../lane/kept_folder.ts";
import type { KeptHeader } from "../lane/kept_header.ts";
import type { Lane } from "../lane/lane.ts";
import { LaneCounters } from "../lane/lane_counters.ts";
import { DamagedLaneError } from "../lane/damaged_lane.ts";
import { beginWithLine, LeftLane } from "../lane/left_lane.ts";
import { Place } from "../lane/place.ts";
import { Settled } from "../lane/settled.ts";
import { seal } from "../lane/whole_lane.ts";
import { kindOf } from "../output/sinks.ts";
import type { Plan, RoutePlan } from "../plan.ts";
import type { Notice } from "../report/events.ts";
import { close, O_RDONLY } from "../system/descriptors.ts";
import { unlockFile } from "../system/file_locks.ts";
import { bootId } from "../system/process.ts";
import { punchHole } from "../system/mapped_file.ts";
import { addressOfMemory } from "../system/memory.ts";
import { formatOf, openLane } from "./left_file.ts";
import { makeFolder } from "./named_folder.ts";
import { allocateRoutes, sizesOf } from "./preparation.ts";

/** A route with the lane of each of its inputs. */
export interface RouteLanes {
  readonly plan: RoutePlan;
  readonly lanes: readonly Lane[];
}

/** How often it is looked whether what was left has been delivered. */
const LOOK_MS = 1000;
/** How often it is looked whether the files are still there. */
const REMOVED_LOOK_MS = 5000;

/** A file in the folder, and whose lane it is. */
interface KeptLane {
  readonly name: string;
  readonly lane: Lane;
  readonly isLeft: boolean;
}

/** A lane that an earlier run has left, on its way into a route. */
interface Recovered {
  readonly file: LeftFile;
  readonly lane: Lane;
  readonly left: LeftLane;
  readonly goesOn: boolean;
  /** Its number among the routes. */
  readonly route: number;
}

export class Keeping {
  readonly routes: readonly RouteLanes[];
  readonly #folder: KeptFolder | undefined;
  readonly #run: string;
  readonly #startMs: number;
  readonly #say: (notice: Notice) => void;
  #kept: KeptLane[] = [];
  #looks: ReturnType<typeof setInterval> | undefined;
  /** Names of files that somebody else has removed, and of which that was said. */
  readonly #removed = new Set<string>();

  /**
   * Finds what earlier runs have left, and makes a file for each input.
   *
   * @throws KeepError, InputError
   */
  constructor(plan: Plan, run: string, say: (notice: Notice) => void) {
    this.#run = run;
    this.#say = say;
    plan.keepFolders.forEach((path) => makeFolder(path, "--keep"));
    this.#folder = plan.keep === undefined ? undefined : KeptFolder.open(plan.keep);
    if (this.#folder?.isInMemory === false) this.#warnOfDisk(plan.keep!);
    const plans = [...plan.routes];
    const files = this.#folder?.left((name) => this.#setBlankAside(name)) ?? leftIn(plan);
    this.#startMs = startAfter(files);
    const recovered = files.flatMap((file) => this.#recover(file, files, plan, plans));
    const lanes = allocateRoutes(plans);
    if (this.#folder !== undefined) this.#keep(this.#folder, plans, lanes, recovered);
    for (const found of recovered) this.#prepare(found, plans[found.route]!);
    this.routes = plans.map((plan, route) => {
      const left = recovered.filter((found) => found.route === route);
      const inputs = [...left.map(inputOf), ...plan.inputs];
      return {
        plan: { ...plan, inputs },
        lanes: [...left.map(({ lane }) => lane), ...lanes[route]!],
      };
    });
  }

  #warnOfDisk(path: string): void {
    this.#say({
      event: "keep_notice",
      message:
        `"${path}" is on a disk: when that is slow, so is reading, and a power cut may cost what came in the last half minute; a folder in /dev/shm is as fast as memory, and is gone when the machine restarts`,
    });
  }

  /** Looks at a file, and finds the route for it. Nothing, where there is nothing in it. */
  #recover(
    file: LeftFile,
    files: readonly LeftFile[],
    plan: Plan,
    plans: RoutePlan[],
  ): Recovered[] {
    const { name } = file;
    const route = routeFor(file, plan, plans);
    const routePlan = plans[route]!;
    try {
      const opened = openLane(file, routePlan, {
        folder: this.#folder,
        say: (message) => this.#say({ event: "keep_notice", message }),
      });
      if (opened === undefined) return [];
      const { lane, header } = opened;
      const goesOn = plan.recover === undefined &&
        header.output === routePlan.output.name &&
        header.format === formatOf(routePlan);
      const left = new LeftLane(lane, goesOn, cutOf(name, files));
      if (!left.isEmpty) {
        return [{ file: { ...file, header }, lane, left, goesOn, route }];
      }
      this.#folder?.remove(name);
    } catch (error) {
      if (!(error instanceof DamagedLaneError)) throw error;
      this.#setAside(file, error.message);
    } finally {
      close(file.descriptor);
    }
    return [];
  }

  #setAside({ name, header, descriptor }: LeftFile, why: string): void {
    if (this.#folder === undefined) {
      throw new KeepError(`cannot recover "${name}": ${why}`);
    }
    unlockFile(descriptor);
    this.#saySetAside(name, ` of ${header.label}: ${why}`);
  }

  #setBlankAside(name: string): void {
    this.#saySetAside(
      name,
      ": the machine failed before anything of it was on the disk, and it is blank",
    );
  }

  #saySetAside(name: string, why: string): void {
    const path = this.#folder!.pathOf(name);
    const aside = this.#folder!.setAside(name);
    this.#say({
      event: "keep_notice",
      message:
        `cannot recover what "${path}" holds${why}; it is now "${aside}": look at it with --recover, or remove it`,
    });
  }

  /** Makes the files of this run, each with the unfinished line of the one before. */
  #keep(
    folder: KeptFolder,
    plans: readonly RoutePlan[],
    lanes: Lane[][],
    recovered: readonly Recovered[],
  ): void {
    plans.forEach((plan, route) => {
      lanes[route] = plan.inputs.map(({ label }, index) => {
        const lane = {
          ...lanes[route]![index]!,
          kept: true,
          checkSeed: folder.isInMemory ? undefined : checkSeedOf(this.#run),
        };
        const last = recovered.findLast(({ file }) => file.header.label === label);
        this.#make(folder, plan, label, lane, last);
        return lane;
      });
    });
  }

  #make(
    folder: KeptFolder,
    plan: RoutePlan,
    label: string,
    lane: Lane,
    last: Recovered | undefined,
  ): void {
    const length = last?.left.unfinishedBytes ?? 0;
    const takesOver = last !== undefined && length > 0 && length <= plan.maxLineBytes;
    const { capacityBytes, landingBytes, handBytes } = sizesOf(plan);
    const header: KeptHeader = {
      label,
      run: this.#run,
      startMs: this.#startMs,
      boot: bootId(),
      output: plan.output.name,
      format: formatOf(plan),
      capacityBytes,
      landingBytes,
      handBytes,
      checked: lane.checkSeed !== undefined,
      ...(takesOver && {
        carried: { from: last.file.name, lineAt: last.left.unfinishedAt },
      }),
    };
    folder.keep(lane, header);
    const { checkSeed } = lane;
    if (checkSeed !== undefined) new Settled(lane, checkSeed).note(new Place());
    if (takesOver) {
      beginWithLine(lane, last.left.takeUnfinished(), last.left.unfinishedTime);
    }
    folder.publish(header);
    this.#kept.push({ name: folder.nameFor(header), lane, isLeft: false });
  }

  #prepare({ file, lane, left, goesOn }: Recovered, route: RoutePlan): void {
    const { label, run, startMs } = file.header;
    left.prepare(1000 * startMs);
    this.#kept.push({ name: file.name, lane, isLeft: true });
    this.#say({
      event: "recovered",
      input: label,
      ...left.amount,
      run,
      sinceMs: startMs,
      file: this.#folder?.pathOf(file.name) ?? file.name,
      maxRepeatedBytes: repeats(route, goesOn, lane) ? mayRepeat(left, lane) : 0,
    });
  }

  /** Removes what was left as soon as it is delivered, and looks after the files. */
  start(): void {
    if (this.#folder !== undefined) {
      setInterval(() => this.#sayRemoved(this.#kept), REMOVED_LOOK_MS);
    }
    if (!this.#kept.some(({ isLeft }) => isLeft)) return;
    this.#looks = setInterval(() => this.#look(), LOOK_MS);
  }

  #look(): void {
    const done = this.#kept.filter((kept) =>
      kept.isLeft && isDelivered(kept.lane) &&
      new HandJournal(kept.lane).endsStream
    );
    for (const { name, lane } of done) {
      this.#folder?.remove(name);
      // The words are still looked at; what is beyond them takes memory or disk.
      const from = lane.landingAt;
      if (this.#folder !== undefined) {
        punchHole(addressOfMemory(lane.memory) + from, lane.outputAt - from);
      }
    }
    this.#kept = this.#kept.filter((kept) => !done.includes(kept));
    if (!this.#kept.some(({ isLeft }) => isLeft)) clearInterval(this.#looks);
  }

  /** Without its name a file is there only for this process. */
  #sayRemoved(kept: readonly KeptLane[]): void {
    const news = kept.filter(({ name }) =>
      !this.#removed.has(name) && !this.#folder!.has(name)
    );
    if (news.length === 0) return;
    for (const { name } of news) this.#removed.add(name);
    const [{ name }] = news as [KeptLane];
    const others = news.length === 1 ? "" : ` and ${news.length - 1} more`;
    this.#say({
      event: "keep_notice",
      message: `somebody has removed "${
        this.#folder!.pathOf(name)
      }"${others}: what cannot be written before this program ends is lost; start it again, and see RemoveIPC= in logind.conf(5), which empties /dev/shm`,
    });
  }

  /**
   * The last thing, when nothing more is read or written: what is left in a file is kept,
   * and a file in which nothing is left is removed.
   */
  end(): void {
    if (this.#folder === undefined) return;
    this.#sayRemoved(this.#kept.filter(({ lane }) => !isDelivered(lane)));
    for (const { name, lane } of this.#kept) {
      if (isDelivered(lane)) {
        this.#folder.remove(name);
        continue;
      }
      if (this.#removed.has(name)) continue;
      const counters = new LaneCounters(lane);
      const { linesBuffered, bytesBuffered } = counters.read(false);
      counters.add("kept", Number(bytesBuffered), Number(linesBuffered));
      if (lane.checkSeed !== undefined) seal(lane, lane.checkSeed);
    }
  }
}

/** Now; and later than earlier runs, which the order of their files is known by. */
function startAfter(files: readonly LeftFile[]): number {
  // A machine without a battery for its clock begins in the past.
  return Math.max(Date.now(), ...files.map(({ header }) => header.startMs + 1));
}

/** What `--recover` names. */
function leftIn({ recover }: Plan): LeftFile[] {
  if (recover === undefined) return [];
  const file = openLeft(recover, recover, O_RDONLY);
  if (file !== undefined) return [{ name: recover, ...file }];
  throw new KeepError(
    `cannot recover "${recover}": it is blank: the machine failed before anything of it was on the disk`,
  );
}

/** Another file has taken over the unfinished line of this one, and may have come first. */
function cutOf(name: string, files: readonly LeftFile[]): number | undefined {
  return files.find(({ header }) => header.carried?.from === name)?.header.carried
    ?.lineAt;
}

/**
 * The number of the route that the lines of a file go to: that of its input or, where
 * each has its own and this one is read no more, one that is added.
 *
 * @throws KeepError when they cannot go there
 */
function routeFor({ name, header }: LeftFile, plan: Plan, plans: RoutePlan[]): number {
  const { label } = header;
  let route = plans.findIndex(({ inputs }) =>
    inputs.some((input) => input.label === label)
  );
  if (route < 0 && plan.separate !== undefined) {
    const own = plan.separate({ label, source: sourceOf(header.run, name, false) });
    route = plans.findIndex(({ output }) => output.name === own.output.name);
    if (route < 0) route = plans.push({ ...own, inputs: [] }) - 1;
  }
  route = Math.max(0, route);
  const { format } = plans[route]!;
  if (labelsOf(format)?.includes(label) === false) {
    throw new KeepError(
      `cannot recover "${name}": it is of the input "${label}", which --format ${format} cannot carry; recover it with --recover and another format, or move it elsewhere`,
    );
  }
  return route;
}

function inputOf({ file: { header, name }, left, goesOn }: Recovered): InputSpec {
  const { label, run } = header;
  // What is made of a line is something else now, and must not pass for what was.
  const source = sourceOf(goesOn ? run : crypto.randomUUID(), name, left.ended);
  return { label, source };
}

function sourceOf(run: string, path: string, ended: boolean): InputSource {
  return { kind: "kept", path, run, ended };
}

/** A file says itself how much of the last write it has, and documents have an id. */
function repeats(
  { output, format }: RoutePlan,
  goesOn: boolean,
  { damaged }: Lane,
): boolean {
  const isTold = kindOf(output).isFile && !damaged;
  return !goesOn || !isTold && !hasIds(format);
}

/** When it was known last what was delivered is long ago where the machine has failed. */
function mayRepeat({ amount, handBytes }: LeftLane, { damaged }: Lane): number {
  return damaged ? amount.bytes : handBytes;
}

/** Everything in it has been delivered, to its end. */
function isDelivered(lane: Lane): boolean {
  const { linesBuffered, bytesBuffered } = new LaneCounters(lane).read(false);
  return linesBuffered === 0n && bytesBuffered === 0n;
}
