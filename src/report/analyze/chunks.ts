import { criticalSegments } from '../../model/critical-path.js';
import { parseEvidence } from '../../model/evidence.js';
import type { LinkTable } from '../../model/span.js';
import type { Candidate, TraceChunk, TraceEntry } from '../contract.js';
import { describeLoss } from './loss-text.js';
import type { Requests } from './requests.js';
import type { Selected } from './selection.js';
import { type SpanIndex, verbOf } from './span-index.js';

/** Spans per chunk, about: one chunk is inflated at a time. */
const CHUNK_SPANS = 2000;
/** Possible parents shown per span at most. */
const MAX_CANDIDATES = 8;

/** Rows of links.parquet per span, and spans by id: what the candidates are described from. */
interface LinkIndex {
  readonly links: LinkTable;
  readonly firstRow: ReadonlyMap<string, number>;
  readonly spanRow: ReadonlyMap<string, number>;
}

function indexLinks(links: LinkTable, index: SpanIndex): LinkIndex {
  const firstRow = new Map<string, number>();
  for (let row = links.rows - 1; row >= 0; row--) firstRow.set(links.span_id[row]!, row);
  return {
    links,
    firstRow,
    spanRow: new Map(index.table.span_id.map((id, row) => [id, row])),
  };
}

function candidatesOf(index: SpanIndex, linkIndex: LinkIndex, row: number): Candidate[] {
  const { links, firstRow, spanRow } = linkIndex;
  const id = index.table.span_id[row]!;
  const candidates: Candidate[] = [];
  let at = firstRow.get(id) ?? links.rows;
  for (; links.span_id[at] === id && candidates.length < MAX_CANDIDATES; at++) {
    const spanId = links.candidate_span_id[at]!;
    const parent = spanRow.get(spanId);
    candidates.push({
      spanId,
      what:
        parent === undefined
          ? 'a span that is not in this reconstruction'
          : `${`${verbOf(index.table, parent)} ${index.table.target[parent]}`.trimEnd()} at ${index.table.service[parent]}`,
      startMs: parent === undefined ? null : index.start[parent]!,
      confidence: links.confidence[at]!,
      chosen: links.chosen[at] === 1,
      evidence: parseEvidence(links.evidence[at]!),
    });
  }
  return candidates;
}

/** Per row of the chunk: when it was on its trace's critical path, pairs of from and to. */
function criticalPairs(index: SpanIndex, rows: readonly number[]): number[][] {
  const local = new Map(rows.map((row, at) => [row, at]));
  const parent = Int32Array.from(rows, (row) => local.get(index.parent[row]!) ?? -1);
  const start = Float64Array.from(rows, (row) => index.start[row]!);
  const end = Float64Array.from(rows, (row) => index.end[row]!);
  const pairs = rows.map((): number[] => []);
  const all = Uint32Array.from(rows.keys());
  for (const [at, above] of parent.entries()) {
    if (above !== -1) continue;
    for (const { row, from, to } of criticalSegments(parent, start, end, all, at)) {
      pairs[row]!.push(from, to);
    }
  }
  return pairs;
}

function buildChunk(index: SpanIndex, linkIndex: LinkIndex, rows: readonly number[]): TraceChunk {
  const { table } = index;
  const local = new Map(rows.map((row, at) => [row, at]));
  const pick = <T>(value: (row: number) => T): T[] => rows.map(value);
  const orNull = (value: number) => (Number.isNaN(value) ? null : value);
  return {
    rows: rows.length,
    spanId: pick((row) => table.span_id[row]!),
    parent: pick((row) => local.get(index.parent[row]!) ?? -1),
    verdict: pick((row) => table.parent_verdict[row]!),
    confidence: pick((row) => orNull(table.parent_confidence[row]!)),
    method: pick((row) => table.parent_method[row]!),
    candidates: pick((row) => table.candidates[row]!),
    service: pick((row) => table.service[row]!),
    host: pick((row) => table.host[row]!),
    pid: pick((row) => table.pid[row]!),
    tid: pick((row) => table.tid[row]!),
    isServer: pick((row) => index.isServer[row] === 1),
    verb: pick((row) => verbOf(table, row)),
    target: pick((row) => table.target[row]!),
    status: pick((row) => table.status[row]!),
    failed: pick((row) => index.failed[row] === 1),
    local: pick((row) => table.local[row]!),
    peer: pick((row) => table.peer[row]!),
    connection: pick((row) => String(table.connection[row])),
    startNs: pick((row) => String(table.start_ns[row])),
    startMs: pick((row) => index.start[row]!),
    endMs: pick((row) => index.end[row]!),
    firstByteMs: pick((row) => {
      const ns = table.first_byte_ns[row]!;
      return ns === 0n ? null : Number(ns - index.epochNs) / 1e6;
    }),
    requestBytes: pick((row) => Number(table.request_bytes[row])),
    responseBytes: pick((row) => Number(table.response_bytes[row])),
    missing: pick((row) => describeLoss(table.loss_flags[row]!)),
    critical: criticalPairs(index, rows),
    links: pick((row) => candidatesOf(index, linkIndex, row)),
  };
}

/** The chosen traces' spans in chunks, and the list that finds them there. */
export function buildChunks(
  index: SpanIndex,
  requests: Requests,
  traceFacts: { readonly minConfidence: Float64Array; readonly unknownLinks: Uint32Array },
  selected: readonly Selected[],
  links: LinkTable,
): { traces: TraceEntry[]; chunks: TraceChunk[] } {
  const linkIndex = indexLinks(links, index);
  const traces: TraceEntry[] = [];
  const chunks: TraceChunk[] = [];
  let rows: number[] = [];
  const flush = () => {
    if (rows.length > 0) chunks.push(buildChunk(index, linkIndex, rows));
    rows = [];
  };
  for (const { request, reason } of selected) {
    if (rows.length >= CHUNK_SPANS) flush();
    const trace = requests.trace[request]!;
    const span = requests.span[request]!;
    const from = index.traceStarts[trace]!;
    const to = index.traceStarts[trace + 1]!;
    traces.push({
      traceId: index.table.trace_id[span]!,
      reason,
      service: index.table.service[span]!,
      route: index.routes[index.route[span]!]!,
      target: index.table.target[span]!,
      status: index.table.status[span]!,
      startMs: index.start[span]!,
      durationMs: index.end[span]! - index.start[span]!,
      spans: to - from,
      minConfidence: traceFacts.minConfidence[trace]!,
      unknownLinks: traceFacts.unknownLinks[trace]!,
      chunk: chunks.length,
      firstRow: rows.length,
    });
    for (let row = from; row < to; row++) rows.push(row);
  }
  flush();
  return { traces, chunks };
}
