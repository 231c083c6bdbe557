import { type ExchangeTable, LossFlag, Role } from '../../model/exchange.js';
import { Verdict } from '../../model/span.js';
import { type CauseTable, NO_ROW } from '../causality/cause-table.js';
import type { EvidenceTexts } from '../causality/explain.js';
import { joinHops } from '../decode/hops.js';

/** One group's exchanges and what causality found about them, as read from their files. */
export interface Group {
  /** Row of the group's first exchange among all exchanges. */
  readonly base: number;
  readonly causes: CauseTable;
  readonly texts: EvidenceTexts;
}

/** The parent of every exchange, by row. */
export interface Parents {
  /** Row of the parent; -1 none. */
  readonly parent: Int32Array;
  /** Row of the other end of the hop; -1 where it was not recorded. */
  readonly peer: Int32Array;
  readonly verdict: Verdict[];
  /** Probability of the parent (of the best candidate where unknown); NaN for a root. */
  readonly confidence: Float64Array;
  readonly method: string[];
  readonly candidates: Uint16Array;
  /** Row of the most probable candidate, chosen or not; -1 none. */
  readonly best: Int32Array;
}

function joinPeers(exchanges: ExchangeTable, out: Parents): number {
  const hops = joinHops(exchanges);
  for (let i = 0; i < hops.client.length; i++) {
    const client = hops.client[i]!;
    const server = hops.server[i]!;
    out.peer[client] = server;
    out.peer[server] = client;
    out.parent[server] = client;
    out.best[server] = client;
    out.verdict[server] = Verdict.certain;
    out.confidence[server] = 1;
    out.method[server] = 'hop';
    out.candidates[server] = 1;
  }
  return hops.client.length;
}

/** In the order of VerdictCode. */
const VERDICTS = [Verdict.root, Verdict.certain, Verdict.probable, Verdict.unknown] as const;

function applyCauses({ causes, base, texts }: Group, out: Parents): void {
  for (let i = 0; i < causes.rows; i++) {
    if (causes.rank[i] !== 0) continue;
    const client = base + causes.client_row[i]!;
    const verdict = VERDICTS[causes.verdict[i]!]!;
    const candidate = causes.parent_row[i]!;
    const linked = verdict === Verdict.certain || verdict === Verdict.probable;
    out.verdict[client] = verdict;
    out.candidates[client] = causes.candidates[i]!;
    if (candidate === NO_ROW) continue;
    out.best[client] = base + candidate;
    if (verdict === Verdict.root) continue;
    out.confidence[client] = causes.confidence[i]!;
    out.method[client] = texts.method(i);
    if (linked) out.parent[client] = base + candidate;
  }
}

/**
 * Joins what is known: a server exchange's parent is the client exchange at the other
 * end of its hop, a client exchange's parent is the one causality chose.
 *
 * @returns the parents and the number of hops
 */
export function resolveParents(
  exchanges: ExchangeTable,
  groups: readonly Group[],
): { parents: Parents; hops: number } {
  const { rows } = exchanges;
  const parents: Parents = {
    parent: new Int32Array(rows).fill(-1),
    peer: new Int32Array(rows).fill(-1),
    verdict: new Array<Verdict>(rows).fill(Verdict.root),
    confidence: new Float64Array(rows).fill(Number.NaN),
    method: new Array<string>(rows).fill(''),
    candidates: new Uint16Array(rows),
    best: new Int32Array(rows).fill(-1),
  };
  const hops = joinPeers(exchanges, parents);
  for (const group of groups) applyCauses(group, parents);
  return { parents, hops };
}

/**
 * Exchanges whose other end should be in the recording, because that end's address is
 * known as a recorded one, but is not. What a budget left out is not missed.
 */
export function countUnmatched(exchanges: ExchangeTable, peer: Int32Array): number {
  const endpoints = new Set<string>();
  const callers = new Set<string>();
  for (let row = 0; row < exchanges.rows; row++) {
    const local = exchanges.local_address[row]!;
    if (exchanges.role[row] === Role.server) endpoints.add(`${local}:${exchanges.local_port[row]}`);
    else callers.add(local);
  }
  let unmatched = 0;
  for (let row = 0; row < exchanges.rows; row++) {
    if (peer[row] !== -1 || exchanges.loss_flags[row]! & LossFlag.unsampled) continue;
    const remote = exchanges.remote_address[row]!;
    const known =
      exchanges.role[row] === Role.client
        ? endpoints.has(`${remote}:${exchanges.remote_port[row]}`)
        : callers.has(remote);
    if (known) unmatched++;
  }
  return unmatched;
}
