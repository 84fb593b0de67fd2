/// <reference lib="dom" />
/**
 * The page's script, in the browser: asks once a second, and draws. Text from outside
 * becomes text and never markup. `deno task page` puts it into script.ts.
 */

import { formatSize, roundUpSize } from "../../units.ts";
import { percent, rate, size, span } from "../quantities.ts";
import { type Chart, CHART_SECONDS, chartOf } from "./chart.ts";
import { type Row, toneOfRing, type View, viewOf } from "./state.ts";
import type { History, LastLoss, Point, Status } from "./status.ts";
import { outputsOf } from "./status.ts";

const LOOK_MS = 1000;
const TIMEOUT_MS = 5000;
/** The history is asked for again after a loss, but not more often. */
const HISTORY_MS = 5000;
/** More rows would be too many to read, and to draw once a second. */
const MAX_ROWS = 100;

/** So long after a loss, what is known of it may still change. */
const LOSS_MS = 20_000;

let before: Status | undefined;
let view: View | undefined;
let sent: History | undefined;
let historyMs = -Infinity;
let lossMs = -Infinity;
/** The last two minutes: as the server has sent them, and what was seen since. */
let allPoints: Point[] = [];
const pointsOf = new Map<string, Point[]>();
const rows = new Map<string, RowView>();
let announced = "";

function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

function copyOf(template: string): HTMLElement {
  const { content } = byId<HTMLTemplateElement>(template);
  return (content.cloneNode(true) as DocumentFragment).firstElementChild as HTMLElement;
}

function find<T extends Element = HTMLElement>(root: Element, query: string): T {
  return root.querySelector(query) as T;
}

function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

function counted(count: number, one = "line", many = "lines"): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

/** The parts of a panel that all inputs together have, and an open row. */
function drawRing(root: Element, row: Row): void {
  const bar = find(root, ".bar div");
  bar.style.width = `${100 * row.share}%`;
  bar.className = toneOfRing(row.share);
}

function drawChart(root: Element, points: readonly Point[], nowMs: number): void {
  const chart = chartOf(points, nowMs);
  find(root, ".area").setAttribute("d", chart.area);
  find(root, ".in").setAttribute("d", chart.in);
  find(root, ".out").setAttribute("d", chart.out);
  find(root, ".loss").setAttribute("d", chart.lost);
  say(find(root, ".top"), chart.topPerSecond > 0 ? rate(chart.topPerSecond) : "");
  find(root, "svg").setAttribute("aria-label", described(chart, points));
}

function described(chart: Chart, points: readonly Point[]): string {
  const lost = points.reduce((sum, [, , , bytes]) => sum + bytes, 0);
  const peak = chart.topPerSecond > 0
    ? `the highest rate was ${rate(chart.topPerSecond)}`
    : "nothing moved";
  return `The last two minutes: ${peak}, ${size(lost)} lost.`;
}

/** A row of the table, and below it, when it is open, the chart of its input. */
class RowView {
  readonly line = copyOf("row");
  readonly detail = copyOf("detail");
  readonly #label: string;
  readonly #button = find<HTMLButtonElement>(this.line, "button");

  constructor(label: string) {
    this.#label = label;
    say(this.#button, label);
    this.#button.onclick = () => {
      this.detail.hidden = !this.detail.hidden;
      this.#button.setAttribute("aria-expanded", `${!this.detail.hidden}`);
      if (before !== undefined) this.drawDetail(Date.parse(before.time));
    };
  }

  draw(row: Row, nowMs: number): void {
    drawRing(this.line, row);
    say(find(this.line, ".share"), percent(row.share, 1));
    say(find(this.line, ".r-in"), rate(row.inPerSecond));
    say(find(this.line, ".r-out"), rate(row.outPerSecond));
    const lost = find(this.line, ".r-lost");
    say(lost, row.lostLines.toLocaleString("en"));
    lost.classList.toggle("bad", row.lostBytes > 0);
    const state = find(this.line, ".state");
    say(state, row.words);
    state.className = `state ${row.tone}`;
    if (!this.detail.hidden) this.drawDetail(nowMs);
  }

