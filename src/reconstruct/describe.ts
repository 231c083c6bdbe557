import { LossCause } from '../model/event.js';
import type {
  AuditSummary,
  EncryptedService,
  ImportSummary,
  LossSummary,
  Reconstruction,
} from '../model/reconstruction.js';
import { TOOL } from '../model/tool.js';
import { unrecordedStretches } from '../model/unrecorded.js';
import type { Catalog } from '../store/catalog.js';
import type { Assembled } from './assemble/assemble.js';
import type { Chronicle } from './chronicle.js';
import { mergeLosses } from './losses.js';
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
  /** Per host of the plan. */
  readonly chronicles: readonly Chronicle[];
  readonly decoded: readonly DecodeOutput[];
  readonly assembled: Assembled;
  readonly services: Reconstruction['services'];
  readonly encrypted: readonly EncryptedService[];
  readonly audits: readonly AuditSummary[];
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

/** The same range as the wall clock of its host showed it. */
function onWall<T extends { readonly fromNs: string; readonly toNs: string }>(
  range: T,
  { correction, isStepped }: Chronicle,
): T {
  if (!isStepped) return range;
  const wall = (ns: string) => (BigInt(ns) + correction(BigInt(ns))).toString();
  return { ...range, fromNs: wall(range.fromNs), toNs: wall(range.toNs) };
}

/** Stretches inside what was asked for in which no recorder ran on a host. */
function unrecordedOf({ options, plan, shards, chronicles }: Findings): LossSummary[] {
  const recorded = shards.map(({ recordingId, summary }, i) => {
    const { fromNs, toNs } = onWall(summary, chronicles[plan.segments[i]!.hostIndex]!);
    return { host: summary.host, recordingId, fromNs: BigInt(fromNs), toNs: BigInt(toNs) };
  });
  const { fromNs: first = 0n, toNs: last } = options;
  return unrecordedStretches(recorded)
    .filter(({ fromNs, toNs }) => toNs > first && (last === undefined || fromNs < last))
    .map(({ host, fromNs, toNs }) => ({
      host,
      cause: LossCause.unrecorded,
      count: 1,
      fromNs: (fromNs > first ? fromNs : first).toString(),
      toNs: (last === undefined || toNs < last ? toNs : last).toString(),
      scope: 'no recorder ran',
    }));
}

function lossesOf(findings: Findings): LossSummary[] {
  const { plan, shards, chronicles } = findings;
  const told = shards.flatMap(({ losses }, i) => {
    const chronicle = chronicles[plan.segments[i]!.hostIndex]!;
    return losses.map((loss) => onWall(loss, chronicle));
  });
  const silent = chronicles.flatMap((chronicle) =>
    chronicle.stalls.map((stall) => onWall(stall, chronicle)),
  );
  return mergeLosses([...told, ...silent, ...unrecordedOf(findings)]);
}

/** From the first to the last moment that was recorded, as wall clocks showed them, inside what was asked for. */
function rangeOf(
  { options, plan, shards, chronicles }: Findings,
  imports: readonly ImportSummary[],
): { fromNs: bigint; toNs: bigint } {
  const recorded = shards.map(({ summary }, i) =>
    onWall(summary, chronicles[plan.segments[i]!.hostIndex]!),
  );
  const ends = [...recorded, ...imports]
    .flatMap(({ fromNs, toNs }) => [fromNs, toNs])
    .map((ns) => BigInt(ns));
  const first = ends.reduce((a, b) => (a < b ? a : b));
  const last = ends.reduce((a, b) => (a > b ? a : b));
  const { fromNs = first, toNs = last } = options;
  return { fromNs: fromNs > first ? fromNs : first, toNs: toNs < last ? toNs : last };
}

/** reconstruction.json of a run. */
export function describe(findings: Findings): Reconstruction {
  const { catalog, shards, chronicles, decoded, assembled, services, encrypted, audits } = findings;
  const sum = (value: (output: DecodeOutput) => number) =>
    decoded.reduce((total, output) => total + value(output), 0);
  const imports = summarizeImports(catalog);
  const { fromNs, toNs } = rangeOf(findings, imports);
  const budget = chronicles.flatMap((chronicle) =>
    chronicle.budget.map((period) => onWall(period, chronicle)),
  );
  return {
    version: 1,
    tool: TOOL,
    fromNs: fromNs.toString(),
    toNs: toNs.toString(),
    segments: shards.map(({ summary }) => summary),
    ...(imports.length === 0 ? {} : { imports }),
    unreadable: catalog.unreadable,
    losses: lossesOf(findings),
    ...(budget.length === 0 ? {} : { budget }),
    ...(encrypted.length === 0 ? {} : { encrypted }),
    ...(audits.length === 0 ? {} : { audits }),
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
