import type { HeatMap, Window, Windows } from '../contract.js';
import { formatClock, formatDuration } from '../format.js';
import { html, type Markup } from './markup.js';

const LEFT = 68;
const TOP = 34;
const WIDTH = 960;
const ROW = 15;
const ERROR_ROW = 18;
const GAP = 5;
/** Shades of the cells, by the logarithm of the count. */
const SHADES = 6;

interface Scale {
  readonly x: (ms: number) => number;
  readonly cell: number;
  readonly rowTop: (row: number) => number;
  readonly height: number;
}

function scaleOf(map: HeatMap): Scale {
  const cell = (WIDTH - LEFT) / map.columns;
  const first = TOP + ERROR_ROW + GAP;
  return {
    cell,
    x: (ms) => LEFT + ((ms - map.fromMs) / map.binMs) * cell,
    // The slowest row lies on top, next to the failures.
    rowTop: (row) => first + (map.boundsMs.length - 1 - row) * ROW,
    height: first + map.boundsMs.length * ROW,
  };
}

function shade(count: number, most: number): number {
  return Math.min(SHADES, 1 + Math.floor((Math.log1p(count) / Math.log1p(most)) * (SHADES - 0.01)));
}

function cells(map: HeatMap, scale: Scale, epochNs: string): Markup[] {
  const most = Math.max(1, ...map.counts);
  const mostFailed = Math.max(1, ...map.failed);
  const marks: Markup[] = [];
  const place = (column: number) => ({
    x: (LEFT + column * scale.cell).toFixed(2),
    width: Math.max(0.5, scale.cell - 0.6).toFixed(2),
    time: formatClock(epochNs, map.fromMs + column * map.binMs),
  });
  for (const [column, failed] of map.failed.entries()) {
    if (failed === 0) continue;
    const { x, width, time } = place(column);
    marks.push(
      html`<rect class="cell failed f${shade(failed, mostFailed)}" x="${x}" y="${TOP}" width="${width}" height="${ERROR_ROW - 1}" data-column="${column}" data-row="failed"><title>${time}: ${failed} failed</title></rect>`,
    );
  }
  for (const [at, count] of map.counts.entries()) {
    if (count === 0) continue;
    const row = Math.floor(at / map.columns);
    const column = at % map.columns;
    const { x, width, time } = place(column);
    const below = row === 0 ? '' : `${formatDuration(map.boundsMs[row - 1]!)} to `;
    marks.push(
      html`<rect class="cell s${shade(count, most)}" x="${x}" y="${scale.rowTop(row)}" width="${width}" height="${ROW - 1}" data-column="${column}" data-row="${row}"><title>${time}, ${below}${formatDuration(map.boundsMs[row]!)}: ${count}</title></rect>`,
    );
  }
  return marks;
}

function incidentMark(incident: Window, scale: Scale): Markup {
  const from = scale.x(incident.fromMs);
  const to = scale.x(incident.toMs);
  return html`<rect class="incident-area" x="${from.toFixed(1)}" y="${TOP - 4}" width="${(to - from).toFixed(1)}" height="${scale.height - TOP + 4}"/>
<rect class="incident-bar" x="${from.toFixed(1)}" y="${TOP - 12}" width="${(to - from).toFixed(1)}" height="8" rx="2"/>
<text class="incident-label" x="${from.toFixed(1)}" y="${TOP - 17}">incident</text>`;
}

/** Other stretches that stand out: marked, but less. */
function otherMark({ fromMs, toMs }: Window, scale: Scale): Markup {
  const from = scale.x(fromMs);
  return html`<rect class="other-bar" x="${from.toFixed(1)}" y="${TOP - 9}" width="${(scale.x(toMs) - from).toFixed(1)}" height="4" rx="2"><title>stands out too</title></rect>`;
}

function axes(map: HeatMap, scale: Scale, epochNs: string): Markup[] {
  const marks: Markup[] = [
    html`<text class="axis end" x="${LEFT - 8}" y="${TOP + 13}">failed</text>`,
  ];
  for (const [row, bound] of map.boundsMs.entries()) {
    if (row % 4 !== map.boundsMs.findIndex((b) => Math.abs(Math.log10(b) % 1) < 1e-9) % 4) continue;
    marks.push(
      html`<text class="axis end" x="${LEFT - 8}" y="${scale.rowTop(row) + 4}">${formatDuration(bound)}</text>`,
    );
  }
  const step = Math.max(1, Math.round(map.columns / 8));
  // The last label must not run out of the picture.
  for (let column = 0; column <= map.columns - step / 2; column += step) {
    const time = formatClock(epochNs, map.fromMs + column * map.binMs);
    const label = map.binMs * step < 1000 ? time : time.slice(0, 8);
    marks.push(
      html`<text class="axis" x="${(LEFT + column * scale.cell).toFixed(1)}" y="${scale.height + 16}">${label}</text>`,
    );
  }
  return marks;
}

/** Latency over time, a row of failures on top, the incident marked. */
export function heatMapSvg(map: HeatMap, windows: Windows, epochNs: string): Markup {
  const scale = scaleOf(map);
  const total = map.counts.reduce((sum, count) => sum + count, 0);
  const failed = map.failed.reduce((sum, count) => sum + count, 0);
  const label = `Heat map of ${total} answered requests by time and latency, ${failed} failed in a row on top`;
  return html`<svg id="heat-map-picture" class="heat-map" viewBox="0 0 ${WIDTH} ${scale.height + 24}" role="img" aria-label="${label}">
${windows.incident === null ? null : incidentMark(windows.incident, scale)}
${windows.others.map((other) => otherMark(other, scale))}
${cells(map, scale, epochNs)}
${axes(map, scale, epochNs)}
</svg>`;
}
