import type { ExchangeTable } from '../../model/exchange.js';
import { DEFAULT_MIN_CONFIDENCE } from '../../model/span.js';
import { backgroundShares, groupCalls } from './background.js';
import { labelBackward } from './backward.js';
import { findCandidates, isForeign } from './candidates.js';
import { type Decision, decideAll, redecide } from './decide.js';
import { matchIdentities } from './identity.js';
import { weighOpenCalls } from './open-calls.js';
import { indexProcess, type ProcessIndex } from './process-index.js';
import { describeModel, firstReliability, learnReliability } from './reliability.js';
import { replayThreads } from './thread-context.js';

export interface ProcessCauses {
  readonly index: ProcessIndex;
  /** One per client, in the index's order. */
  readonly decisions: readonly Decision[];
  /** How calls of this process find their parents, in words. */
  readonly model: string;
}

/**
 * Works out which request caused each call of one process.
 *
 * 1. candidates: the requests that were open when the call was sent;
 * 2. context, replayed over the whole recording: what the thread had last received or
 *    held when it connected (forward), whose response followed the reply (backward);
 * 3. how far each rule can be trusted here, learned by holding the two directions
 *    against each other, and how many calls belong to no request at all;
 * 4. a posterior per candidate from all evidence;
 * 5. for the calls that this does not settle: timing, jointly, learned from those that
 *    it does (src/reconstruct/timing).
 *
 * @param rows the process's rows in `exchanges`
 * @param least least posterior of a link, 0..1; default DEFAULT_MIN_CONFIDENCE
 */
export function inferCauses(
  exchanges: ExchangeTable,
  rows: Uint32Array,
  least?: number,
): ProcessCauses {
  const index = indexProcess(exchanges, rows);
  const candidates = findCandidates(index);
  const context = replayThreads(index);
  const types = groupCalls(index);
  const first = firstReliability(index, context, candidates, types);
  const reliability = learnReliability(
    index,
    context,
    types,
    first,
    labelBackward(index, context, types, first, false),
  );
  const shares = backgroundShares(index, candidates, types);
  const input = {
    index,
    candidates,
    knowledge: {
      context,
      types,
      reliability,
      backward: labelBackward(index, context, types, reliability, true),
      identities: matchIdentities(index),
    },
    background: (client: number) => shares[types.of[client]!]!,
    minConfidence: least ?? DEFAULT_MIN_CONFIDENCE[isForeign(index) ? 'imported' : 'recorded'],
  };
  const decided = decideAll(input);
  const { isOpen, chance } = weighOpenCalls(
    index,
    candidates,
    types,
    decided.decisions,
    decided.chances,
  );
  return {
    index,
    decisions: decided.decisions.map((decision, client) =>
      isOpen[client] === 1 ? redecide(input, client, decided, chance) : decision,
    ),
    model:
      isForeign(index) && index.clients.length > 0
        ? 'spans of another tracer: no thread is known; stated parents or timing decide'
        : describeModel(context, types, reliability),
  };
}
