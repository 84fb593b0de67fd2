/** `--keep` and `--recover`: lanes that outlive the process. Control thread only. */

import { KeepError } from "../errors.ts";
import { hasIds, labelsOf, outputBytesFor } from "../formats/formats.ts";
import type { InputSource, InputSpec } from "../input/input_spec.ts";
import { HandJournal } from "../lane/hand_journal.ts";
import { KeptFolder, type LeftFile, mapLeft, openLeft } from "../lane/kept_folder.ts";
import type { KeptHeader } from "../lane/kept_header.ts";
import { allocateLane, type Lane } from "../lane/lane.ts";
import { LaneCounters } from "../lane/lane_counters.ts";
import { beginWithLine, DamagedLaneError, LeftLane } from "../lane/left_lane.ts";
import { kindOf } from "../output/sinks.ts";
import type { Plan, RoutePlan } from "../plan.ts";
import type { Notice } from "../report/events.ts";
import { O_RDONLY } from "../system/descriptors.ts";
import { bootId, hostName } from "../system/process.ts";
import { punchHole } from "../system/mapped_file.ts";
import { addressOfMemory } from "../system/memory.ts";
import { makeFolder } from "./named_folder.ts";
import { allocateRoutes, sizesOf } from "./preparation.ts";

/** A route with the lane of each of its inputs. */
export interface RouteLanes {
  readonly plan: RoutePlan;
  readonly lanes: readonly Lane[];
}

/** How often it is looked whether what was left has been delivered. */
const LOOK_MS = 1000;

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
  readonly #say: (notice: Notice) => void;
  #kept: KeptLane[] = [];
  #looks: ReturnType<typeof setInterval> | undefined;

  /**
   * Finds what earlier runs have left, and makes a file for each input.
   *
   * @throws KeepError, InputError
   */
  constructor(plan: Plan, run: string, say: (notice: Notice) => void) {
    this.#run = run;
    this.#say = say;
    plan.keepFolders.forEach(makeFolder);
    this.#folder = plan.keep === undefined ? undefined : KeptFolder.open(plan.keep);
    if (this.#folder?.isInMemory === false) this.#warnOfDisk(plan.keep!);
    const plans = [...plan.routes];
    const files = this.#folder?.left() ?? leftIn(plan);
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
        `"${path}" is on a disk: when that is slow, so is reading, and after a power cut nothing in it can be trusted; a folder in /dev/shm has neither, and is gone when the machine restarts`,
    });
  }

  /** Looks at a file, and finds the route for it. Nothing, where there is nothing in it. */
  #recover(
    file: LeftFile,
    files: readonly LeftFile[],
    plan: Plan,
    plans: RoutePlan[],
  ): Recovered[] {
    const { header, name } = file;
    if (header.boot !== bootId() && this.#folder?.isInMemory === false) {
      this.#setAside(
        file,
        "the machine was restarted since, and not all of it may be there",
      );
      return [];
    }
    const route = routeFor(file, plan, plans);
    const routePlan = plans[route]!;
    const { format, maxLineBytes } = routePlan;
    const outputBytes = outputBytesFor(format, maxLineBytes);
    const lane = { ...allocateLane({ ...header, outputBytes }), kept: true };
    const goesOn = plan.recover === undefined &&
      header.output === routePlan.output.name &&
      header.format === formatOf(routePlan);
    try {
      const why = mapLeft(lane, file, this.#folder === undefined ? "private" : "shared");
      if (why !== undefined) throw new DamagedLaneError(why);
      const left = new LeftLane(lane, goesOn, cutOf(name, files));
      if (!left.isEmpty) return [{ file, lane, left, goesOn, route }];
      this.#folder?.remove(name);
    } catch (error) {
      if (!(error instanceof DamagedLaneError)) throw error;
      this.#setAside(file, error.message);
    }
    return [];
  }

  #setAside({ name, header }: LeftFile, why: string): void {
    if (this.#folder === undefined) {
      throw new KeepError(`cannot recover "${name}": ${why}`);
    }
    const path = this.#folder.pathOf(name);
    const aside = this.#folder.setAside(name);
    this.#say({
      event: "keep_notice",
      message:
        `cannot recover what "${path}" holds of ${header.label}: ${why}; it is now "${aside}": look at it with --recover, or remove it`,
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
        const lane = { ...lanes[route]![index]!, kept: true };
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
      startMs: Date.now(),
      boot: bootId(),
      output: plan.output.name,
      format: formatOf(plan),
      capacityBytes,
      landingBytes,
      handBytes,
      ...(takesOver && {
        carried: { from: last.file.name, lineAt: last.left.unfinishedAt },
      }),
    };
    folder.keep(lane, header);
    if (takesOver) {
      beginWithLine(lane, last.left.takeUnfinished(), last.left.unfinishedTime);
    }
    folder.publish(header);
    this.#kept.push({ name: folder.nameFor(header), lane, isLeft: false });
  }

  #prepare({ file, lane, left, goesOn }: Recovered, route: RoutePlan): void {
    left.prepare();
    const { label, run, startMs } = file.header;
    this.#kept.push({ name: file.name, lane, isLeft: true });
    this.#say({
      event: "recovered",
      input: label,
      ...left.amount,
      run,
      sinceMs: startMs,
      file: this.#folder?.pathOf(file.name) ?? file.name,
      maxRepeatedBytes: repeats(route, goesOn) ? left.handBytes : 0,
    });
  }

  /** Removes what was left as soon as it is delivered. */
  start(): void {
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

  /**
   * The last thing, when nothing more is read or written: what is left in a file is kept,
   * and a file in which nothing is left is removed.
   */
  end(): void {
    if (this.#folder === undefined) return;
    for (const { name, lane } of this.#kept) {
      const counters = new LaneCounters(lane);
      const { linesBuffered, bytesBuffered } = counters.read(false);
      if (isDelivered(lane)) this.#folder.remove(name);
      else counters.add("kept", Number(bytesBuffered), Number(linesBuffered));
    }
  }
}

/** What `--recover` names. */
function leftIn({ recover }: Plan): LeftFile[] {
  return recover === undefined
    ? []
    : [{ name: recover, ...openLeft(recover, recover, O_RDONLY) }];
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
    const own = plan.separate({ label, source: sourceOf(header, name, false) });
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

function inputOf({ file: { header, name }, left }: Recovered): InputSpec {
  return { label: header.label, source: sourceOf(header, name, left.ended) };
}

function sourceOf({ run }: KeptHeader, path: string, ended: boolean): InputSource {
  return { kind: "kept", path, run, ended };
}

/** What the bytes depend on that a format makes of lines. */
function formatOf({ format, maxLineBytes, markers }: RoutePlan): string {
  return `${format} ${maxLineBytes} ${markers} ${hostName()}`;
}

/** A file says itself how much of the last write it has, and documents have an id. */
function repeats({ output, format }: RoutePlan, goesOn: boolean): boolean {
  return !goesOn || !kindOf(output).isFile && !hasIds(format);
}

/** Everything in it has been delivered, to its end. */
function isDelivered(lane: Lane): boolean {
  const { linesBuffered, bytesBuffered } = new LaneCounters(lane).read(false);
  return linesBuffered === 0n && bytesBuffered === 0n;
}
