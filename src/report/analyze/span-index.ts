import { LossFlag } from '../../model/exchange.js';
import { routeTemplate } from '../../model/route.js';
import { type SpanTable, Verdict } from '../../model/span.js';

/** A request without a response this close to the end of the recording is unfinished, not failed. */
const UNFINISHED_MS = 1000;

/** The spans as numbers, by row of spans.parquet: what every analysis works on. */
export interface SpanIndex {
  readonly table: SpanTable;
  readonly rows: number;
  /** UTC epoch ns of time 0. */
  readonly epochNs: bigint;
  /** End of the recording, ms. */
  readonly endOfRecording: number;
  /** ms after time 0. */
  readonly start: Float64Array;
  readonly end: Float64Array;
  /** Own time on the trace's critical path, ms. */
  readonly critical: Float64Array;
  /** Row of the parent, -1 none. */
  readonly parent: Int32Array;
  /** Row of the server span at the other end of a client span's hop, -1 none. */
  readonly callee: Int32Array;
  readonly isServer: Uint8Array;
  /** Server error, reset, or no response although there was time for one. */
  readonly failed: Uint8Array;
  /** No response, but the recording ended soon after. */
  readonly unfinished: Uint8Array;
  readonly isUnknown: Uint8Array;
  /** Index into services. */
  readonly service: Uint32Array;
  /** By number of spans, then by name: the order that gives them their colours. */
  readonly services: readonly string[];
  /** Index into routes. */
  readonly route: Uint32Array;
  /** Method and path template. */
  readonly routes: readonly string[];
  /** First row of every trace, and the number of rows at the end: traces are contiguous. */
  readonly traceStarts: Uint32Array;
}

/** Distinct texts as numbers. */
class Dictionary {
  readonly values: string[] = [];
  readonly #known = new Map<string, number>();

  add(text: string): number {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    this.#known.set(text, this.values.length);
    return this.values.push(text) - 1;
  }
}

function servicesByUse(table: SpanTable): string[] {
  const uses = new Map<string, number>();
  for (const service of table.service) uses.set(service, (uses.get(service) ?? 0) + 1);
  return [...uses].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).map(([name]) => name);
}

function parentRows(table: SpanTable): Int32Array {
  const rowOf = new Map(table.span_id.map((id, row) => [id, row]));
  return Int32Array.from(table.parent_span_id, (id) => rowOf.get(id) ?? -1);
}

function calleeRows(parent: Int32Array, isServer: Uint8Array): Int32Array {
  const callee = new Int32Array(parent.length).fill(-1);
  for (let row = 0; row < parent.length; row++) {
    if (isServer[row] === 1 && parent[row] !== -1) callee[parent[row]!] = row;
  }
  return callee;
}

function traceStarts(table: SpanTable): Uint32Array {
  const starts: number[] = [];
  for (let row = 0; row < table.rows; row++) {
    if (row === 0 || table.trace_id[row] !== table.trace_id[row - 1]) starts.push(row);
  }
  return Uint32Array.from([...starts, table.rows]);
}

/** Whether each span failed, or just was not finished when the recording ended. */
function outcomes(table: SpanTable, end: Float64Array, endOfRecording: number) {
  const failed = new Uint8Array(table.rows);
  const unfinished = new Uint8Array(table.rows);
  for (let row = 0; row < table.rows; row++) {
    const flags = table.loss_flags[row]!;
    const isSilent = (flags & LossFlag.responseUnseen) !== 0;
    const isLeftOut = (flags & LossFlag.unsampled) !== 0;
    const isLate = isLeftOut || endOfRecording - end[row]! < UNFINISHED_MS;
    const isReset = (flags & LossFlag.reset) !== 0;
    if (isSilent && isLate && !isReset) unfinished[row] = 1;
    else if (table.status[row]! >= 500 || isReset || isSilent) failed[row] = 1;
  }
  return { failed, unfinished };
}

/**
 * @param table spans.parquet
 * @param epochNs time 0
 * @param endNs end of the recording
 */
export function indexSpans(table: SpanTable, epochNs: bigint, endNs: bigint): SpanIndex {
  const { rows } = table;
  const toMs = (ns: bigint) => Number(ns - epochNs) / 1e6;
  const start = Float64Array.from(table.start_ns, toMs);
  const end = Float64Array.from(table.end_ns, toMs);
  const endOfRecording = toMs(endNs);
  const isServer = Uint8Array.from(table.role, (role) => (role === 'server' ? 1 : 0));
  const parent = parentRows(table);
  const services = servicesByUse(table);
  const numberOf = new Map(services.map((name, at) => [name, at]));
  const routes = new Dictionary();
  const route = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) {
    route[row] = routes.add(`${table.method[row]} ${routeTemplate(table.target[row]!)}`);
  }
  return {
    table,
    rows,
    epochNs,
    endOfRecording,
    start,
    end,
    critical: Float64Array.from(table.critical_ns, (ns) => Number(ns) / 1e6),
    parent,
    callee: calleeRows(parent, isServer),
    isServer,
    ...outcomes(table, end, endOfRecording),
    isUnknown: Uint8Array.from(table.parent_verdict, (v) => (v === Verdict.unknown ? 1 : 0)),
    service: Uint32Array.from(table.service, (name) => numberOf.get(name)!),
    services,
    route,
    routes: routes.values,
    traceStarts: traceStarts(table),
  };
}
