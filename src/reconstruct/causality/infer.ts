import { DEFAULT_MIN_CONFIDENCE } from '../../model/span.js';
import { backgroundShares, shareTogether } from './background.js';
import { labelBackward } from './backward.js';
import { findCandidates, listCandidates } from './candidates.js';
import type { Chain, Knowledge } from './claims.js';
import { type DecideInput, type Decisions, decideAll } from './decide.js';
import { eventKinds, forwardClasses } from './forward.js';
import { followGoroutines, lingering } from './goroutines.js';
import { chainTasks } from './helpers.js';
import { isTold, matchIdentities, NO_IDENTITIES } from './identity.js';
import { callKinds, type Kinds, requestKinds } from './kinds.js';
import { threadMarks } from './marks.js';
import { describeModel } from './model-text.js';
import { limitMultiplicity } from './multiplicity.js';
import { findOpenCalls, weighOpenCalls } from './open-calls.js';
import { originKinds } from './origins.js';
import { postTrust } from './post-trust.js';
import { NO_HINTS, type ProcessHints } from './process-hints.js';
import { type CausalExchanges, indexProcess, type ProcessIndex } from './process-index.js';
import { applyQueues } from './queue/apply.js';
import type { QueueCauses } from './queue/arrangement.js';
import { followQueues } from './queue/queues.js';
import { contextChances, redecide } from './redecide.js';
import { rehearse, temper } from './rehearsal.js';
import { findRelatives } from './relatives.js';
import {
  firstReliability,
  learnReliability,
  provedRequest,
  tasksOfHelpers,
} from './reliability.js';
import { callsOfHelpers, findRoles } from './roles.js';
import { SiblingClasses } from './siblings.js';
import { followSlices } from './slices.js';
import { followTasks } from './tasks.js';
import { replayMarks } from './thread-context.js';
import { doubtTiming } from './timing-doubt.js';
import { matchTokens, noTokens } from './tokens/tokens.js';
import { followTurns } from './turns/turns.js';
import { wakeClasses } from './wakes.js';

export interface ProcessCauses {
  readonly index: ProcessIndex;
  /** By client, in the index's order. */
  readonly decisions: Decisions;
  readonly knowledge: Knowledge;
  readonly chain: Chain;
  /** How calls of this process find their parents, in words. */
  readonly model: string;
}

/**
 * Works out which request caused each call of one process.
 *
 * 1. candidates: the requests that were open when the call was sent;
 * 2. context, replayed over the whole recording: what the thread had last received or
 *    held when it took or opened the connection, who had woken it (forward), whose response
 *    followed the reply (backward); goroutines and tasks;
 * 3. how far each rule can be trusted here, learned by holding the two directions
 *    against each other, and how many calls belong to no request at all;
 * 4. a posterior per candidate from all evidence;
 * 5. for the calls that this does not settle: timing, jointly, learned from those that
 *    it does (src/reconstruct/timing).
 *
 * @param rows the process's rows in `exchanges`
 * @param least least posterior of a link, 0..1; default DEFAULT_MIN_CONFIDENCE
 * @param hints wake-ups and thread creations of the process
 * @param options.isBlind leaves ids in band aside
 * @param options.isTokenless leaves other values that requests and calls share aside
 * @param options.background per row of a call: probability that it belongs to no request, where
 *   that is known from more than these rows
 */
