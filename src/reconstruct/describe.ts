import type { ImportSummary, Reconstruction } from '../model/reconstruction.js';
import { TOOL } from '../model/tool.js';
import type { Catalog } from '../store/catalog.js';
import type { Assembled } from './assemble/assemble.js';
import type { Plan } from './plan.js';
import { countLinks } from './summary.js';
import type { DecodeOutput, ShardOutput } from './tasks.js';

/** What a run read and found. */
interface Findings {
  /** The range that was asked for, epoch ns. */
  readonly options: { readonly fromNs?: bigint; readonly toNs?: bigint };
  readonly catalog: Pick<Catalog, 'imports' | 'unreadable'>;
  readonly plan: Plan;
  readonly shards: readonly ShardOutput[];
  readonly decoded: readonly DecodeOutput[];
  readonly assembled: Assembled;
  readonly services: Reconstruction['services'];
}

function summarizeImports({ imports }: Findings['catalog']): ImportSummary[] {
  return imports.map(({ path, format, parentsKept, rows, bytes, fromNs, toNs }) => ({
    file: path,
    format,
    parentsKept,
    exchanges: rows,
    bytes,
    fromNs: fromNs.toString(),
    toNs: toNs.toString(),
  }));
}

/** reconstruction.json of a run. */
export function describe(findings: Findings): Reconstruction {
  const { options, catalog, plan, shards, decoded, assembled, services } = findings;
  const sum = (value: (output: DecodeOutput) => number) =>
    decoded.reduce((total, output) => total + value(output), 0);
  const { fromNs: askedFrom = plan.baseNs, toNs: askedTo } = options;
  const imports = summarizeImports(catalog);
  const last = [...shards.map(({ summary }) => summary), ...imports]
    .map(({ toNs }) => BigInt(toNs))
    .reduce((a, b) => (a > b ? a : b));
  const fromNs = askedFrom > plan.baseNs ? askedFrom : plan.baseNs;
  const toNs = askedTo !== undefined && askedTo < last ? askedTo : last;
  return {
    version: 1,
    tool: TOOL,
    fromNs: fromNs.toString(),
    toNs: toNs.toString(),
    segments: shards.map(({ summary }) => summary),
    ...(imports.length === 0 ? {} : { imports }),
    unreadable: catalog.unreadable,
    losses: shards.flatMap(({ losses }) => losses),
    counts: {
      events: shards.reduce((total, { summary }) => total + summary.rows, 0),
      connections: sum((output) => output.connections),
      opaqueConnections: sum((output) => output.opaqueConnections),
      clientExchanges: sum((output) => output.clientExchanges),
      serverExchanges: sum((output) => output.serverExchanges),
      hops: assembled.hops,
      unmatched: assembled.unmatched,
      traces: assembled.traces.rows,
    },
    links: countLinks(assembled.spans),
    services,
    skews: assembled.skews,
  };
}
