// deno-fmt-ignore-file
/** client.ts as one script for browsers; made by `deno task page`, not by hand. */
export const SCRIPT: string = `
var KIB = 1024;
var MIB = 1024 ** 2;
var GIB = 1024 ** 3;
var SIZE_UNITS = {
  ...{
    "": 1,
    b: 1,
    k: KIB,
    m: MIB,
    g: GIB
  },
  ...{
    kib: KIB,
    mib: MIB,
    gib: GIB,
    kb: 1e3,
    mb: 1e6,
    gb: 1e9
  }
};
var MAX_DURATION_MS = 2 ** 31 - 1;
function formatSize(bytes) {
  for (const [name, unit] of [
    [
      "GiB",
      GIB
    ],
    [
      "MiB",
      MIB
    ],
    [
      "KiB",
      KIB
    ]
  ]) {
    if (bytes >= unit && bytes % unit === 0) return \`\${bytes / unit}\${name}\`;
  }
  return \`\${bytes}\`;
}
function roundUpSize(bytes) {
  const unit = bytes < MIB ? KIB : bytes < GIB ? MIB : GIB / 16;
  return Math.ceil(bytes / unit) * unit;
}

function format(num, options = {}) {
  if (!Number.isFinite(num)) {
    throw new TypeError(\`Expected a finite number, got \${typeof num}: \${num}\`);
  }
  const UNITS_FIRSTLETTER = (options.bits ? "b" : "B") + "kMGTPEZY";
  if (options.signed && num === 0) {
    return \` 0 \${UNITS_FIRSTLETTER[0]}\`;
  }
  const prefix = num < 0 ? "-" : options.signed ? "+" : "";
  num = Math.abs(num);
  const localeOptions = getLocaleOptions(options);
  if (num < 1) {
    const numberString2 = toLocaleString(num, options.locale, localeOptions);
    return prefix + numberString2 + " " + UNITS_FIRSTLETTER[0];
  }
  const exponent = Math.min(Math.floor(options.binary ? Math.log(num) / Math.log(1024) : Math.log10(num) / 3), UNITS_FIRSTLETTER.length - 1);
  num /= Math.pow(options.binary ? 1024 : 1e3, exponent);
  if (!localeOptions) {
    num = Number(num.toPrecision(3));
  }
  const numberString = toLocaleString(num, options.locale, localeOptions);
  let unit = UNITS_FIRSTLETTER[exponent];
  if (exponent > 0) {
    unit += options.binary ? "i" : "";
    unit += options.bits ? "bit" : "B";
  }
  return prefix + numberString + " " + unit;
}
function getLocaleOptions({ maximumFractionDigits, minimumFractionDigits }) {
  if (maximumFractionDigits === void 0 && minimumFractionDigits === void 0) {
    return;
  }
  const ret = {};
  if (maximumFractionDigits !== void 0) {
    ret.maximumFractionDigits = maximumFractionDigits;
  }
  if (minimumFractionDigits !== void 0) {
    ret.minimumFractionDigits = minimumFractionDigits;
  }
  return ret;
}
function toLocaleString(num, locale, options) {
  if (typeof locale === "string" || Array.isArray(locale)) {
    return num.toLocaleString(locale, options);
  } else if (locale === true || options !== void 0) {
    return num.toLocaleString(void 0, options);
  }
  return num.toString();
}

function addZero(num, digits) {
  return String(num).padStart(digits, "0");
}
var NARROW_UNIT_NAME_MAP = /* @__PURE__ */ new Map([
  [
    "days",
    "d"
  ],
  [
    "hours",
    "h"
  ],
  [
    "minutes",
    "m"
  ],
  [
    "seconds",
    "s"
  ],
  [
    "milliseconds",
    "ms"
  ],
  [
    "microseconds",
    "\\xB5s"
  ],
  [
    "nanoseconds",
    "ns"
  ]
]);
var FULL_UNIT_NAME_MAP = /* @__PURE__ */ new Map([
  [
    "days",
    "day"
  ],
  [
    "hours",
    "hour"
  ],
  [
    "minutes",
    "minute"
  ],
  [
    "seconds",
    "second"
  ],
  [
    "milliseconds",
    "millisecond"
  ],
  [
    "microseconds",
    "microsecond"
  ],
  [
    "nanoseconds",
    "nanosecond"
  ]
]);
function getPluralizedKey(unit, value) {
  return value === 1 ? FULL_UNIT_NAME_MAP.get(unit) : \`\${FULL_UNIT_NAME_MAP.get(unit)}s\`;
}
function millisecondsToDurationParts(ms) {
  const millis = Math.abs(ms);
  const millisFraction = millis.toFixed(7).slice(-7, -1);
  return [
    {
      unit: "days",
      value: Math.trunc(millis / 864e5)
    },
    {
      unit: "hours",
      value: Math.trunc(millis / 36e5) % 24
    },
    {
      unit: "minutes",
      value: Math.trunc(millis / 6e4) % 60
    },
    {
      unit: "seconds",
      value: Math.trunc(millis / 1e3) % 60
    },
    {
      unit: "milliseconds",
      value: Math.trunc(millis) % 1e3
    },
    {
      unit: "microseconds",
      value: +millisFraction.slice(0, 3)
    },
    {
      unit: "nanoseconds",
      value: +millisFraction.slice(3, 6)
    }
  ];
}
function format2(ms, options) {
  const { style = "narrow", ignoreZero = false } = options ?? {};
  const parts = millisecondsToDurationParts(ms);
  switch (style) {
    case "narrow": {
      let arr = parts;
      if (ignoreZero) {
        arr = arr.filter((x) => x.value);
      }
      return arr.map((x) => \`\${x.value}\${NARROW_UNIT_NAME_MAP.get(x.unit)}\`).join(" ");
    }
    case "full": {
      let arr = parts;
      if (ignoreZero) {
        arr = arr.filter((x) => x.value);
      }
      return arr.map((x) => \`\${x.value} \${getPluralizedKey(x.unit, x.value)}\`).join(", ");
    }
    case "digital": {
      const arr = parts.map((x) => [
        "milliseconds",
        "microseconds",
        "nanoseconds"
      ].includes(x.unit) ? addZero(x.value, 3) : addZero(x.value, 2));
      if (ignoreZero) {
        let cont = true;
        while (cont) {
          if (!Number(arr[arr.length - 1])) {
            arr.pop();
          } else {
            cont = false;
          }
        }
      }
      return arr.join(":");
    }
    default: {
      throw new TypeError(\`style must be "narrow", "full", or "digital"!\`);
    }
  }
}

function size(bytes) {
  return format(Number(bytes));
}
function rate(bytesPerSecond) {
  return \`\${format(Math.round(bytesPerSecond))}/s\`;
}
function span(ms) {
  if (ms < 59950) return \`\${(ms / 1e3).toFixed(1)} s\`;
  return format2(Math.round(ms / 1e3) * 1e3, {
    ignoreZero: true
  });
}
function percent(part, whole2) {
  return \`\${Math.min(100, Math.floor(100 * part / whole2))}%\`;
}

var CHART_SECONDS = 120;
var CHART_HEIGHT = 100;
var CURVE_HEIGHT = 88;
var MARK_HEIGHT = 8;
function chartOf(points, nowMs) {
  const shown = points.filter(([timeMs]) => nowMs - timeMs <= CHART_SECONDS * 1e3);
  const topPerSecond = Math.max(0, ...shown.map(([, in_, out]) => Math.max(in_, out)));
  const x = ([timeMs]) => tenth(CHART_SECONDS - (nowMs - timeMs) / 1e3);
  const y = (rate2) => tenth(CHART_HEIGHT - (topPerSecond === 0 ? 0 : CURVE_HEIGHT * rate2 / topPerSecond));
  const curve = (rate2) => shown.map((point) => \`\${x(point)} \${y(rate2(point))}\`).join("L");
  const [first, last] = [
    shown[0],
    shown.at(-1)
  ];
  if (first === void 0 || last === void 0) {
    return {
      area: "",
      in: "",
      out: "",
      lost: "",
      topPerSecond
    };
  }
  const cameIn = curve(([, in_]) => in_);
  const [left, right] = [
    x(first),
    x(last)
  ];
  return {
    area: \`M\${left} \${CHART_HEIGHT}L\${cameIn}L\${right} \${CHART_HEIGHT}Z\`,
    in: \`M\${cameIn}\`,
    out: \`M\${curve(([, , out]) => out)}\`,
    lost: shown.filter(([, , , lost]) => lost > 0).map((point) => \`M\${tenth(x(point) - 1)} 0h1v\${MARK_HEIGHT}h-1z\`).join(""),
    topPerSecond
  };
}
function tenth(value) {
  return Math.round(value * 10) / 10;
}

function outputsOf(status) {
  return "outputs" in status ? status.outputs : [
    status
  ];
}

var STALL_MS = 1e3;
var FILLING = 0.5;
var NEARLY_FULL = 0.9;
var TONES = [
  "bad",
  "warn",
  "good",
  "idle"
];
function viewOf(status, before2) {
  const outputs = outputsOf(status);
  const outputOf = new Map(outputs.map((output) => [
    output.output,
    output
  ]));
  const known = new Map(before2?.inputs.map((input) => [
    input.input,
    input
  ]));
  const seconds = before2 === void 0 ? 0 : (status.duration_ms - before2.duration_ms) / 1e3;
  const rows2 = status.inputs.map((input) => {
    const output = outputOf.get(input.output ?? "") ?? outputs[0];
    return rowOf(measure(input, known.get(input.input), seconds), output);
  });
  const total = rowOf(sum(status, rows2), worst(outputs));
  return {
    total,
    rows: rows2.sort(worseFirst)
  };
}
function measure(input, before2, seconds) {
  const since = before2 !== void 0 && seconds > 0 && before2.bytes_in <= input.bytes_in ? before2 : void 0;
  return {
    label: input.input,
    capacityBytes: input.capacity_bytes,
    share: Math.min(1, input.bytes_buffered / input.capacity_bytes),
    inPerSecond: since === void 0 ? input.bytes_in_per_second : (input.bytes_in - since.bytes_in) / seconds,
    outPerSecond: since === void 0 ? input.bytes_out_per_second : (input.bytes_out - since.bytes_out) / seconds,
    ...lossesOf(input),
    lostJustNow: since === void 0 ? 0 : lossesOf(input).lostBytes - lossesOf(since).lostBytes
  };
}
function lossesOf(counters) {
  return {
    linesIn: counters.lines_in,
    linesOut: counters.lines_out,
    lostLines: counters.lines_overwritten + counters.lines_dropped + counters.lines_rejected + counters.lines_damaged,
    lostBytes: counters.bytes_overwritten + counters.bytes_dropped + counters.bytes_rejected + counters.bytes_damaged
  };
}
function sum(status, rows2) {
  const of = (value) => rows2.reduce((sum2, row) => sum2 + value(row), 0);
  const capacityBytes = of((row) => row.capacityBytes);
  return {
    label: "all",
    capacityBytes,
    share: of((row) => row.share * row.capacityBytes) / Math.max(1, capacityBytes),
    inPerSecond: of((row) => row.inPerSecond),
    outPerSecond: of((row) => row.outPerSecond),
    ...lossesOf(status),
    lostJustNow: of((row) => row.lostJustNow)
  };
}
function worst(outputs) {
  const failing = outputs.find(({ output_failing }) => output_failing);
  if (failing !== void 0) return failing;
  return outputs.reduce((one, other) => other.stalled_ms > one.stalled_ms ? other : one, IDLE);
}
var IDLE = {
  output: "",
  output_failing: false,
  stalled_ms: 0
};
function rowOf(measured, output) {
  return {
    ...measured,
    ...stateOf(measured, output)
  };
}
function stateOf(row, output) {
  const stalled = output.stalled_ms >= STALL_MS;
  const words = [];
  if (output.output_failing) words.push("output fails");
  else if (stalled) words.push(\`stalled for \${span(output.stalled_ms)}\`);
  if (row.lostJustNow > 0) words.push("losing lines");
  else if (row.share >= NEARLY_FULL) words.push(\`ring \${percent(row.share, 1)} full\`);
  if (words.length > 0) {
    const bad = output.output_failing || row.lostJustNow > 0;
    return {
      tone: bad ? "bad" : "warn",
      words: words.join(", ")
    };
  }
  if (row.inPerSecond > 0 || row.outPerSecond > 0) {
    return {
      tone: "good",
      words: "flowing"
    };
  }
  return row.share > 0 ? {
    tone: "good",
    words: "waiting for the output"
  } : {
    tone: "idle",
    words: "idle"
  };
}
function worseFirst(one, other) {
  return TONES.indexOf(one.tone) - TONES.indexOf(other.tone) || other.lostJustNow - one.lostJustNow || other.share - one.share || other.lostLines - one.lostLines || other.inPerSecond - one.inPerSecond || (one.label < other.label ? -1 : 1);
}
function toneOfRing(share) {
  return share < FILLING ? "good" : share < NEARLY_FULL ? "warn" : "bad";
}

var LOOK_MS = 1e3;
var TIMEOUT_MS = 5e3;
var HISTORY_MS = 5e3;
var MAX_ROWS = 100;
var LOSS_MS = 2e4;
var before;
var view;
var sent;
var historyMs = -Infinity;
var lossMs = -Infinity;
var allPoints = [];
var pointsOf = /* @__PURE__ */ new Map();
var rows = /* @__PURE__ */ new Map();
var announced = "";
function byId(id) {
  return document.getElementById(id);
}
function copyOf(template) {
  const { content } = byId(template);
  return content.cloneNode(true).firstElementChild;
}
function find(root, query) {
  return root.querySelector(query);
}
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
function counted(count, one = "line", many = "lines") {
  return \`\${count.toLocaleString("en")} \${count === 1 ? one : many}\`;
}
function drawRing(root, row) {
  const bar = find(root, ".bar div");
  bar.style.width = \`\${100 * row.share}%\`;
  bar.className = toneOfRing(row.share);
}
function drawChart(root, points, nowMs) {
  const chart = chartOf(points, nowMs);
  find(root, ".area").setAttribute("d", chart.area);
  find(root, ".in").setAttribute("d", chart.in);
  find(root, ".out").setAttribute("d", chart.out);
  find(root, ".loss").setAttribute("d", chart.lost);
  say(find(root, ".top"), chart.topPerSecond > 0 ? rate(chart.topPerSecond) : "");
  find(root, "svg").setAttribute("aria-label", described(chart, points));
}
function described(chart, points) {
  const lost = points.reduce((sum2, [, , , bytes]) => sum2 + bytes, 0);
  const peak = chart.topPerSecond > 0 ? \`the highest rate was \${rate(chart.topPerSecond)}\` : "nothing moved";
  return \`The last two minutes: \${peak}, \${size(lost)} lost.\`;
}
var RowView = class {
  line = copyOf("row");
  detail = copyOf("detail");
  #label;
  #button = find(this.line, "button");
  constructor(label) {
    this.#label = label;
    say(this.#button, label);
    this.#button.onclick = () => {
      this.detail.hidden = !this.detail.hidden;
      this.#button.setAttribute("aria-expanded", \`\${!this.detail.hidden}\`);
      if (before !== void 0) this.drawDetail(Date.parse(before.time));
    };
  }
  draw(row, nowMs) {
    drawRing(this.line, row);
    say(find(this.line, ".share"), percent(row.share, 1));
    say(find(this.line, ".r-in"), rate(row.inPerSecond));
    say(find(this.line, ".r-out"), rate(row.outPerSecond));
    const lost = find(this.line, ".r-lost");
    say(lost, row.lostLines.toLocaleString("en"));
    lost.classList.toggle("bad", row.lostBytes > 0);
    const state = find(this.line, ".state");
    say(state, row.words);
    state.className = \`state \${row.tone}\`;
    if (!this.detail.hidden) this.drawDetail(nowMs);
  }
  drawDetail(nowMs) {
    drawChart(this.detail, pointsOf.get(this.#label) ?? [], nowMs);
  }
};
function drawHead(status, { total }) {
  const outputs = outputsOf(status);
  const to = outputs.length === 1 ? outputs[0].output : \`\${outputs.length} outputs\`;
  const inputs = status.inputs.length;
  const from = inputs === 1 ? status.inputs[0].input : counted(inputs, "input", "inputs");
  say(byId("about"), \`\${from} to \${to}, up \${span(status.duration_ms)}\`);
  const state = byId("state");
  say(state, total.words);
  state.className = total.tone;
  const news = total.words.replace(/\\d[\\d.a-z ]*/g, "").trim();
  if (news !== announced) say(byId("news"), announced = news);
  if (sent !== void 0) {
    document.title = \`\${total.words} \\u2013 Spillway on \${sent.host}\`;
  }
  const failed = outputs.find((output) => output.output_last_error !== void 0);
  say(byId("why"), failed === void 0 ? "" : \`Last error of the output, at \${new Date(failed.output_last_error_time).toLocaleTimeString()}: \${failed.output_last_error}\`);
}
function drawTotal(row, nowMs) {
  const root = byId("total");
  drawRing(root, row);
  say(find(root, ".fill"), \`\${percent(row.share, 1)} of \${formatSize(row.capacityBytes)}\`);
  say(find(root, ".n-in"), rate(row.inPerSecond));
  say(find(root, ".l-in"), counted(row.linesIn));
  say(find(root, ".n-out"), rate(row.outPerSecond));
  say(find(root, ".l-out"), counted(row.linesOut));
  say(find(root, ".n-lost"), counted(row.lostLines));
  find(root, ".n-lost").classList.toggle("bad", row.lostBytes > 0);
  say(find(root, ".l-lost"), size(row.lostBytes));
  drawChart(root, allPoints, nowMs);
}
function drawLoss(loss, inputs) {
  const element = byId("loss");
  element.hidden = loss === void 0;
  if (loss === void 0) return;
  const clock = (time) => new Date(time).toLocaleTimeString();
  const before2 = \`Last loss: \${inputs === 1 ? "" : \`\${loss.input}, \`}\${counted(loss.lines)} (\${size(loss.bytes)}) between \${clock(loss.since)} and \${clock(loss.until)}\`;
  const parts = [
    before2,
    ...advice(loss),
    "."
  ];
  if (element.textContent === parts.join("")) return;
  element.replaceChildren(...parts.map((part) => part.startsWith("--") ? whole(part) : part));
}
function whole(text) {
  const element = document.createElement("b");
  element.className = "whole";
  element.textContent = text;
  return element;
}
function advice({ capacity_needed_bytes: needed }) {
  if (needed === void 0) return [];
  const capacity = roundUpSize(needed);
  return capacity > sent.max_capacity_bytes ? [
    "; no ",
    "--capacity",
    " would have held it, only a faster output helps"
  ] : [
    "; ",
    \`--capacity \${formatSize(capacity)}\`,
    " would have held it"
  ];
}
function drawRows(all, nowMs) {
  byId("inputs").hidden = all.length === 1;
  if (all.length === 1) return;
  const wanted = byId("find").value;
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
    const isNew = known === void 0;
    if (known === void 0) rows.set(row.label, known = new RowView(row.label));
    known.draw(row, nowMs);
    if (isNew || !held) body.append(known.line, known.detail);
  }
  const rest = found.length - shown.length;
  say(byId("more"), rest > 0 ? \`\${counted(rest, "input", "inputs")} more, none of them worse than these\` : \`\${counted(found.length, "input", "inputs")}\`);
}
async function ask(path) {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const reply = await fetch(path, {
    signal,
    cache: "no-store"
  });
  return await reply.json();
}
async function askHistory() {
  sent = await ask("/history.json");
  historyMs = performance.now();
  allPoints = [
    ...sent.points
  ];
  for (const [label, points] of Object.entries(sent.inputs ?? {})) {
    pointsOf.set(label, [
      ...points
    ]);
  }
}
function extend(status, { total, rows: rows2 }) {
  const timeMs = Date.parse(status.time);
  const add = (points, row) => {
    if (timeMs <= (points.at(-1)?.[0] ?? 0)) return;
    points.push([
      timeMs,
      row.inPerSecond,
      row.outPerSecond,
      row.lostJustNow
    ]);
    if (points.length > CHART_SECONDS) points.shift();
  };
  add(allPoints, total);
  for (const row of rows2) {
    let points = pointsOf.get(row.label);
    if (points === void 0) pointsOf.set(row.label, points = []);
    add(points, row);
  }
}
function startOf({ time, duration_ms: durationMs }) {
  return Date.parse(time) - durationMs;
}
async function look() {
  try {
    const status = await ask("/status.json");
    if (before !== void 0 && status.duration_ms < before.duration_ms) {
      location.reload();
      return;
    }
    if (before !== void 0 && startOf(status) !== startOf(before)) sent = void 0;
    view = viewOf(status, before);
    const nowMs = performance.now();
    if (view.total.lostJustNow > 0) lossMs = nowMs;
    const isDue = nowMs - lossMs < LOSS_MS && nowMs - historyMs >= HISTORY_MS;
    if (isDue || sent === void 0) await askHistory();
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
function draw(status, view2) {
  const nowMs = Date.parse(status.time);
  drawHead(status, view2);
  drawTotal(view2.total, nowMs);
  drawLoss(sent?.last_loss, status.inputs.length);
  drawRows(view2.rows, nowMs);
  if (sent !== void 0) {
    say(byId("host"), \` on \${sent.host}\`);
    say(byId("command"), sent.command);
  }
}
byId("find").oninput = () => {
  if (before !== void 0 && view !== void 0) {
    drawRows(view.rows, Date.parse(before.time));
  }
};
look();
`;
