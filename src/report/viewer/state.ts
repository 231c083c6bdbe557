import { computed, signal } from '@preact/signals';
import type { TraceEntry, TraceReason } from '../contract.js';
import { readIndex } from './data.js';

export const index = readIndex();

/** A part of the heat map, in its cells; rows count from the fastest. */
export interface Region {
  readonly fromColumn: number;
  readonly toColumn: number;
  readonly fromRow: number;
  readonly toRow: number;
  /** The row of failures is part of it. */
  readonly failed: boolean;
}

export const text = signal('');
export const reason = signal<TraceReason | 'all'>('all');
export const region = signal<Region | null>(null);
export const order = signal<'worst' | 'duration' | 'start' | 'confidence'>('worst');
export const openTrace = signal<TraceEntry | null>(null);
/** Row in the open trace's chunk; null while the drawer is shut. */
export const openSpan = signal<number | null>(null);

function isInRegion(trace: TraceEntry, area: Region): boolean {
  const { fromMs, binMs, boundsMs } = index.heatMap;
  const column = Math.floor((trace.startMs - fromMs) / binMs);
  if (column < area.fromColumn || column > area.toColumn) return false;
  if (area.failed && trace.reason === 'failed') return true;
  const found = boundsMs.findIndex((bound) => trace.durationMs < bound);
  const row = found === -1 ? boundsMs.length - 1 : found;
  return row >= area.fromRow && row <= area.toRow;
}

function matches(trace: TraceEntry): boolean {
  const wanted = text.value.trim().toLowerCase();
  const area = region.value;
  if (reason.value !== 'all' && trace.reason !== reason.value) return false;
  if (area !== null && !isInRegion(trace, area)) return false;
  const searched = `${trace.service} ${trace.target} ${trace.route} ${trace.status} ${trace.traceId}`;
  return searched.toLowerCase().includes(wanted);
}

const COMPARE: Readonly<Record<string, (a: TraceEntry, b: TraceEntry) => number>> = {
  duration: (a, b) => b.durationMs - a.durationMs,
  start: (a, b) => a.startMs - b.startMs,
  confidence: (a, b) => a.minConfidence - b.minConfidence,
};

/** The traces that pass every filter, in the chosen order. */
export const shownTraces = computed(() => {
  const shown = index.traces.filter(matches);
  const compare = COMPARE[order.value];
  return compare === undefined ? shown : shown.sort(compare);
});

/** Class that gives a service its colour, the same everywhere in the report. */
export function colourOf(service: string): string {
  return `c${Math.max(0, index.services.indexOf(service)) % 20}`;
}