  drawDetail(nowMs: number): void {
    drawChart(this.detail, pointsOf.get(this.#label) ?? [], nowMs);
  }
}

function drawHead(status: Status, { total }: View): void {
  const outputs = outputsOf(status);
  const to = outputs.length === 1 ? outputs[0]!.output : `${outputs.length} outputs`;
  const inputs = status.inputs.length;
  const from = inputs === 1
    ? status.inputs[0]!.input
    : counted(inputs, "input", "inputs");
  say(byId("about"), `${from} to ${to}, up ${span(status.duration_ms)}`);
  const state = byId("state");
  say(state, total.words);
  state.className = total.tone;
  // What a screen reader reads out: not every second of a stall.
  const news = total.words.replace(/\d[\d.a-z ]*/g, "").trim();
  if (news !== announced) say(byId("news"), announced = news);
  if (sent !== undefined) {
    document.title = `${total.words} – Spillway on ${sent.host}`;
  }
  const failed = outputs.find((output) => output.output_last_error !== undefined);
  say(
    byId("why"),
    failed === undefined
      ? ""
      : `Last error of the output, at ${
        new Date(failed.output_last_error_time!).toLocaleTimeString()
      }: ${failed.output_last_error}`,
  );
}

function drawTotal(row: Row, nowMs: number): void {
  const root = byId("total");
  drawRing(root, row);
  say(
    find(root, ".fill"),
    `${percent(row.share, 1)} of ${formatSize(row.capacityBytes)}`,
  );
  say(find(root, ".n-in"), rate(row.inPerSecond));
  say(find(root, ".l-in"), counted(row.linesIn));
  say(find(root, ".n-out"), rate(row.outPerSecond));
  say(find(root, ".l-out"), counted(row.linesOut));
  say(find(root, ".n-lost"), counted(row.lostLines));
  find(root, ".n-lost").classList.toggle("bad", row.lostBytes > 0);
  say(find(root, ".l-lost"), size(row.lostBytes));
  drawChart(root, allPoints, nowMs);
}

function drawLoss(loss: LastLoss | undefined, inputs: number): void {
  const element = byId("loss");
  element.hidden = loss === undefined;
  if (loss === undefined) return;
  const clock = (time: string) => new Date(time).toLocaleTimeString();
  const before = `Last loss: ${inputs === 1 ? "" : `${loss.input}, `}${
    counted(loss.lines)
  } (${size(loss.bytes)}) between ${clock(loss.since)} and ${clock(loss.until)}`;
  const parts = [before, ...advice(loss), "."];
  if (element.textContent === parts.join("")) return;
  element.replaceChildren(
    ...parts.map((part) => part.startsWith("--") ? whole(part) : part),
  );
}

/** A flag must not be broken behind its first hyphen. */
function whole(text: string): HTMLElement {
  const element = document.createElement("b");
  element.className = "whole";
  element.textContent = text;
  return element;
}

/** As the reports say it: what would have helped. */
function advice({ capacity_needed_bytes: needed }: LastLoss): string[] {
  if (needed === undefined) return [];
  const capacity = roundUpSize(needed);
  return capacity > sent!.max_capacity_bytes
    ? ["; no ", "--capacity", " would have held it, only a faster output helps"]
    : ["; ", `--capacity ${formatSize(capacity)}`, " would have held it"];
}

/** The worst first, but never under the hand or the cursor of a reader. */
function drawRows(all: readonly Row[], nowMs: number): void {
  byId("inputs").hidden = all.length === 1;
  if (all.length === 1) return;
  const wanted = byId<HTMLInputElement>("find").value;
  const found = all.filter(({ label }) => label.includes(wanted));
  const shown = found.slice(0, MAX_ROWS);
  const body = byId("rows");
  const labels = new Set(shown.map(({ label }) => label));
  for (const [label, { line, detail }] of rows) {
    if (labels.has(label)) continue;
    rows.delete(label);
    line.remove();
    detail.remove();
  }
  const held = body.matches(":hover") || body.contains(document.activeElement);
  for (const row of shown) {
    let known = rows.get(row.label);
    const isNew = known === undefined;
    if (known === undefined) rows.set(row.label, known = new RowView(row.label));
    known.draw(row, nowMs);
    if (isNew || !held) body.append(known.line, known.detail);
  }
  const rest = found.length - shown.length;
  say(
    byId("more"),
    rest > 0
      ? `${counted(rest, "input", "inputs")} more, none of them worse than these`
      : `${counted(found.length, "input", "inputs")}`,
  );
}

async function ask<T>(path: string): Promise<T> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const reply = await fetch(path, { signal, cache: "no-store" });
  return await reply.json();
}

async function askHistory(): Promise<void> {
  sent = await ask<History>("/history.json");
  historyMs = performance.now();
  allPoints = [...sent.points];
  for (const [label, points] of Object.entries(sent.inputs ?? {})) {
    pointsOf.set(label, [...points]);
  }
}

/** Goes on with what this look has shown. */
function extend(status: Status, { total, rows }: View): void {
  const timeMs = Date.parse(status.time);
  const add = (points: Point[], row: Row) => {
    if (timeMs <= (points.at(-1)?.[0] ?? 0)) return;
    points.push([timeMs, row.inPerSecond, row.outPerSecond, row.lostJustNow]);
    if (points.length > CHART_SECONDS) points.shift();
  };
  add(allPoints, total);
  for (const row of rows) {
    let points = pointsOf.get(row.label);
    if (points === undefined) pointsOf.set(row.label, points = []);
    add(points, row);
  }
}

/** By the server's clock: when that is set, all times that it has said are others. */
function startOf({ time, duration_ms: durationMs }: Status): number {
  return Date.parse(time) - durationMs;
}

async function look(): Promise<void> {
  try {
    const status = await ask<Status>("/status.json");
    // A new start under the same address begins from nothing.
    if (before !== undefined && status.duration_ms < before.duration_ms) {
      location.reload();
      return;
    }
    if (before !== undefined && startOf(status) !== startOf(before)) sent = undefined;
    view = viewOf(status, before);
    const nowMs = performance.now();
    if (view.total.lostJustNow > 0) lossMs = nowMs;
    const isDue = nowMs - lossMs < LOSS_MS && nowMs - historyMs >= HISTORY_MS;
    if (isDue || sent === undefined) await askHistory();
    else extend(status, view);
    before = status;
    draw(status, view);
  } catch {
    const state = byId("state");
    say(state, "no answer: has it ended?");
    state.className = "bad";
    say(byId("news"), announced = "no answer");
  }
  setTimeout(look, LOOK_MS);
}

function draw(status: Status, view: View): void {
  const nowMs = Date.parse(status.time);
  drawHead(status, view);
  drawTotal(view.total, nowMs);
  drawLoss(sent?.last_loss, status.inputs.length);
  drawRows(view.rows, nowMs);
  if (sent !== undefined) {
    say(byId("host"), ` on ${sent.host}`);
    say(byId("command"), sent.command);
  }
}

byId("find").oninput = () => {
  if (before !== undefined && view !== undefined) {
    drawRows(view.rows, Date.parse(before.time));
  }
};
look();
