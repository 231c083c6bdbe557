import { VerdictCode } from './decide.js';
import { inferCauses, type ProcessCauses } from './infer.js';
import type { ProcessHints } from './process-hints.js';
import type { CausalExchanges } from './process-index.js';

/** Calls with a known parent below which nothing is learned about a process. */
const LEAST_CALLS = 50;
/** Exchanges of a process that are looked at: more cost time and change little. */
const MOST_EXCHANGES = 20_000;

/** How calls whose parent an id in band tells are linked without it. */
export interface Audit {
  readonly calls: number;
  readonly right: number;
  readonly wrong: number;
  readonly unknown: number;
  /** Sum of the confidences of the links made, right and wrong. */
  readonly claimed: number;
}

/** Rows of the first exchanges, by time. */
function firstRows(exchanges: CausalExchanges, rows: Uint32Array): Uint32Array {
  if (rows.length <= MOST_EXCHANGES) return rows;
  const starts = Float64Array.from(rows, (row) => exchanges.request_start[row]!).sort();
  const last = starts[MOST_EXCHANGES]!;
  return rows.filter((row) => exchanges.request_start[row]! < last);
}

/** Per call of which an id names one request among several that were open: row of the call, and of the request. */
function toldByIds({ index, knowledge }: ProcessCauses): Map<number, number> {
  const told = new Map<number, number>();
  for (let client = 0; client < index.clients.length; client++) {
    const [server, another] = knowledge.identities.of(client);
    if (server === undefined || another !== undefined) continue;
    if (knowledge.candidates.open[client]! < 2) continue;
    told.set(index.clients[client]!, index.servers[server]!);
  }
  return told;
}

/**
 * Where a process's own traffic carries ids, they say how well it can be done without: the ids
 * are hidden, the causes inferred anew, and what comes out is held against what the ids tell.
 *
 * @param causes what was found with the ids
 * @returns undefined where ids tell too little
 */
export function auditProcess(
  causes: ProcessCauses,
  exchanges: CausalExchanges,
  rows: Uint32Array,
  least: number | undefined,
  hints: ProcessHints,
  isTokenless = false,
): Audit | undefined {
  const told = toldByIds(causes);
  if (told.size < LEAST_CALLS) return undefined;
  const blind = inferCauses(exchanges, firstRows(exchanges, rows), least, hints, {
    isBlind: true,
    isTokenless,
  });
  const { index, decisions } = blind;
  const found = { calls: 0, right: 0, wrong: 0, unknown: 0, claimed: 0 };
  for (let client = 0; client < index.clients.length; client++) {
    const parent = told.get(index.clients[client]!);
    if (parent === undefined) continue;
    found.calls++;
    const verdict = decisions.verdict[client];
    if (verdict !== VerdictCode.certain && verdict !== VerdictCode.probable) {
      found.unknown++;
      continue;
    }
    found.claimed += decisions.bestConfidence(client);
    if (index.servers[decisions.best(client)] === parent) found.right++;
    else found.wrong++;
  }
  return found.calls < LEAST_CALLS ? undefined : found;
}
