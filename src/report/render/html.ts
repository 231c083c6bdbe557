import type { Comparison, Report, Stats, TraceChunk } from '../contract.js';
import {
  formatClock,
  formatCount,
  formatDuration,
  formatOptional,
  formatRange,
  formatShare,
} from '../format.js';
import { describeRatio, failedShare } from './change.js';
import { contentSecurityPolicy, dataBlocks } from './embed.js';
import { html, Markup } from './markup.js';
import { heatMapSvg } from './svg-heat-map.js';
import { serviceMapSvg } from './svg-service-map.js';
import {
  errorTable,
  factorTable,
  linkTable,
  lossTable,
  routeTable,
  serviceTable,
  traceTable,
} from './tables.js';

/** The built viewer. */
export interface ViewerAssets {
  readonly script: string;
  readonly style: string;
}

function hero({ conclusion, windows }: Report): Markup {
  const { headline, sentences, caveats } = conclusion;
  const kind = windows.incident === null ? 'calm' : 'incident';
  return html`<section class="hero ${kind}" id="verdict" aria-labelledby="headline"><h1 id="headline">${headline}</h1>
<ul class="sentences">${sentences.map(({ text, evidence }) => html`<li>${text} <a href="#${evidence}" aria-label="evidence: ${evidence}">evidence</a></li>`)}</ul>
${caveats.length === 0 ? null : html`<ul class="caveats" aria-label="What weakens this">${caveats.map((text) => html`<li>${text}</li>`)}</ul>`}</section>`;
}

const LEVEL_SIGN = { good: '✓', fair: '!', poor: '✕' } as const;

function quality(report: Report): Markup {
  const { notes, skews, unreadable } = report.quality;
  return html`<section id="quality" aria-labelledby="quality-title"><h2 id="quality-title">Data quality</h2>
<ul class="strip">${notes.map(({ level, label, text }) => html`<li class="${level}"><span class="sign" aria-label="${level}">${LEVEL_SIGN[level]}</span><strong>${label}</strong><p>${text}</p></li>`)}</ul>
${lossTable(report)}
<details><summary>Links by service, clocks, files</summary>${linkTable(report)}
${skews.map(({ from, to, offsetMs, uncertaintyMs, hops }) => html`<p>Clock of ${to} against ${from}: ${formatDuration(offsetMs)} ± ${formatDuration(uncertaintyMs)}, from ${formatCount(hops)} calls.</p>`)}
${unreadable.map(({ file, reason }) => html`<p>Not read: <code>${file}</code>: ${reason}</p>`)}</details></section>`;
}

function tile(
  label: string,
  comparison: Comparison,
  value: (stats: Stats) => string,
  ratio: string,
) {
  const { before, during } = comparison;
  return html`<div class="tile"><dt>${label}</dt><dd><strong>${value(during)}</strong>${before === null ? null : html`<span class="before">baseline: ${value(before)}</span>`}${ratio === '' ? null : html`<span class="ratio">${ratio}</span>`}</dd></div>`;
}

function impact(report: Report): Markup {
  const { impact: all } = report;
  const { before, during } = all;
  const failed = (stats: Stats) =>
    `${formatCount(stats.failed)} (${formatShare(failedShare(stats))})`;
  const quantile = (key: 'p50Ms' | 'p95Ms' | 'p99Ms') =>
    tile(
      key.slice(0, 3),
      all,
      (stats) => formatOptional(stats[key]),
      describeRatio(before?.[key], during[key]),
    );
  return html`<section id="impact" aria-labelledby="impact-title"><h2 id="impact-title">Impact</h2>
<dl class="tiles">${tile('requests', all, (stats) => formatCount(stats.requests), '')}${tile('per second', all, (stats) => stats.perSecond.toPrecision(3), describeRatio(before?.perSecond, during.perSecond))}${tile('failed', all, failed, '')}${quantile('p50Ms')}${quantile('p95Ms')}${quantile('p99Ms')}</dl>
${routeTable(report)}</section>`;
}

function windowLine({ windows, epochNs, range }: Report): string {
  const span = ({ fromMs, toMs }: { fromMs: number; toMs: number }) =>
    `${formatClock(epochNs, fromMs)} to ${formatClock(epochNs, toMs)}`;
  if (windows.incident === null) return `Whole recording: ${span(range)} UTC.`;
  const source = windows.incidentSource === 'given' ? 'as given' : 'as it stands out';
  const baseline =
    windows.baseline.length === 0
      ? 'no baseline'
      : `baseline ${windows.baseline.map(span).join(' and ')} (${windows.baselineSource})`;
  return `Incident ${source}: ${span(windows.incident)} UTC; ${baseline}.`;
}

