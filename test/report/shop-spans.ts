import type { Reconstruction } from '../../src/model/reconstruction.js';
import {
  LINK_COLUMNS,
  SPAN_COLUMNS,
  type SpanTable,
  TRACE_COLUMNS,
  Verdict,
} from '../../src/model/span.js';
import { emptyTable } from '../../src/model/tables.js';
import type { StoredReconstruction } from '../../src/store/span-store.js';

/** 2026-11-23 12:00:00 UTC. */
export const EPOCH_NS = 1_795_435_200_000_000_000n;

/** One exchange as the tests write it: both ends of a hop, or only the caller's. */
export interface Step {
  readonly from: string;
  readonly to: string;
  /** ms after the start of its request. */
  readonly at: number;
  readonly ms: number;
  readonly status?: number;
  readonly target?: string;
  /** The callee was not recorded. */
  readonly unrecorded?: boolean;
  /** The call's parent could not be decided. */
  readonly unlinked?: boolean;
  /** Time between the caller's send and the callee's read, ms. */
  readonly queued?: number;
  readonly lossFlags?: number;
  readonly steps?: readonly Step[];
}

interface Row {
  span_id: string;
  parent_span_id: string;
  trace_id: string;
  service: string;
  role: 'client' | 'server';
  target: string;
  status: number;
  peer: string;
  start: number;
  end: number;
  critical: number;
  verdict: Verdict;
  loss_flags: number;
}

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');

/** Builds spans as `reconstruct` would have written them. */
export class SpanBuilder {
  readonly rows: Row[] = [];
  #traces = 0;

  /** Adds the trace of one request that the driver sends at `start` (ms). */
  request(start: number, step: Step): void {
    this.#step(start, step, '', hex(++this.#traces, 32));
  }

  #step(start: number, step: Step, parent: string, traceId: string): void {
    const trace = step.unlinked ? hex(++this.#traces, 32) : traceId;
    const begin = start + step.at;
    const queued = step.queued ?? 0;
    const status = step.status ?? 200;
    const steps = step.steps ?? [];
    // Steps do not overlap in these tests: own time is what they leave over.
    const linked = steps.filter((child) => !child.unlinked);
    const own = step.ms - queued - linked.reduce((sum, child) => sum + child.ms, 0);
    const shared = {
      trace_id: trace,
      target: step.target ?? `/${step.to}`,
      status,
      loss_flags: step.lossFlags ?? 0,
    };
    const client = this.#add({
      ...shared,
      parent_span_id: step.unlinked ? '' : parent,
      service: step.from,
      role: 'client',
      peer: `${step.to}:80`,
      start: begin,
      end: begin + step.ms,
      critical: step.unrecorded ? step.ms : queued,
      verdict: step.unlinked ? Verdict.unknown : parent === '' ? Verdict.root : Verdict.certain,
    });
    if (step.unrecorded) return;
    const server = this.#add({
      ...shared,
      parent_span_id: client,
      service: step.to,
      role: 'server',
      peer: `${step.from}:40000`,
      start: begin + queued,
      end: begin + step.ms,
      critical: own,
      verdict: Verdict.certain,
    });
    for (const child of steps) this.#step(begin + queued, child, server, trace);
  }

  #add(row: Omit<Row, 'span_id'>): string {
    const span_id = hex(this.rows.length + 1, 16);
    this.rows.push({ span_id, ...row });
    return span_id;
  }

  spans(): SpanTable {
    const first = new Map<string, number>();
    for (const { trace_id, start } of this.rows) {
      first.set(trace_id, Math.min(start, first.get(trace_id) ?? start));
    }
    const rows = [...this.rows].sort(
      (a, b) =>
        first.get(a.trace_id)! - first.get(b.trace_id)! ||
        (a.trace_id < b.trace_id ? -1 : a.trace_id > b.trace_id ? 1 : 0) ||
        a.start - b.start ||
        (a.span_id < b.span_id ? -1 : 1),
    );
    const pick = <T>(value: (row: Row) => T): T[] => rows.map(value);
    const ns = (ms: number) => EPOCH_NS + BigInt(Math.round(ms * 1e6));
    return {
      ...emptyTable(SPAN_COLUMNS, rows.length),
      trace_id: pick((row) => row.trace_id),
      span_id: pick((row) => row.span_id),
      parent_span_id: pick((row) => row.parent_span_id),
      service: pick((row) => row.service),
      host: pick(() => 'vm'),
      role: pick((row) => row.role),
      method: pick(() => 'GET'),
      target: pick((row) => row.target),
      status: Uint16Array.from(rows, (row) => row.status),
      peer: pick((row) => row.peer),
      local: pick(() => '127.0.0.1:1'),
      start_ns: BigInt64Array.from(rows, (row) => ns(row.start)),
      first_byte_ns: BigInt64Array.from(rows, (row) => ns(row.end)),
      end_ns: BigInt64Array.from(rows, (row) => ns(row.end)),
      parent_verdict: pick((row) => row.verdict),
      parent_method: pick(() => 'hop'),
      critical_ns: BigUint64Array.from(rows, (row) => BigInt(Math.round(row.critical * 1e6))),
      loss_flags: Uint32Array.from(rows, (row) => row.loss_flags),
    };
  }
}

