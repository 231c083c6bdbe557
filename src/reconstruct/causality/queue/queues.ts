import type { BackwardLabels } from '../backward-labels.js';
import type { Candidates } from '../candidates.js';
import { CauseKind } from '../cause-kind.js';
import type { Kinds } from '../kinds.js';
import type { ProcessIndex } from '../process-index.js';
import { isAlone, isSteady } from '../reliability.js';
import type { ThreadContext } from '../thread-context.js';
import { Arrangement, type QueueCauses } from './arrangement.js';
import { Check, checkThreads, findAnchors } from './check.js';
import { callsByLane, type LaneCalls, pieceOf } from './lanes.js';
import { followResponses } from './responses.js';
import { findTriggers, ofThread, type Triggers } from './triggers.js';

/** Fewer fixed points than this can check nothing. */
const LEAST_ANCHORS = 20;
/** Where threads lead to so many of the fixed points, nothing is gained by asking queues. */
const PLAIN = 0.99;
/** Kinds of triggers times kinds of calls: with more, too few of each are seen, and tables grow large. */
const MOST_PAIRS = 40_000;
/** Calls of a lane that are learned from: more change nothing. */
const MOST_LEARNED = 1000;
/** Log probability per call below which no order is kept, nats. */
const LEAST_FIT = -0.7;
/** Order that is right less often than this is left aside: it would hide what threads tell. */
const LEAST_TRUST = 0.8;
/** Event loops that one process runs, at most: more threads are a pool, which keeps no order by thread. */
const MOST_THREADS = 16;
/** A lane has at least this many calls; what is less shares one. */
const LEAST_LANE = 20;

export interface QueueInput {
  readonly index: ProcessIndex;
  readonly candidates: Candidates;
  readonly context: ThreadContext;
  readonly calls: Kinds;
  readonly requests: Kinds;
  /** What the responses say, without anything shared within bursts. */
  readonly labels: BackwardLabels;
}

/** Ways in which calls may queue: all in one line, one for each thread, or one for each place that is called. */
function possibleLanes({ index, context, calls }: QueueInput, triggers: Triggers): LaneCalls[][] {
  const { exchanges: x, clients } = index;
  const ways = [
    callsByLane(
      index,
      context,
      () => 0,
      () => triggers,
    ),
  ];
  const threadOf = (client: number) => x.request_start_tid[clients[client]!]!;
  const threads = new Set(Array.from(clients, (_, client) => threadOf(client))).size;
  if (threads > 1 && threads <= MOST_THREADS) {
    ways.push(callsByLane(index, context, threadOf, (thread) => ofThread(triggers, thread)));
  }
  const numbers = new Map<string, number>();
  const places = Int32Array.from(clients, (row) => {
    const name = `${x.remote_address[row]}:${x.remote_port[row]}`;
    const known = numbers.get(name) ?? numbers.size;
    numbers.set(name, known);
    return known;
  });
  const sizes = new Uint32Array(numbers.size);
  for (const place of places) sizes[place]!++;
  if (sizes.filter((size) => size >= LEAST_LANE).length < 2) return ways;
  const laneOf = (client: number) =>
    sizes[places[client]!]! >= LEAST_LANE ? places[client]! : calls.of.length;
  return [...ways, callsByLane(index, context, laneOf, () => triggers)];
}

/** Learns one arrangement from half of the anchors, and checks it against the other. */
function tryLanes(
  input: QueueInput,
  arrangement: Arrangement,
  anchors: Int32Array,
): { check: Check; worth: number } | undefined {
  const check = new Check(input.calls, anchors);
  let answered = 0;
  for (const part of [0, 1]) {
    const isHeld = (client: number) => (client >> 1) % 2 === part;
    const known = anchors.map((server, client) => (isHeld(client) ? -1 : server));
    if (part === 0 && arrangement.begin(known) < LEAST_FIT) return undefined;
    arrangement.learn(known, 2);
    arrangement.find(known);
    const { found } = arrangement;
    for (let client = 0; client < found.length; client++) {
      if (found[client]! >= 0) answered++;
      if (isHeld(client)) check.add(client, found[client]!);
    }
  }
  // Of arrangements that are as right the one that answers more.
  return { check, worth: check.worth + answered / (4 * anchors.length) };
}

/**
 * Where calls wait in a queue, what a thread last read says nothing; but queues keep order.
 * Aligns the calls of each lane with what may have led to them, by the habits of each kind of
 * trigger, with fixed points where replies tell whose a call is. How far that is right is
 * learned by holding half of the fixed points back, per kind of call.
 *
 * @returns undefined where order says nothing more than threads do
 */
export function followQueues(input: QueueInput): QueueCauses | undefined {
  const { index, context, calls, requests } = input;
  // A thread that takes one request at a time has no queue of its own to wait in.
  if (isSteady(context) && isAlone(context)) return undefined;
  const anchors = findAnchors(input.labels, context, input.candidates);
  const known = anchors.reduce((sum, server) => sum + (server < 0 ? 0 : 1), 0);
  if (known < LEAST_ANCHORS) return undefined;
  const plain = checkThreads(context, calls, anchors);
  if (plain.share >= PLAIN) return undefined;
  const triggers = findTriggers(index, calls, requests);
  if (triggers.kinds * calls.count > MOST_PAIRS) return undefined;
  let best:
    | { check: Check; worth: number; arrangement: Arrangement; lanes: readonly LaneCalls[] }
    | undefined;
  for (const lanes of possibleLanes(input, triggers)) {
    const pieces = lanes.map((lane) => pieceOf(lane, MOST_LEARNED));
    const arrangement = new Arrangement(
      { index, context, calls, requests, kinds: triggers.kinds },
      pieces,
    );
    const tried = tryLanes(input, arrangement, anchors);
    if (tried === undefined || tried.worth <= (best?.worth ?? 0)) continue;
    best = { ...tried, arrangement, lanes };
  }
  if (best === undefined) return undefined;
  const { check } = best;
  const whole = best.arrangement.with(best.lanes);
  whole.learn(anchors, 2);
  const answer = whole.answer(anchors);
  const trust = answer.trust.map((chance, client) => {
    const own = check.trust(calls.of[client]!);
    return own >= LEAST_TRUST && own > plain.trust(calls.of[client]!) ? chance * own : 0;
  });
  const kind = answer.kind.map((own, client) => (trust[client] === 0 ? CauseKind.none : own));
  const sure = whole.found.map((server, client) => (trust[client]! >= LEAST_TRUST ? server : -1));
  const closings = followResponses({ index, context, triggers, calls, requests }, sure);
  return { ...answer, kind, trust, closings };
}
