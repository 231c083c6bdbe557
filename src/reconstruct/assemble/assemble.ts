import { EXCHANGE_COLUMNS, type ExchangeTable } from '../../model/exchange.js';
import type { HostRecord, ProcessRecord } from '../../model/process.js';
import type { Reconstruction } from '../../model/reconstruction.js';
import { type LinkTable, type SpanTable, type TraceTable, Verdict } from '../../model/span.js';
import { concatTables } from '../../model/tables.js';
import { readTable } from '../../store/table-file.js';
import { CAUSE_COLUMNS } from '../causality/cause-table.js';
import { EvidenceTexts } from '../causality/explain.js';
import type { Chronicle } from '../chronicle.js';
import { criticalTimes } from './critical.js';
import { buildLinks } from './link-table.js';
import { countUnmatched, type Group, type Parents, resolveParents } from './parents.js';
import { applySampling, Sampling } from './sampling.js';
import { estimateSkews } from './skew.js';
import { readAllSources } from './sources.js';
import { buildSpans, outputOrder, spanIdsOf, spanTimes } from './spans.js';
import { buildTraces } from './trace-table.js';
import { buildForest } from './traces.js';
import { onWallClock } from './wall-times.js';

export interface AssembleInput {
  /** Per group: its exchange files in partition order, and its causes file. */
  readonly groups: readonly { readonly exchanges: readonly string[]; readonly causes: string }[];
  readonly hosts: readonly HostRecord[];
  readonly processes: readonly ProcessRecord[];
  readonly baseNs: bigint;
  /** Files that say which spans imported exchanges were made from. */
  readonly sources?: readonly string[];
  /** Per host: what its recorder said of itself; absent: nothing. */
  readonly chronicles?: readonly Chronicle[];
}

export interface Assembled {
  readonly spans: SpanTable;
  readonly traces: TraceTable;
  readonly links: LinkTable;
  readonly hops: number;
  readonly unmatched: number;
  readonly skews: Reconstruction['skews'];
}

async function readGroups(
  input: AssembleInput,
): Promise<{ exchanges: ExchangeTable; groups: Group[] }> {
  const tables: ExchangeTable[] = [];
  const groups: Group[] = [];
  let base = 0;
  for (const group of input.groups) {
    const start = base;
    for (const file of group.exchanges) {
      const table = await readTable(file, EXCHANGE_COLUMNS);
      tables.push(table);
      base += table.rows;
    }
    const causes = await readTable(group.causes, CAUSE_COLUMNS);
    groups.push({ base: start, causes, texts: new EvidenceTexts(causes) });
  }
  return { exchanges: concatTables(EXCHANGE_COLUMNS, tables), groups };
}

/** A link that was removed because it closed a cycle leaves a parent that nobody knows. */
function forgetCut({ parent, verdict }: Parents): void {
  for (const [row, claimed] of verdict.entries()) {
    const linked = claimed === Verdict.certain || claimed === Verdict.probable;
    if (linked && parent[row] === -1) verdict[row] = Verdict.unknown;
  }
}

/**
 * Joins hops and causes into traces. The one step that sees all exchanges at once
 * (about 400 bytes each), because a trace may touch every host.
 */
export async function assemble(input: AssembleInput): Promise<Assembled> {
  const { exchanges: recorded, groups } = await readGroups(input);
  const { hosts, processes, baseNs, chronicles = [] } = input;
  const spanIds = spanIdsOf(recorded, hosts);
  const { parents, hops } = resolveParents(recorded, groups);
  const budgets = chronicles.map(({ budget }) => budget);
  applySampling(recorded, parents, new Sampling(budgets, baseNs));
  const forest = buildForest(recorded, parents.parent, spanIds);
  forgetCut(parents);
  const times = spanTimes(recorded);
  const critical = criticalTimes(parents.parent, forest.root, times.start, times.end);
  // What was decided, was decided on the clock that nobody sets; what is told, is told on the other.
  const exchanges = onWallClock(recorded, times.start, forest.root, chronicles, baseNs);
  const { start, end } = exchanges === recorded ? times : spanTimes(exchanges);
  const assembly = {
    exchanges,
    hosts,
    processes,
    baseNs,
    parents,
    forest,
    spanIds,
    start,
    end,
    critical,
    sources: await readAllSources(input.sources ?? []),
  };
  const order = outputOrder(assembly);
  return {
    spans: buildSpans(assembly, order),
    traces: buildTraces(assembly, order),
    links: buildLinks(groups, parents, spanIds),
    hops,
    unmatched: countUnmatched(exchanges, parents.peer),
    skews: estimateSkews(exchanges, parents.peer, hosts),
  };
}
