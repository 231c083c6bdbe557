import type { Comparison, Stats } from '../contract.js';
import { formatDuration, formatShare } from '../format.js';

/** Rises that are worth a colour: failed share by this much, p95 by this factor. */
const WORSE_FAILURES = 0.01;
const WORSE_P95 = 2;

/** How the incident differs from the baseline: a word, so that colour is never the only sign. */
export type Change = 'same' | 'worse' | 'new' | 'gone' | 'none';

export function failedShare(stats: Stats): number {
  return stats.requests === 0 ? 0 : stats.failed / stats.requests;
}

export function changeOf({ before, during }: Comparison): Change {
  if (during.requests === 0) return before !== null && before.requests > 0 ? 'gone' : 'none';
  if (before === null) return failedShare(during) > WORSE_FAILURES ? 'worse' : 'same';
  if (before.requests === 0) return 'new';
  const slower =
    before.p95Ms !== null && during.p95Ms !== null && during.p95Ms > before.p95Ms * WORSE_P95;
  return slower || failedShare(during) - failedShare(before) > WORSE_FAILURES ? 'worse' : 'same';
}

/** "27.3/s · 33.3 % failed · p95 390 ms". */
export function describeStats(stats: Stats): string {
  const parts = [`${stats.perSecond.toPrecision(3)}/s`];
  if (stats.failed > 0) parts.push(`${formatShare(failedShare(stats))} failed`);
  if (stats.p95Ms !== null) parts.push(`p95 ${formatDuration(stats.p95Ms)}`);
  return parts.join(' · ');
}

/** "× 17", "+ 12 %" or "±0": how a latency or rate changed. */
export function describeRatio(before: number | null | undefined, during: number | null): string {
  if (!before || during === null) return '';
  const ratio = during / before;
  if (ratio >= 2) return `× ${ratio.toPrecision(2)}`;
  const percent = Math.round((ratio - 1) * 100);
  return percent === 0 ? '± 0 %' : `${percent > 0 ? '+' : '−'} ${Math.abs(percent)} %`;
}
