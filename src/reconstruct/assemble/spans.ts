import { type ExchangeTable, LossFlag, Role } from '../../model/exchange.js';
import { spanId } from '../../model/ids.js';
import type { HostRecord, ProcessRecord } from '../../model/process.js';
import { SPAN_COLUMNS, type SpanTable } from '../../model/span.js';
import { emptyTable } from '../../model/tables.js';
import type { Parents } from './parents.js';
import type { Sources } from './sources.js';
import type { Forest } from './traces.js';

/** Everything the output tables are made from. */
export interface Assembly {
  readonly exchanges: ExchangeTable;
  readonly hosts: readonly HostRecord[];
  readonly processes: readonly ProcessRecord[];
  readonly baseNs: bigint;
  readonly parents: Parents;
  readonly forest: Forest;
  readonly spanIds: readonly string[];
  readonly start: Float64Array;
  readonly end: Float64Array;
  /** Per row: own time on the critical path, ns. */
  readonly critical: Float64Array;
  readonly sources: Sources;
}

/** Span ids of all exchanges, by row. */
export function spanIdsOf(exchanges: ExchangeTable, hosts: readonly HostRecord[]): string[] {
  const ids: string[] = new Array(exchanges.rows);
  for (let row = 0; row < exchanges.rows; row++) {
    const { bootId } = hosts[exchanges.host[row]!]!;
    const connection = exchanges.connection[row]!;
    const sequence = exchanges.request_sequence[row]! || exchanges.response_sequence[row]!;
    ids[row] = spanId(bootId, connection, exchanges.role[row]!, sequence, exchanges.order[row]!);
  }
  return ids;
}

/** First and last recorded moment of every exchange, ns after the base time. */
export function spanTimes(x: ExchangeTable): { start: Float64Array; end: Float64Array } {
  const start = new Float64Array(x.rows);
  const end = new Float64Array(x.rows);
  for (let row = 0; row < x.rows; row++) {
    const moments = [x.request_start, x.request_end, x.response_start, x.response_end]
      .map((column) => column[row]!)
      .filter((moment) => !Number.isNaN(moment));
    start[row] = moments[0] ?? 0;
    end[row] = moments.reduce((a, b) => Math.max(a, b), start[row]!);
  }
  return { start, end };
}

/** Rows in output order: by start of their trace, trace, start, span id. */
export function outputOrder({ forest, start, spanIds }: Assembly): Uint32Array {
  const traceStart = new Map<string, number>();
  for (const [row, id] of forest.traceId.entries()) {
    const known = traceStart.get(id);
    if (known === undefined || start[row]! < known) traceStart.set(id, start[row]!);
  }
  const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  return Uint32Array.from(spanIds.keys()).sort(
    (a, b) =>
      traceStart.get(forest.traceId[a]!)! - traceStart.get(forest.traceId[b]!)! ||
      compare(forest.traceId[a]!, forest.traceId[b]!) ||
      start[a]! - start[b]! ||
      compare(spanIds[a]!, spanIds[b]!),
  );
}

/** Epoch ns of a moment after the base time; 0 (NULL) where it is not known. */
function epochNs(baseNs: bigint, moment: number): bigint {
  return Number.isNaN(moment) ? 0n : baseNs + BigInt(Math.round(moment));
}

/** An IP address and port, IPv6 in brackets. */
function endpoint(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** spans.parquet from the assembled exchanges, in output order. */
export function buildSpans(assembly: Assembly, order: Uint32Array): SpanTable {
  const { exchanges: x, parents, forest, processes, hosts, baseNs } = assembly;
  const pick = <T>(value: (row: number) => T): T[] => Array.from(order, value);
  const numbers = (value: (row: number) => number) => Float64Array.from(order, value);
  const times = (value: (row: number) => number) =>
    BigInt64Array.from(order, (row) => epochNs(baseNs, value(row)));
  return {
    ...emptyTable(SPAN_COLUMNS, 0),
    rows: order.length,
    trace_id: pick((row) => forest.traceId[row]!),
    span_id: pick((row) => assembly.spanIds[row]!),
    parent_span_id: pick((row) => assembly.spanIds[parents.parent[row]!] ?? ''),
    service: pick((row) => processes[x.process[row]!]!.service),
    host: pick((row) => hosts[x.host[row]!]!.host),
    pid: order.map((row) => processes[x.process[row]!]!.pid),
    tid: order.map((row) => x.request_start_tid[row]! || x.response_start_tid[row]!),
    role: pick((row) => (x.role[row] === Role.client ? 'client' : 'server')),
    method: pick((row) => x.method[row]!),
    target: pick((row) => x.target[row]!),
    authority: pick((row) => x.authority[row]!),
    status: Uint16Array.from(order, (row) => x.status[row]!),
    peer: pick((row) => endpoint(x.remote_address[row]!, x.remote_port[row]!)),
    local: pick((row) => endpoint(x.local_address[row]!, x.local_port[row]!)),
    connection: BigUint64Array.from(order, (row) => x.connection[row]!),
    start_ns: times((row) => assembly.start[row]!),
    first_byte_ns: times((row) => x.response_start[row]!),
    end_ns: times((row) => assembly.end[row]!),
    request_bytes: BigUint64Array.from(order, (row) => BigInt(x.request_bytes[row]! || 0)),
    response_bytes: BigUint64Array.from(order, (row) => BigInt(x.response_bytes[row]! || 0)),
    parent_verdict: pick((row) => parents.verdict[row]!),
    parent_confidence: numbers((row) => parents.confidence[row]!),
    parent_method: pick((row) => parents.method[row]!),
    candidates: Uint16Array.from(order, (row) => parents.candidates[row]!),
    critical_ns: BigUint64Array.from(order, (row) => BigInt(Math.round(assembly.critical[row]!))),
    loss_flags: order.map((row) => lossFlags(x, parents, row)),
    source_trace_id: pick((row) => assembly.sources.get(assembly.spanIds[row]!)?.traceId ?? ''),
    source_span_id: pick((row) => assembly.sources.get(assembly.spanIds[row]!)?.spanId ?? ''),
  };
}

/** The exchange's own flags, and whether its other end is missing. */
export function lossFlags(x: ExchangeTable, parents: Parents, row: number): number {
  return x.loss_flags[row]! | (parents.peer[row] === -1 ? LossFlag.peerUnseen : 0);
}

/** True for an exchange that failed: a server error, a reset, or no response where one would have been recorded. */
export function isError(x: ExchangeTable, row: number): boolean {
  const flags = x.loss_flags[row]!;
  const isSilent = (flags & LossFlag.responseUnseen) !== 0 && (flags & LossFlag.unsampled) === 0;
  return x.status[row]! >= 500 || (flags & LossFlag.reset) !== 0 || isSilent;
}
