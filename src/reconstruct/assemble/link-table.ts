import { LINK_COLUMNS, type LinkTable } from '../../model/span.js';
import { emptyTable } from '../../model/tables.js';
import { NO_ROW } from '../causality/cause-table.js';
import type { Group, Parents } from './parents.js';

/** The rows of causes that name a candidate, sorted by the call's span id, then rank: columns. */
function orderRows(groups: readonly Group[], spanIds: readonly string[]) {
  const most = groups.reduce((sum, { causes }) => sum + causes.rows, 0);
  const group = new Uint32Array(most);
  const row = new Uint32Array(most);
  const client = new Uint32Array(most);
  let count = 0;
  for (const [number, { causes, base }] of groups.entries()) {
    for (let i = 0; i < causes.rows; i++) {
      if (causes.parent_row[i] === NO_ROW) continue;
      group[count] = number;
      row[count] = i;
      client[count++] = base + causes.client_row[i]!;
    }
  }
  const rankOf = (at: number) => groups[group[at]!]!.causes.rank[row[at]!]!;
  const order = Uint32Array.from({ length: count }, (_, at) => at).sort((a, b) => {
    const [one, other] = [client[a]!, client[b]!];
    if (one === other) return rankOf(a) - rankOf(b);
    return spanIds[one]! < spanIds[other]! ? -1 : 1;
  });
  return { order, group, row, client };
}

/** links.parquet: every considered parent of every call, sorted by span id, then rank. */
export function buildLinks(
  groups: readonly Group[],
  parents: Parents,
  spanIds: readonly string[],
): LinkTable {
  const { order, group, row, client } = orderRows(groups, spanIds);
  const links = emptyTable(LINK_COLUMNS, order.length);
  for (let link = 0; link < order.length; link++) {
    const at = order[link]!;
    const { base, causes, texts } = groups[group[at]!]!;
    const own = row[at]!;
    const candidate = base + causes.parent_row[own]!;
    links.span_id[link] = spanIds[client[at]!]!;
    links.candidate_span_id[link] = spanIds[candidate]!;
    links.rank[link] = causes.rank[own]!;
    links.chosen[link] = parents.parent[client[at]!] === candidate ? 1 : 0;
    links.confidence[link] = causes.confidence[own]!;
    links.method[link] = texts.method(own);
    links.evidence[link] = texts.json(own);
  }
  return links;
}
