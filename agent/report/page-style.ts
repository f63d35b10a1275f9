/** Colours have a contrast of 4.5 to 1 with what they stand on; a printer gets the light ones. */
const DARK = `
  --page: #11161c; --text: #e4e9ee; --quiet: #a3adb8; --line: #2c353f; --track: #232c35;
  --good: #56c271; --warn: #e0a93b; --bad: #ff7b72; --info: #6cb0ff; --none: #8b96a2;
`

/** The style of all pages: one column, readable from 320 px on; drawings are as wide as their place. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --text: #1d242b; --quiet: #56606b; --line: #d9dfe5; --track: #e9edf1;
  --good: #1c7a3c; --warn: #8f5f00; --bad: #c02630; --info: #1762b5; --none: #6f7b87;
}
@media screen and (prefers-color-scheme: dark) { :root {${DARK}} }
* { box-sizing: border-box; }
body {
  margin: 0; color: var(--text); background: var(--page);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere; -webkit-text-size-adjust: 100%;
}
main { max-width: 58rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
h1 { margin: 0 0 1.25rem; font-size: 1.75rem; line-height: 1.25; font-weight: 650; letter-spacing: -.01em; }
h2 { margin: 3rem 0 .5rem; font-size: 1.125rem; line-height: 1.35; font-weight: 650; }
h1 .quiet { font-size: 1.125rem; font-weight: 400; letter-spacing: 0; }
h2 span:not([class]) { color: var(--quiet); }
h2 span { font-weight: 400; }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); } .info { color: var(--info); }
.quiet, small { color: var(--quiet); font-size: .875rem; }
dl { display: flex; flex-wrap: wrap; gap: .75rem 2.25rem; margin: 0; }
dt { color: var(--quiet); font-size: .8125rem; }
dd { margin: 0; }
table { width: 100%; border-collapse: collapse; }
caption { padding: 0 0 .75rem; color: var(--quiet); font-size: .875rem; text-align: left; }
th, td { padding: .5rem 1rem .5rem 0; border-top: 1px solid var(--line); text-align: left; vertical-align: top; }
th:last-child, td:last-child { padding-right: 0; text-align: right; }
th { font-weight: 400; }
thead th { padding-top: 0; border: 0; color: var(--quiet); font-size: .8125rem; }
tbody th { width: 62%; }
td { min-width: 4.25rem; overflow-wrap: normal; }
td small { display: block; }
svg { display: block; width: 100%; overflow: visible; }
svg.bar { height: 6px; margin-top: .5rem; }
tbody th small { display: block; margin-top: .25rem; }
.track { fill: var(--track); }
.fill-good { fill: var(--good); } .fill-warn { fill: var(--warn); } .fill-bad { fill: var(--bad); }
.fill-info { fill: var(--info); } .fill-none { fill: var(--none); }
figure { margin: 1rem 0 0; padding: 0 5px; }
figure text { fill: var(--text); font-size: 14px; }
figure .tick { fill: var(--quiet); font-size: 12px; }
figure .time { fill: var(--quiet); }
figure .halo { stroke: var(--page); stroke-width: 5px; stroke-linejoin: round; paint-order: stroke; }
.wedge { fill: var(--track); opacity: .55; }
figure line { stroke: var(--quiet); }
figure .limit { stroke: var(--text); stroke-width: 2px; }
.fill-text { fill: var(--text); }
figure circle { fill: var(--text); }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: 0 0 1.25rem; padding: 0; list-style: none; }
.legend .limit { width: 2px; height: 14px; margin: 0 .8rem -2px .25rem; }
.legend svg { display: inline-block; width: 10px; height: 10px; margin-right: .4rem; }
.problem { margin: 1rem 0 0; padding: .125rem 0 .125rem 1rem; border-left: 3px solid currentColor; }
.problem p { margin: .25rem 0; color: var(--text); }
.problem h2, .problem h3 { margin: 0; font-size: .9375rem; font-weight: 650; }
footer { margin-top: 3.5rem; padding-top: .75rem; border-top: 1px solid var(--line); }
@media (max-width: 40rem) {
  main { padding: 1.5rem 1rem 3rem; }
  h1 { font-size: 1.4375rem; }
  dl { gap: .625rem 1.5rem; }
  th, td { padding-right: .625rem; font-size: .875rem; }
  tbody th { width: 100%; }
  figure text { font-size: 13px; }
}
@media print {
  body { font-size: 10pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main { max-width: none; padding: 0; }
  h2 { break-after: avoid; }
  figure, tr, .problem { break-inside: avoid; }
}
`
