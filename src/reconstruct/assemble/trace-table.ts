import { Role } from '../../model/exchange.js';
import { TRACE_COLUMNS, type TraceTable, Verdict } from '../../model/span.js';
import { emptyTable } from '../../model/tables.js';
import { type Assembly, isError, lossFlags } from './spans.js';

interface TraceFacts {
  readonly rows: number[];
  unknownLinks: number;
}

/** Calls without a known parent count on their own trace and on the one they most probably belong to. */
function countUnknown(assembly: Assembly, traces: ReadonlyMap<string, TraceFacts>): void {
  const { parents, forest } = assembly;
  for (const [row, verdict] of parents.verdict.entries()) {
    if (verdict !== Verdict.unknown) continue;
    const own = forest.traceId[row]!;
    traces.get(own)!.unknownLinks++;
    const best = parents.best[row]!;
    const other = best === -1 ? own : forest.traceId[best]!;
    if (other !== own) traces.get(other)!.unknownLinks++;
  }
}

function groupByTrace(assembly: Assembly, order: Uint32Array): Map<string, TraceFacts> {
  const traces = new Map<string, TraceFacts>();
  for (const row of order) {
    const id = assembly.forest.traceId[row]!;
    const known = traces.get(id);
    if (known === undefined) traces.set(id, { rows: [row], unknownLinks: 0 });
    else known.rows.push(row);
  }
  countUnknown(assembly, traces);
  return traces;
}

/**
 * traces.parquet: one row per trace, in the order of the spans.
 *
 * @param order rows in output order, so that the first row of a trace is its earliest span
 */
export function buildTraces(assembly: Assembly, order: Uint32Array): TraceTable {
  const { exchanges: x, parents, processes, forest, spanIds, baseNs } = assembly;
  const traces = [...groupByTrace(assembly, order)];
  const roots = traces.map(([, facts]) => forest.root[facts.rows[0]!]!);
  const rootOf = (i: number) => roots[i]!;
  const serviceOf = (rows: readonly number[]) => {
    const outermost = rows.find((row) => x.role[row] === Role.server) ?? rows[0]!;
    return processes[x.process[outermost]!]!.service;
  };
  const sum = (rows: readonly number[], value: (row: number) => number) =>
    rows.reduce((total, row) => total + value(row), 0);
  const leastConfidence = (rows: readonly number[]) =>
    rows.reduce((least, row) => {
      const linked = parents.parent[row] !== -1;
      return linked ? Math.min(least, parents.confidence[row]!) : least;
    }, 1);
  const epoch = (moment: number) => baseNs + BigInt(Math.round(moment));
  const perTrace = <T>(value: (rows: readonly number[], i: number) => T): T[] =>
    traces.map(([, facts], i) => value(facts.rows, i));
  return {
    ...emptyTable(TRACE_COLUMNS, 0),
    rows: traces.length,
    trace_id: traces.map(([id]) => id),
    root_span_id: perTrace((_, i) => spanIds[rootOf(i)]!),
    service: perTrace((rows) => serviceOf(rows)),
    method: perTrace((_, i) => x.method[rootOf(i)]!),
    target: perTrace((_, i) => x.target[rootOf(i)]!),
    status: Uint16Array.from(perTrace((_, i) => x.status[rootOf(i)]!)),
    start_ns: BigInt64Array.from(perTrace((_, i) => epoch(assembly.start[rootOf(i)]!))),
    end_ns: BigInt64Array.from(perTrace((_, i) => epoch(assembly.end[rootOf(i)]!))),
    spans: Uint32Array.from(perTrace((rows) => rows.length)),
    services: Uint16Array.from(
      perTrace((rows) => new Set(rows.map((row) => processes[x.process[row]!]!.service)).size),
    ),
    errors: Uint32Array.from(perTrace((rows) => sum(rows, (row) => (isError(x, row) ? 1 : 0)))),
    unknown_links: Uint32Array.from(traces.map(([, facts]) => facts.unknownLinks)),
    min_confidence: Float64Array.from(perTrace(leastConfidence)),
    loss_flags: Uint32Array.from(
      perTrace((rows) => rows.reduce((flags, row) => flags | lossFlags(x, parents, row), 0)),
    ),
  };
}
