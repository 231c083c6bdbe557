import type { TraceChunk, TraceEntry, ViewerIndex } from '../contract.js';
import { formatClock, formatDuration } from '../format.js';
import { codeSpan as code } from '../text.js';
import type { TraceRow } from './trace-rows.js';

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** DuckDB queries that show what one span's row, its link and its connection were made from. */
export function queriesFor(index: ViewerIndex, chunk: TraceChunk, row: number): string {
  const spanId = quote(chunk.spanId[row]!);
  const out = (name: string) => quote(`${index.input}/${name}.parquet`);
  const from = BigInt(chunk.startNs[row]!);
  const length = BigInt(Math.round((chunk.endMs[row]! - chunk.startMs[row]!) * 1e6));
  const events = `
-- what the kernel saw on its connection
SELECT make_timestamp_ns(time_ns) AS time, kind, tid, sequence, bytes, decode(payload) AS head
FROM read_parquet([${index.segments.map(quote).join(', ')}])
WHERE connection = ${chunk.connection[row]} AND time_ns BETWEEN ${from} AND ${from + length}
ORDER BY time_ns;`;
  return `-- this span
SELECT * FROM ${out('spans')} WHERE span_id = ${spanId};
-- its possible parents and the evidence
SELECT * FROM ${out('links')} WHERE span_id = ${spanId} ORDER BY rank;${index.segments.length === 0 ? '' : events}`;
}

/** A trace as Markdown, to paste into a ticket. */
export function traceAsMarkdown(
  index: ViewerIndex,
  chunk: TraceChunk,
  trace: TraceEntry,
  rows: readonly TraceRow[],
): string {
  const lines = rows.map(({ row, depth }) => {
    const role = chunk.isServer[row] ? '' : 'calls ';
    const sure = chunk.verdict[row] === 'probable' ? ` (parent ≈ ${chunk.confidence[row]})` : '';
    const duration = formatDuration(chunk.endMs[row]! - chunk.startMs[row]!);
    const what = code(`${chunk.verb[row]} ${chunk.target[row]}`);
    return `${'  '.repeat(depth)}- ${code(chunk.service[row]!)} ${role}${what} ${chunk.status[row] || 'no response'}, ${duration}${sure}`;
  });
  return [
    `**Trace ${code(trace.traceId)}**, ${formatClock(index.epochNs, trace.startMs)} UTC, ${formatDuration(trace.durationMs)}`,
    '',
    ...lines,
  ].join('\n');
}
