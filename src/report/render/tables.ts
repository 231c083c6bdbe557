import type { Comparison, Report, Stats } from '../contract.js';
import {
  formatClock,
  formatCount,
  formatDuration,
  formatOptional,
  formatPart,
  formatShare,
} from '../format.js';
import { changeOf, describeRatio, failedShare } from './change.js';
import { html, type Markup } from './markup.js';

/** Below this many requests a p99 is one or two of them. */
const P99_NEEDS = 100;

function table(head: readonly string[], rows: readonly Markup[], label: string): Markup {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}, table"><table><thead><tr>${head.map((title) => html`<th scope="col">${title}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

/** "before → during" of one figure. */
function versus(before: string | null, during: string): Markup {
  return before === null
    ? html`<td class="number">${during}</td>`
    : html`<td class="number"><span class="before">${before} →</span> ${during}</td>`;
}

function latency(comparison: Comparison, key: 'p50Ms' | 'p95Ms' | 'p99Ms'): Markup {
  const { before, during } = comparison;
  const isThin = key === 'p99Ms' && during.requests < P99_NEEDS;
  const ratio = describeRatio(before?.[key], during[key]);
  return html`<td class="number${isThin ? ' thin' : ''}"${isThin ? html` title="too few requests for a p99"` : null}><span class="before">${before === null ? '' : `${formatOptional(before[key])} → `}</span>${formatOptional(during[key])}${ratio === '' ? null : html` <span class="ratio">${ratio}</span>`}</td>`;
}

function failures(stats: Stats): string {
  return stats.failed === 0
    ? '0'
    : `${formatCount(stats.failed)} (${formatShare(failedShare(stats))})`;
}

function comparisonCells(row: Comparison): Markup {
  const { before, during } = row;
  return html`${versus(before && formatCount(before.requests), formatCount(during.requests))}${versus(before && failures(before), failures(during))}${latency(row, 'p50Ms')}${latency(row, 'p95Ms')}${latency(row, 'p99Ms')}`;
}

const COMPARED = ['requests', 'failed', 'p50', 'p95', 'p99'];

export function routeTable({ impact }: Report): Markup {
  const rows = impact.routes.map(
    (row) =>
      html`<tr class="${changeOf(row)}"><th scope="row"><code>${row.route}</code> <span class="at">at ${row.service}</span></th>${comparisonCells(row)}</tr>`,
  );
  return table(['route', ...COMPARED], rows, 'Impact by route');
}

export function serviceTable({ services }: Report): Markup {
  const rows = services.map(
    (row, at) =>
      html`<tr class="${changeOf(row)}"><th scope="row"><span class="swatch c${at % 20}"></span>${row.service} <span class="at">on ${row.hosts.join(', ')}</span></th>${comparisonCells(row)}</tr>`,
  );
  return table(['service', ...COMPARED], rows, 'Services');
}

export function factorTable({ factors }: Report): Markup {
  if (factors.length === 0)
    return html`<p class="empty">Nothing stands out against the baseline.</p>`;
  const rows = factors.map(
    (factor) =>
      html`<tr><th scope="row">${factor.service}${factor.recorded ? null : html` <span class="at">not recorded</span>`}</th><td class="number"><meter min="0" max="1" value="${factor.score.toFixed(3)}" aria-label="share explained"></meter> ${formatShare(factor.score)}</td><td class="number">${formatCount(factor.extraFailures)} <span class="ratio">${formatShare(factor.failureShare)}</span></td><td class="number">${formatDuration(factor.extraMs)} <span class="ratio">${formatShare(factor.timeShare)}</span></td>${versus(formatOptional(factor.ownBeforeMs), formatOptional(factor.ownDuringMs))}</tr>`,
  );
  return table(
    [
      'candidate',
      'explains',
      'extra failures that begin here',
      'extra time on the critical path',
      'own time per request',
    ],
    rows,
    'Candidate factors',
  );
}

export function errorTable({ errors }: Report): Markup {
  if (errors.length === 0) return html`<p class="empty">No request failed.</p>`;
  const rows = errors.map(
    (group) =>
      html`<tr><th scope="row">${group.service}</th><td><code>${group.route}</code></td><td>${group.symptom}</td><td>${group.path}</td>${versus(formatCount(group.before), formatCount(group.during))}<td class="number">${group.uncertain === 0 ? '' : formatCount(group.uncertain)}</td><td><a href="#trace=${encodeURIComponent(group.exampleTraceId)}">${group.exampleTraceId.slice(0, 8)}</a></td></tr>`,
  );
  return table(
    [
      'begins at',
      'exchange',
      'symptom',
      'how it came out',
      'baseline → incident',
      'origin uncertain',
      'example',
    ],
    rows,
    'Errors by origin',
  );
}

export function linkTable({ quality }: Report): Markup {
  const rows = quality.services.map((row) => {
    const all = row.certain + row.probable + row.unknown;
    return html`<tr><th scope="row">${row.service} <span class="at">on ${row.host}</span></th><td>${row.model}</td><td class="number">${formatCount(row.certain)}</td><td class="number">${formatCount(row.probable)}</td><td class="number">${row.unknown === 0 ? '0' : formatPart(row.unknown, all)}</td><td class="number">${formatCount(row.root)}</td></tr>`;
  });
  return table(
    [
      'service',
      'how its calls find their request',
      'certain',
      'probable',
      'unknown',
      'of no request',
    ],
    rows,
    'Links by service',
  );
}

export function lossTable({ quality, epochNs }: Report): Markup | null {
  if (quality.losses.length === 0) return null;
  const rows = quality.losses.map(
    (loss) =>
      html`<tr><th scope="row">${loss.host}</th><td>${loss.cause}</td><td>${loss.scope}</td><td class="number">${formatCount(loss.count)}</td><td>${formatClock(epochNs, loss.fromMs)} to ${formatClock(epochNs, loss.toMs)}</td></tr>`,
  );
  return table(['host', 'cause', 'what', 'records', 'when (UTC)'], rows, 'Losses');
}

/** The trace list for readers without JavaScript and for print. */
export function traceTable({ traces, epochNs }: Report): Markup {
  const rows = traces
    .slice(0, 20)
    .map(
      (trace) =>
        html`<tr><th scope="row"><code>${trace.route}</code> <span class="at">at ${trace.service}</span></th><td>${trace.reason}</td><td class="number">${trace.status || 'none'}</td><td class="number">${formatDuration(trace.durationMs)}</td><td class="number">${formatClock(epochNs, trace.startMs)}</td><td class="number">${trace.spans}</td><td><code>${trace.traceId}</code></td></tr>`,
    );
  return table(
    ['route', 'why', 'status', 'duration', 'start (UTC)', 'spans', 'trace'],
    rows,
    'Worst traces',
  );
}
