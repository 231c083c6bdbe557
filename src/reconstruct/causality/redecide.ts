import type { CandidateLists } from './candidates.js';
import { type Chain, Claims, gatherClaims } from './claims.js';
import {
  CANDIDATES_KEPT,
  type DecideInput,
  type Decisions,
  judge,
  Posterior,
  rank,
} from './decide.js';

/** What context finds for every candidate of the calls that it leaves open, 0..1, by entry of the lists. */
export function contextChances(
  input: DecideInput,
  chain: Chain,
  isOpen: Uint8Array,
  { offsets, list }: CandidateLists,
): Float64Array {
  const chances = new Float64Array(list.length);
  const claims = new Claims();
  const posterior = new Posterior(input);
  for (let client = 0; client < isOpen.length; client++) {
    if (isOpen[client] === 0) continue;
    gatherClaims(input.knowledge, chain, client, claims);
    posterior.compute(client, claims);
    for (let at = offsets[client]!; at < offsets[client + 1]!; at++) {
      chances[at] = posterior.of(client, list[at]!);
    }
  }
  return chances;
}

const odds = (p: number) => Math.log(Math.max(1e-6, p) / Math.max(1e-6, 1 - p));

/** Decides the calls that context left open by the probabilities that timing found. */
export function redecide(
  input: DecideInput,
  decisions: Decisions,
  isOpen: Uint8Array,
  { offsets, list }: CandidateLists,
  context: Float64Array,
  found: Float64Array,
): void {
  for (let client = 0; client < isOpen.length; client++) {
    if (isOpen[client] === 0) continue;
    const from = offsets[client]!;
    const to = offsets[client + 1]!;
    // Where timing cannot choose, what context was nearly sure of stands.
    let isUndecided = true;
    let sum = 0;
    for (let at = from; at < to; at++) {
      if (!(found[at]! < input.minConfidence)) isUndecided = false;
      sum += found[at]!;
    }
    if (isUndecided && decisions.bestConfidence(client) >= input.minConfidence) continue;
    const servers = list.subarray(from, to);
    rank(decisions, client, servers, found.subarray(from, to), to - from);
    decisions.background[client] = Math.max(0, 1 - sum);
    decisions.proved[client] = 0;
    for (let place = 0; place < Math.min(CANDIDATES_KEPT, to - from); place++) {
      const at = client * CANDIDATES_KEPT + place;
      const entry = from + servers.indexOf(decisions.server[at]!);
      decisions.timing[at] = odds(found[entry]!) - odds(context[entry]!);
    }
    judge(decisions, client, input.minConfidence);
  }
}
