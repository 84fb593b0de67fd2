import { SCRIPT } from "./script.ts";

const STYLE = String.raw`
:root {
  --page: #f6f7f9; --card: #ffffff; --line: #dfe3e8; --text: #1b2430; --soft: #5b6675;
  --in: #1763c6; --area: #1763c633; --out: #b35400; --good: #1a7f4b; --warn: #96600a;
  --bad: #c22f2f; --track: #e8ebef;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #10151c; --card: #18202a; --line: #2b3644; --text: #e6ebf2; --soft: #98a5b5;
    --in: #6aaeff; --area: #6aaeff40; --out: #ffb066; --good: #55cf8f; --warn: #efb550;
    --bad: #ff7b7b; --track: #263140;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body {
  margin: 0 auto; max-width: 62rem; padding: 1.25rem 1rem 2rem; background: var(--page);
  color: var(--text); font: 1rem/1.45 system-ui, sans-serif;
  font-variant-numeric: tabular-nums;
}
header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: baseline; }
h1 { font-size: 1.35rem; margin: 0; overflow-wrap: anywhere; }
h1 span { font-weight: 400; }
h2 { font-size: 1.05rem; margin: 0; }
p { margin: .25rem 0 0; overflow-wrap: anywhere; }
code {
  display: block; max-height: 4.5em; overflow: auto; overflow-wrap: anywhere;
  font: .8125rem/1.45 ui-monospace, monospace;
}
.soft, dt, th { color: var(--soft); font-size: .875rem; font-weight: 400; }
#state { margin-left: auto; font-weight: 650; }
#state::before, .state::before { content: "● "; }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
.idle { color: var(--soft); }
.unseen {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
}
section {
  margin-top: 1rem; padding: 1rem; border: 1px solid var(--line); border-radius: .6rem;
  background: var(--card);
}
.split { display: flex; flex-wrap: wrap; justify-content: space-between; gap: .25rem 1rem; }
.bar {
  height: .8rem; margin: .5rem 0 1rem; border-radius: .4rem; background: var(--track);
  overflow: hidden;
}
.bar div { height: 100%; width: 0; background: currentColor; }
dl {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr));
  gap: .75rem; margin: 0 0 1rem;
}
dd { margin: 0; white-space: nowrap; } dd b { font-size: 1.3rem; font-weight: 600; }
.chart { display: grid; grid-template-columns: 1fr; }
.chart .top { font-size: .75rem; color: var(--soft); min-height: 1.1rem; }
svg { display: block; width: 100%; height: 8rem; border-bottom: 1px solid var(--line); }
svg path { vector-effect: non-scaling-stroke; }
.area { fill: var(--area); }
.in { fill: none; stroke: var(--in); stroke-width: 1; }
.out { fill: none; stroke: var(--out); stroke-width: 2; }
.loss { fill: var(--bad); }
.grid { stroke: var(--line); fill: none; }
.axis { display: flex; justify-content: space-between; font-size: .75rem; }
.key { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin-top: .5rem; }
.key i {
  display: inline-block; width: .8rem; height: .7rem; margin-right: .35rem;
  vertical-align: baseline; background: var(--area); border-top: 2px solid var(--in);
}
.key .o { background: none; border-top: 3px solid var(--out); height: .3rem; }
.key .l { background: var(--bad); border: 0; height: .6rem; }
input {
  font: inherit; padding: .2rem .5rem; border: 1px solid var(--line); border-radius: .3rem;
  background: var(--page); color: inherit; max-width: 100%;
}
.whole { white-space: nowrap; font-weight: 600; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin-top: .75rem; }
th, td { text-align: right; padding: .25rem .5rem; white-space: nowrap; }
th:first-child, th:last-child, td:last-child { text-align: left; }
thead th { border-bottom: 1px solid var(--line); }
td .bar { display: inline-block; width: 5rem; height: .6rem; margin: 0 .4rem 0 0; }
button {
  font: inherit; color: var(--text); background: none; border: 0; padding: 0;
  cursor: pointer; text-align: left; max-width: 16rem; overflow: hidden;
  text-overflow: ellipsis; white-space: nowrap;
}
button::before { content: "▸ "; } button[aria-expanded="true"]::before { content: "▾ "; }
:focus-visible { outline: 2px solid var(--in); outline-offset: 2px; }
`;

const CHART = String.raw`
<div class="chart">
  <span class="top"></span>
  <svg viewBox="0 0 120 100" preserveAspectRatio="none" role="img">
    <path class="grid" d="M30 0V100M60 0V100M90 0V100M0 12H120"/>
    <path class="area"/><path class="in"/><path class="out"/><path class="loss"/>
  </svg>
  <div class="axis soft" aria-hidden="true">
    <span>2 min ago</span><span>90 s</span><span>1 min</span><span>30 s</span><span>now</span>
  </div>
</div>`;

/**
 * The page for people: one file that brings all it needs, and follows the reader's
 * light or dark scheme.
 */
export const PAGE = String.raw`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Spillway</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<header>
  <h1>Spillway<span id="host"></span></h1><span class="soft" id="about"></span>
  <span id="state">connecting</span><span id="news" class="unseen" role="status"></span>
</header>
<p><code id="command" class="soft"></code></p>
<p id="why" class="soft"></p>
<noscript><p>This page needs JavaScript; the same numbers are at
<a href="/metrics">/metrics</a> and <a href="/status.json">/status.json</a>.</p></noscript>
<main>
<section id="total" aria-label="All inputs together">
  <div class="split"><h2>Ring</h2><span class="fill soft"></span></div>
  <div class="bar"><div></div></div>
  <dl>
    <div><dt>in</dt><dd><b class="n-in"></b><br><span class="l-in soft"></span></dd></div>
    <div><dt>out</dt><dd><b class="n-out"></b><br><span class="l-out soft"></span></dd></div>
    <div><dt>lost</dt><dd><b class="n-lost"></b><br><span class="l-lost soft"></span></dd></div>
  </dl>${CHART}
  <div class="key soft" aria-hidden="true">
    <span><i></i>in</span><span><i class="o"></i>out</span><span><i class="l"></i>lost</span>
  </div>
  <p id="loss" hidden></p>
</section>
<section id="inputs" aria-labelledby="inputs-title" hidden>
  <div class="split">
    <h2 id="inputs-title">Inputs, the worst first</h2>
    <label class="soft">find <input id="find" type="search" autocomplete="off"></label>
  </div>
  <div class="scroll"><table>
    <thead><tr><th scope="col">input</th><th scope="col">ring</th><th scope="col">in</th>
    <th scope="col">out</th><th scope="col">lines lost</th><th scope="col">state</th></tr></thead>
    <tbody id="rows"></tbody>
  </table></div>
  <p id="more" class="soft"></p>
</section>
</main>
<template id="row"><tr>
  <th scope="row"><button type="button" aria-expanded="false"></button></th>
  <td><div class="bar"><div></div></div><span class="share"></span></td>
  <td class="r-in"></td><td class="r-out"></td><td class="r-lost"></td>
  <td><span class="state"></span></td>
</tr></template>
<template id="detail"><tr hidden><td colspan="6">${CHART}</td></tr></template>
<script type="module">
${SCRIPT}</script>
</body>
</html>
`;