function figures(report: Report): Markup {
  const { heatMap, windows, epochNs, serviceMap, conclusion } = report;
  return html`<section id="heat-map" aria-labelledby="heat-map-title"><h2 id="heat-map-title">Latency over time</h2>
<p class="hint">${windowLine(report)} A stronger colour is more requests. Click or drag over cells to filter the traces below.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Heat map, picture">${heatMapSvg(heatMap, windows, epochNs)}</div></section>
<section id="service-map" aria-labelledby="service-map-title"><h2 id="service-map-title">Service map</h2>
<p class="hint">Figures are of the ${windows.incident === null ? 'whole recording' : 'incident'}; what got worse against the baseline is marked ▲. A dashed box was not recorded: it is known from its callers.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Service map, picture">${serviceMapSvg(serviceMap, conclusion.culprit)}</div></section>`;
}

function findings(report: Report): Markup {
  return html`<section id="factors" aria-labelledby="factors-title"><h2 id="factors-title">Candidate factors</h2>
<p class="hint">What each service adds beyond what the baseline leads to expect. Waiting for another service does not count.</p>${factorTable(report)}</section>
<section id="traces" aria-labelledby="traces-title"><h2 id="traces-title">Worst traces</h2>
<div id="explorer">${traceTable(report)}</div>
<p class="hint">${report.leftOut.traces > 0 ? `${formatCount(report.leftOut.traces)} more traces with ${formatCount(report.leftOut.spans)} spans are in ${report.method.input}/spans.parquet.` : 'All traces of the reconstruction are on this page.'}</p></section>
<section id="errors" aria-labelledby="errors-title"><h2 id="errors-title">Errors by origin</h2>${errorTable(report)}</section>
<section id="services" aria-labelledby="services-title"><h2 id="services-title">Services</h2>${serviceTable(report)}</section>`;
}

function method({ method: facts, epochNs, range }: Report): Markup {
  return html`<section id="method" aria-labelledby="method-title"><h2 id="method-title">Method</h2><ul>${facts.statements.map((text) => html`<li>${text}</li>`)}</ul>
<p>${facts.tool} read ${formatCount(facts.spans)} spans in ${formatCount(facts.traces)} traces from <code>${facts.input}</code>, recorded ${formatRange(epochNs, range.fromMs, range.toMs)} UTC in:</p>
<ul>${facts.segments.map(({ file, host, rows }) => html`<li><code>${file}</code> (${host}, ${formatCount(rows)} events)</li>`)}${facts.imports.map(({ file, format, exchanges }) => html`<li><code>${file}</code> (spans of ${format}, ${formatCount(exchanges)} exchanges)</li>`)}</ul></section>`;
}

/** Where the traffic was recorded, in a few words. */
function placeOf({ method: { segments } }: Report): string {
  const hosts = [...new Set(segments.map(({ host }) => host))];
  if (hosts.length === 0) return 'imported spans';
  return hosts.length === 1 ? `host ${hosts[0]!}` : `${hosts.length} hosts`;
}

const NAVIGATION: readonly (readonly [string, string])[] = [
  ['quality', 'Quality'],
  ['impact', 'Impact'],
  ['heat-map', 'Latency'],
  ['service-map', 'Map'],
  ['factors', 'Factors'],
  ['traces', 'Traces'],
  ['errors', 'Errors'],
  ['services', 'Services'],
  ['method', 'Method'],
];

/** The report as one HTML file that needs nothing else: no network, no other file. */
export function renderHtml(
  report: Report,
  chunks: readonly TraceChunk[],
  { script, style }: ViewerAssets,
): string {
  const { epochNs, range, conclusion } = report;
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy(script, style)}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>Incident report: ${conclusion.headline}</title>
<style>${new Markup(style)}</style></head>
<body><header><p class="brand">aftertrace <span>incident report</span></p>
<p class="range">${formatRange(epochNs, range.fromMs, range.toMs)} UTC (${formatDuration(range.toMs - range.fromMs)}) · ${placeOf(report)}</p>
<nav aria-label="Sections"><ul>${NAVIGATION.map(([id, label]) => html`<li><a href="#${id}">${label}</a></li>`)}</ul></nav></header>
<main>${hero(report)}
${quality(report)}
${impact(report)}
${figures(report)}
${findings(report)}
${method(report)}</main>
${dataBlocks(report, chunks)}
<script>${new Markup(script)}</script></body></html>
`;
  return page.text;
}
