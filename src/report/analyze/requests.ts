import { isAnswered, type SpanIndex } from './span-index.js';

/** The requests that users felt: one row each, by start. Times in ms. */
export interface Requests {
  readonly rows: number;
  /** 'entry': server spans that outsiders called; 'callers': no such span was recorded, so calls without parent. */
  readonly countedAt: 'entry' | 'callers';
  /** Row of the span. */
  readonly span: Int32Array;
  /** Which trace (index into traceStarts). */
  readonly trace: Int32Array;
  readonly start: Float64Array;
  /** NaN where no answer was recorded. */
  readonly duration: Float64Array;
  readonly failed: Uint8Array;
  /** Index into SpanIndex.routes. */
  readonly route: Uint32Array;
  /** Longer than is usual for its route. */
  readonly slow: Uint8Array;
}

/** A request is slow beyond this multiple of its route's usual latency … */
const SLOW_FACTOR = 3;
/** … and this many ms more. */
const SLOW_FLOOR_MS = 5;
/** Pieces of time whose medians tell what is usual. */
const PIECES = 24;

/** True for services that answered requests: the others are drivers, whose calls come from outside. */
function answering(index: SpanIndex): Uint8Array {
  const answers = new Uint8Array(index.services.length);
  for (let row = 0; row < index.rows; row++) {
    if (index.isServer[row] === 1) answers[index.service[row]!] = 1;
  }
  return answers;
}

function entryRows(index: SpanIndex): { rows: number[]; countedAt: Requests['countedAt'] } {
  const answers = answering(index);
  const entries: number[] = [];
  const callers: number[] = [];
  for (let row = 0; row < index.rows; row++) {
    const parent = index.parent[row]!;
    if (index.isServer[row] === 0) {
      if (parent === -1) callers.push(row);
    } else if (parent === -1) {
      entries.push(row);
    } else if (index.parent[parent] === -1 && answers[index.service[parent]!] === 0) {
      entries.push(row);
    }
  }
  return entries.length > 0
    ? { rows: entries, countedAt: 'entry' }
    : { rows: callers, countedAt: 'callers' };
}

function median(values: number[]): number {
  values.sort((a, b) => a - b);
  return values[values.length >> 1]!;
}

/**
 * Usual latency per route: the lower quartile over time of its median, so that an incident
 * of up to three quarters of the recording does not become the usual.
 */
function usualLatency(
  requests: Pick<Requests, 'rows' | 'start' | 'duration' | 'route'>,
  range: number,
): Map<number, number> {
  const pieces = new Map<number, number[][]>();
  for (let i = 0; i < requests.rows; i++) {
    const duration = requests.duration[i]!;
    if (Number.isNaN(duration)) continue;
    const known = pieces.get(requests.route[i]!);
    const parts = known ?? Array.from({ length: PIECES }, (): number[] => []);
    if (known === undefined) pieces.set(requests.route[i]!, parts);
    const piece = Math.floor((requests.start[i]! / Math.max(range, 1)) * PIECES);
    parts[Math.min(PIECES - 1, Math.max(0, piece))]!.push(duration);
  }
  const usual = new Map<number, number>();
  for (const [route, parts] of pieces) {
    const medians = parts.filter((part) => part.length > 0).map(median);
    medians.sort((a, b) => a - b);
    usual.set(route, medians[medians.length >> 2]!);
  }
  return usual;
}

/** Index of the trace that holds a row. */
function traceOf(starts: Uint32Array, row: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (starts[middle]! <= row) low = middle;
    else high = middle;
  }
  return low;
}

/** Finds the requests that came from outside, and which of them were slow. */
export function findRequests(index: SpanIndex): Requests {
  const { rows: found, countedAt } = entryRows(index);
  found.sort((a, b) => index.start[a]! - index.start[b]! || a - b);
  const span = Int32Array.from(found);
  const rows = span.length;
  const start = Float64Array.from(span, (row) => index.start[row]!);
  const duration = Float64Array.from(span, (row) =>
    isAnswered(index.table, row) ? index.end[row]! - index.start[row]! : Number.NaN,
  );
  const route = Uint32Array.from(span, (row) => index.route[row]!);
  const usual = usualLatency({ rows, start, duration, route }, index.endOfRecording);
  const slow = Uint8Array.from(span, (_, i) => {
    const limit = Math.max(
      (usual.get(route[i]!) ?? 0) * SLOW_FACTOR,
      (usual.get(route[i]!) ?? 0) + SLOW_FLOOR_MS,
    );
    return duration[i]! > limit ? 1 : 0;
  });
  return {
    rows,
    countedAt,
    span,
    trace: Int32Array.from(span, (row) => traceOf(index.traceStarts, row)),
    start,
    duration,
    failed: Uint8Array.from(span, (row) => index.failed[row]!),
    route,
    slow,
  };
}
