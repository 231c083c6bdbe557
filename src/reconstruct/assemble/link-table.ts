import { LINK_COLUMNS, type LinkTable } from '../../model/span.js';
import { emptyTable } from '../../model/tables.js';
import { NO_ROW } from '../causality/cause-table.js';
import type { Group, Parents } from './parents.js';

/** links.parquet: every considered parent of every call, sorted by span id, then rank. */
export function buildLinks(
  groups: readonly Group[],
  parents: Parents,
  spanIds: readonly string[],
): LinkTable {
  const rows = groups.flatMap(({ causes, base, texts }) =>
    Array.from({ length: causes.rows }, (_, i) => ({ causes, base, texts, i })).filter(
      ({ i }) => causes.parent_row[i] !== NO_ROW,
    ),
  );
  const client = (row: (typeof rows)[number]) => row.base + row.causes.client_row[row.i]!;
  const candidate = (row: (typeof rows)[number]) => row.base + row.causes.parent_row[row.i]!;
  const ordered = rows
    .map((row) => ({ row, id: spanIds[client(row)]!, rank: row.causes.rank[row.i]! }))
    .sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : a.rank - b.rank));
  return {
    ...emptyTable(LINK_COLUMNS, 0),
    rows: ordered.length,
    span_id: ordered.map(({ id }) => id),
    candidate_span_id: ordered.map(({ row }) => spanIds[candidate(row)]!),
    rank: Uint16Array.from(ordered, ({ rank }) => rank),
    chosen: Uint8Array.from(ordered, ({ row }) =>
      parents.parent[client(row)] === candidate(row) ? 1 : 0,
    ),
    confidence: Float64Array.from(ordered, ({ row }) => row.causes.confidence[row.i]!),
    method: ordered.map(({ row }) => row.texts.method(row.i)),
    evidence: ordered.map(({ row }) => row.texts.json(row.i)),
  };
}