export function inferCauses(
  exchanges: CausalExchanges,
  rows: Uint32Array,
  least?: number,
  hints: ProcessHints = NO_HINTS,
  {
    isBlind = false,
    isTokenless = false,
    background,
  }: { isBlind?: boolean; isTokenless?: boolean; background?: Float32Array } = {},
): ProcessCauses {
  const index = indexProcess(exchanges, rows);
  const goroutines = followTasks(index) ?? followGoroutines(index);
  const candidates = findCandidates(index);
  // Goroutines and tasks may begin for one request what goes on for ever; a function that answered one does not.
  const proved =
    goroutines.unit === 'async-root' ? goroutines.server : lingering(index, goroutines);
  proved.forEach((server, client) => {
    if (server >= 0) candidates.admit(client, server);
  });
  const marks = threadMarks(index, hints);
  const context = replayMarks(index, marks, originKinds(index));
  const slices = followSlices(index);
  const calls = callKinds(index);
  const requests = requestKinds(index);
  const turns = followTurns(index, context, hints, candidates, calls, requests, goroutines.server);
  const events = eventKinds(requests, calls, marks);
  const roles = findRoles(context, marks);
  const isHelped = callsOfHelpers(roles);
  const posted = postTrust(context.posts, marks, events, calls, requests, roles);
  const relatives = findRelatives(index, goroutines, calls);
  const tokens = isTokenless
    ? noTokens(index.clients.length)
    : matchTokens(index, candidates, calls, provedRequest(context, goroutines));
  const lessonsOf = (queues?: QueueCauses) => ({
    index,
    context,
    goroutines,
    slices,
    relatives,
    candidates,
    marks,
    calls,
    requests,
    events,
    classes: forwardClasses({
      index,
      context,
      marks,
      candidates,
      events,
      calls,
      roles,
      posted,
      unit: goroutines.unit,
    }),
    posted,
    isHelped,
    siblings: new SiblingClasses(index, context, calls),
    wakes: wakeClasses(index, candidates, context, events, calls),
    tokens,
    queues,
  });
  let lessons = lessonsOf();
  let first = firstReliability(lessons);
  if (chainTasks(index, context, tasksOfHelpers(lessons, first))) {
    lessons = lessonsOf();
    first = firstReliability(lessons);
  }
  let labels = labelBackward(index, context, slices, relatives, first, false);
  const identities = isBlind ? NO_IDENTITIES : matchIdentities(index, candidates);
  // Where ids tell nearly all, the order of queues adds nothing, and costs the most.
  const queues = isTold(identities, candidates)
    ? undefined
    : followQueues({ index, candidates, context, calls, requests, labels });
  if (queues !== undefined) {
    applyQueues(context, queues);
    lessons = lessonsOf(queues);
    first = firstReliability(lessons);
    labels = labelBackward(index, context, slices, relatives, first, false);
  }
  const reliability = learnReliability(lessons, first, labels);
  const shares = backgroundShares(index, candidates, calls, requests);
  const own = Float64Array.from(index.clients, (row, client) =>
    background === undefined ? shares[calls.of[client]!]! : background[row]!,
  );
  const together =
    goroutines.unit === 'async-root' ? shareTogether(own, relatives, reliability.relatives) : own;
  const knowledge = {
    candidates,
    context,
    goroutines,
    slices,
    relatives,
    turns,
    reliability,
    backward: labelBackward(index, context, slices, relatives, reliability, true),
    identities,
    tokens,
  };
  const input = {
    index,
    candidates,
    knowledge,
    background: (client: number) => together[client]!,
    minConfidence: least ?? DEFAULT_MIN_CONFIDENCE[candidates.foreign ? 'imported' : 'recorded'],
  };
  const { decisions, chain } = decideAll(input);
  settleByTiming(input, decisions, chain, calls, requests);
  if (!candidates.foreign) limitMultiplicity(index, decisions, calls, requests);
  return {
    index,
    decisions,
    knowledge,
    chain,
    model:
      candidates.foreign && index.clients.length > 0
        ? 'spans of another tracer: no thread is known; stated parents or timing decide'
        : describeModel(index, knowledge),
  };
}

/** Lets timing decide what context left open, and doubts it where witnesses or decoys do. */
function settleByTiming(
  input: DecideInput,
  decisions: Decisions,
  chain: Chain,
  calls: Kinds,
  requests: Kinds,
): void {
  const { index, candidates } = input;
  const isOpen = findOpenCalls(decisions);
  if (!isOpen.includes(1)) return;
  const lists = listCandidates(index, candidates, isOpen);
  const chances = contextChances(input, chain, isOpen, lists);
  const open = { index, candidates, calls, requests, decisions, isOpen, chances, lists };
  const found = weighOpenCalls(open, input.minConfidence);
  // Spans of other tracers have timing alone, and a threshold of their own.
  if (!candidates.foreign) {
    temper(open, found.chance, rehearse(open, found.chance, input.minConfidence));
    doubtTiming(isOpen, lists, chances, found);
  }
  redecide(input, decisions, isOpen, lists, chances, found.chance);
}
