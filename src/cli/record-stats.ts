import { effectOf, type LossEffect } from '../model/event.js';
import type { RecordStats } from '../recorder/record.js';
import { formatBytes, formatCount } from './quantities.js';

/** Causes of one effect with their counts, '' if none. */
export function listLosses(stats: RecordStats, effects: readonly LossEffect[]): string {
  return Object.entries(stats.dropped)
    .filter(([cause, count]) => count > 0 && effects.includes(effectOf(cause)))
    .map(([cause, count]) => `${cause} ${formatCount(count)}`)
    .join(', ');
}

/** The statistics of a recording as one line. */
export function statsLine(stats: RecordStats): string {
  const seconds = stats.elapsedMs / 1000;
  const rate = Math.round(stats.events / Math.max(1, seconds));
  const lost = listLosses(stats, ['missing', 'poorer']);
  const chosen = listLosses(stats, ['chosen']);
  const clocks = listLosses(stats, ['time']);
  return [
    `${Math.round(seconds)} s`,
    `${formatCount(stats.events)} events (${formatCount(rate)}/s)`,
    `stored ${formatCount(stats.storedRows)} rows, ${formatBytes(stats.storedBytes)} before compression`,
    `open connections ${formatCount(stats.openConnections)}`,
    ...(stats.capture === 'syscall' ? ['captured by system calls'] : []),
    ...(stats.level === 0 ? [] : [`budget at ${stats.budget}`]),
    ...(chosen === '' ? [] : [`left out ${chosen}`]),
    ...(stats.waiting === 0 ? [] : [`${formatCount(stats.waiting)} events wait for the disk`]),
    ...(clocks === '' ? [] : [clocks]),
    lost === '' ? 'lost nothing' : `LOST ${lost}`,
  ].join(' · ');
}