function summaryOf(spans: SpanTable, lengthMs: number): Reconstruction {
  const links = { certain: 0, probable: 0, unknown: 0, root: 0 };
  const services = new Map<string, typeof links>();
  for (let row = 0; row < spans.rows; row++) {
    const own = services.get(spans.service[row]!) ?? { ...links };
    services.set(spans.service[row]!, own);
    if (spans.role[row] === 'client') own[spans.parent_verdict[row] as Verdict]++;
  }
  return {
    version: 1,
    tool: 'aftertrace test',
    fromNs: String(EPOCH_NS),
    toNs: String(EPOCH_NS + BigInt(lengthMs) * 1_000_000n),
    segments: [],
    unreadable: [],
    losses: [],
    counts: {
      events: 1000,
      connections: 10,
      opaqueConnections: 0,
      clientExchanges: 0,
      serverExchanges: 0,
      hops: 0,
      unmatched: 0,
      traces: 0,
    },
    links,
    services: [...services].map(([service, counts]) => ({
      service,
      host: 'vm',
      pids: [1],
      model: 'test',
      links: counts,
    })),
    skews: [],
  };
}

/** A whole reconstruction of the built spans, `lengthMs` long. */
export function stored(
  builder: SpanBuilder,
  lengthMs: number,
  summary: Partial<Reconstruction> = {},
): StoredReconstruction {
  const spans = builder.spans();
  const ids = [...new Set(spans.trace_id)];
  return {
    spans,
    traces: {
      ...emptyTable(TRACE_COLUMNS, ids.length),
      trace_id: ids,
      min_confidence: new Float64Array(ids.length).fill(1),
    },
    links: emptyTable(LINK_COLUMNS, 0),
    reconstruction: { ...summaryOf(spans, lengthMs), ...summary },
  };
}

export const OPTIONS = { input: 'out', maxTraces: 50, maxSpans: 10_000 } as const;

/** What each part of the shop takes at one moment. */
export interface Weather {
  readonly paymentMs?: number;
  readonly paymentStatus?: number;
  readonly paymentQueuedMs?: number;
  readonly catalogMs?: number;
  readonly catalogStatus?: number;
}

/** A checkout: driver → gateway → shop → catalog, then payment. */
export function checkout(weather: Weather = {}): Step {
  const { paymentMs = 5, paymentStatus = 200, paymentQueuedMs = 0 } = weather;
  const { catalogMs = 2, catalogStatus = 200 } = weather;
  const worst = Math.max(paymentStatus, catalogStatus);
  const status = worst >= 500 ? 502 : 200;
  const inner = catalogMs + paymentMs + paymentQueuedMs;
  return {
    from: 'driver',
    to: 'gateway',
    at: 0,
    ms: inner + 2,
    status,
    target: '/checkout',
    steps: [
      {
        from: 'gateway',
        to: 'shop',
        at: 0.5,
        ms: inner + 1,
        status,
        target: '/checkout',
        steps: [
          { from: 'shop', to: 'catalog', at: 0.2, ms: catalogMs, status: catalogStatus },
          {
            from: 'shop',
            to: 'payment',
            at: 0.4 + catalogMs,
            ms: paymentMs + paymentQueuedMs,
            queued: paymentQueuedMs,
            status: paymentStatus,
          },
        ],
      },
    ],
  };
}

/** Thirty seconds of checkouts, one every 20 ms, under the weather of each moment. */
export function shopDay(weatherAt: (ms: number, i: number) => Weather): SpanBuilder {
  const builder = new SpanBuilder();
  for (let i = 0; i < 1500; i++) builder.request(i * 20, checkout(weatherAt(i * 20, i)));
  return builder;
}
