/**
 * The page for people: one file without outside resources, which asks
 * /status.json once a second and remembers two minutes. Its script takes no text
 * for markup, and its style follows the reader's light or dark scheme.
 */
export const PAGE = String.raw`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Spillway</title>
<link rel="icon" href="data:,">
<style>
:root {
  --page: #f6f7f9; --card: #ffffff; --line: #dfe3e8; --text: #1b2430; --soft: #5b6675;
  --in: #1763c6; --out: #1a7f4b; --gap: #1763c61f; --good: #1a7f4b; --warn: #96600a;
  --bad: #c22f2f; --track: #e8ebef;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #10151c; --card: #18202a; --line: #2b3644; --text: #e6ebf2; --soft: #98a5b5;
    --in: #6aaeff; --out: #55cf8f; --gap: #6aaeff2e; --good: #55cf8f; --warn: #efb550;
    --bad: #ff7b7b; --track: #263140;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 62rem; padding: 1.25rem 1rem 2rem; background: var(--page);
  color: var(--text); font: 1rem/1.45 system-ui, sans-serif;
  font-variant-numeric: tabular-nums;
}
header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: baseline; }
h1 { font-size: 1.35rem; margin: 0; }
h2 { font-size: 1.05rem; margin: 0; overflow-wrap: anywhere; }
.soft, dt { color: var(--soft); font-size: .875rem; }
#state { margin-left: auto; font-weight: 650; }
#state::before { content: "● "; }
#why { margin: .25rem 0 0; overflow-wrap: anywhere; }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
section {
  margin-top: 1rem; padding: 1rem; border: 1px solid var(--line); border-radius: .6rem;
  background: var(--card);
}
.row { display: flex; justify-content: space-between; gap: 1rem; align-items: baseline; }
.bar {
  height: .8rem; margin: .5rem 0 1rem; border-radius: .4rem; background: var(--track);
  overflow: hidden;
}
.bar div { height: 100%; width: 0; background: var(--good); transition: width .4s; }
.bar .warn { background: var(--warn); } .bar .bad { background: var(--bad); }
dl {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr));
  gap: .75rem; margin: 0 0 1rem;
}
dd { margin: 0; font-size: 1.3rem; font-weight: 600; white-space: nowrap; }
dd small { display: block; font-size: .875rem; font-weight: 400; color: var(--soft); }
svg { display: block; width: 100%; height: 8rem; }
.area { fill: var(--gap); }
.in, .out { fill: none; stroke-width: 2; vector-effect: non-scaling-stroke; }
.in { stroke: var(--in); } .out { stroke: var(--out); }
.loss { fill: var(--bad); }
.base { stroke: var(--line); vector-effect: non-scaling-stroke; }
.key { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin-top: .5rem; }
.key i {
  display: inline-block; width: .8rem; height: .2rem; margin-right: .35rem;
  vertical-align: middle; background: var(--in);
}
.key .o { background: var(--out); } .key .l { background: var(--bad); height: .6rem; }
</style>
</head>
<body>
<header>
  <h1>Spillway</h1><span class="soft" id="about"></span>
  <span id="state" role="status">connecting</span>
</header>
<p id="why" class="soft"></p>
<main id="inputs"></main>
<noscript><p>This page needs JavaScript; the same numbers stand at
<a href="/metrics">/metrics</a>.</p></noscript>
<template id="card">
  <section>
    <div class="row"><h2></h2><span class="fill soft"></span></div>
    <div class="bar"><div></div></div>
    <dl>
      <div><dt>in</dt><dd class="n-in"></dd></div>
      <div><dt>out</dt><dd class="n-out"></dd></div>
      <div><dt>lost</dt><dd class="n-lost"></dd></div>
    </dl>
    <svg viewBox="0 0 120 100" preserveAspectRatio="none" role="img"
      aria-label="rates of the last two minutes">
      <path class="area"/><path class="loss"/>
      <path class="base" d="M0 99.5H120"/><path class="in"/><path class="out"/>
    </svg>
    <div class="key soft">
      <span><i></i>in</span><span><i class="o"></i>out</span>
      <span><i class="l"></i>lost</span><span class="top"></span>
    </div>
  </section>
</template>
<script>
"use strict";
const POLL_MS = 1000, TIMEOUT_MS = 5000, POINTS = 121, STALL_MS = 1000;
const byId = (id) => document.getElementById(id);
const cards = new Map();
let before;

const DECIMAL = ["B", "kB", "MB", "GB", "TB", "PB"], BINARY = ["B", "KiB", "MiB", "GiB"];
function size(bytes, units = DECIMAL) {
  const step = units === BINARY ? 1024 : 1000;
  let unit = 0;
  while (bytes >= 0.9995 * step && unit < units.length - 1) { bytes /= step; unit++; }
  return (unit === 0 ? Math.round(bytes) : Number(bytes.toPrecision(3))) + " " + units[unit];
}
function span(ms) {
  const s = Math.floor(ms / 1000), m = Math.floor(s / 60), h = Math.floor(m / 60);
  if (m === 0) return s + " s";
  return h === 0 ? m + " min " + s % 60 + " s" : h + " h " + m % 60 + " min";
}
function lines(count) { return count.toLocaleString("en") + (count === 1 ? " line" : " lines"); }
function lostOf(c, unit) {
  return c[unit + "_overwritten"] + c[unit + "_dropped"] + c[unit + "_rejected"];
}
function say(element, text, tone) {
  if (element.textContent !== text) element.textContent = text;
  if (tone !== undefined) element.className = tone;
}

/* What has passed since the last look, as rates; undefined at the first. */
function changes(now) {
  const seconds = before && (Date.parse(now.time) - Date.parse(before.time)) / 1000;
  if (!(seconds > 0)) return undefined;
  return now.inputs.map((input, index) => {
    const old = before.inputs[index];
    return {
      in: (input.bytes_in - old.bytes_in) / seconds,
      out: (input.bytes_out - old.bytes_out) / seconds,
      lost: lostOf(input, "bytes") - lostOf(old, "bytes"),
    };
  });
}

function showState(now, changed) {
  const losing = changed && changed.some((change) => change.lost > 0);
  const moving = changed && changed.some((change) => change.in > 0 || change.out > 0);
  const stalled = now.stalled_ms >= STALL_MS;
  const words = [];
  if (now.output_failing) words.push("output fails");
  else if (stalled) words.push("stalled for " + span(now.stalled_ms));
  if (losing) words.push("losing lines");
  if (words.length === 0) words.push(moving ? "flowing" : "idle");
  const tone = losing || now.output_failing ? "bad" : stalled ? "warn" : "good";
  say(byId("state"), words.join(", "), tone);
  const error = now.output_last_error;
  say(byId("why"), error === undefined ? "" : "last error of the output, at " +
    new Date(now.output_last_error_time).toLocaleTimeString() + ": " + error);
  say(byId("about"), "to " + now.output + ", up " + span(now.duration_ms));
}

function cardOf(label) {
  let card = cards.get(label);
  if (card === undefined) {
    const root = byId("card").content.cloneNode(true).firstElementChild;
    const find = (query) => root.querySelector(query);
    card = { points: [], find };
    find("h2").textContent = label;
    byId("inputs").append(root);
    cards.set(label, card);
  }
  return card;
}

/* A number, with a smaller line below it. */
function figure(element, big, small, tone) {
  say(element, big, tone === undefined ? undefined : element.classList[0] + " " + tone);
  element.append(Object.assign(document.createElement("small"), { textContent: small }));
}

function showInput(input, change) {
  const { find, points } = cardOf(input.input);
  const share = Math.min(1, input.bytes_buffered / input.capacity_bytes);
  const bar = find(".bar div");
  bar.style.width = 100 * share + "%";
  bar.className = share < 0.5 ? "" : share < 0.9 ? "warn" : "bad";
  say(find(".fill"), "ring " + Math.floor(100 * share) + "% full, " +
    size(input.bytes_buffered, BINARY) + " of " + size(input.capacity_bytes, BINARY));
  const rate = change || { in: input.bytes_in_per_second, out: input.bytes_out_per_second };
  figure(find(".n-in"), size(rate.in) + "/s", lines(input.lines_in));
  figure(find(".n-out"), size(rate.out) + "/s", lines(input.lines_out));
  const lost = lostOf(input, "bytes");
  figure(find(".n-lost"), lines(lostOf(input, "lines")), size(lost), lost > 0 ? "bad" : "");
  if (change === undefined) return;
  points.push(change);
  if (points.length > POINTS) points.shift();
  draw(find, points);
}

/* The newest point at the right edge; the shaded area is what the ring had to take. */
function draw(find, points) {
  const top = Math.max(1, ...points.map((point) => Math.max(point.in, point.out)));
  const x = (index) => 120 - (points.length - 1 - index);
  const y = (rate) => (98 - 90 * rate / top).toFixed(1);
  const path = (name) =>
    points.map((point, index) => x(index) + " " + y(point[name])).join("L");
  const back = points.map((point, index) => x(index) + " " + y(point.out)).reverse();
  find("path.in").setAttribute("d", "M" + path("in"));
  find("path.out").setAttribute("d", "M" + path("out"));
  find(".area").setAttribute("d", "M" + path("in") + "L" + back.join("L") + "Z");
  find(".loss").setAttribute("d", points.map((point, index) =>
    point.lost > 0 ? "M" + (x(index) - 0.8) + " 0h.8v6h-.8z" : "").join(""));
  say(find(".top"), "peak " + size(top) + "/s in two minutes");
}

async function look() {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const reply = await fetch("/status.json", { signal, cache: "no-store" });
    const now = await reply.json();
    /* A new start under the same address begins anew. */
    if (before && now.duration_ms < before.duration_ms) { location.reload(); return; }
    const changed = changes(now);
    showState(now, changed);
    now.inputs.forEach((input, index) => showInput(input, changed && changed[index]));
    before = now;
  } catch (error) {
    say(byId("state"), "no answer: has it ended?", "bad");
  }
  setTimeout(look, POLL_MS);
}
look();
</script>
</body>
</html>
`;
