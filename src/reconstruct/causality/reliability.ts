import type { CallTypes } from './background.js';
import type { BackwardLabels } from './backward-labels.js';
import type { Candidates } from './candidates.js';
import type { ProcessIndex } from './process-index.js';
import { learnSiblings } from './siblings.js';
import { CauseKind, type ThreadContext } from './thread-context.js';

/**
 * How far each context rule can be trusted in this process: the probability that the
 * server it names is the parent. Learned from the recording itself, by holding the
 * forward rules (what the thread last read) against the backward ones (whose response
 * followed the reply), which share no assumption: a program that puts a timer or a
 * queue between reading and calling breaks the first, not the second.
 */
export interface Reliability {
  /** Per type of call: "the last request the thread read is the parent". */
  readonly request: Float64Array;
  /** Per type of call: "the call shares the parent of the call whose reply was last read". */
  readonly reply: Float64Array;
  /** Per type of call: the same, taken when the connection was opened. */
  readonly connect: Float64Array;
  /** Per pair of types, number first * types + second: "two calls sent one after the other share their parent". */
  readonly sibling: ReadonlyMap<number, number>;
  /** "The last reply read before a response belongs to that request." */
  readonly closing: number;
  /** "A thread that reads and answers a request works for it in between"; 0 where threads mean nothing. */
  readonly owner: number;
}

/** Weight of the prior in observations, and its mean: plain event loops reach 0.99 and more. */
const PRIOR_COUNT = 10;
const PRIOR_MEAN = 0.95;
/** Measured on Node with timers, files, DNS and pools: 99.9 % and up; kept lower on purpose. */
const CLOSING = 0.995;
const CEILING = 0.9995;
/** Share of requests answered by the thread that read them, from which on threads mean something. */
const STEADY = 0.95;

function isSteady(context: ThreadContext): boolean {
  return context.affinity >= STEADY;
}

/**
 * How often "after a reply comes a call of the same request" holds. The closing reply of a
 * request names the request of its call; if the rule holds, that request was already open
 * when the call before it was sent. By chance that is so as often as for any other open
 * request, so with v the share seen and c the chance, the rule holds in (v - c) / (1 - c).
 */
function learnReplyRule(index: ProcessIndex, context: ThreadContext, candidates: Candidates) {
  let seen = 0;
  let open = 0;
  let chance = 0;
  for (let client = 0; client < index.clients.length; client++) {
    const closes = context.closes[client]!;
    if (closes < 0 || context.causeKind[client] !== CauseKind.reply) continue;
    const before = index.clientStart[context.cause[client]!]!;
    const from = candidates.offsets[client]!;
    const to = candidates.offsets[client + 1]!;
    if (to <= from + 1) continue;
    let earlier = 0;
    for (let i = from; i < to; i++) {
      if (index.serverStart[candidates.list[i]!]! <= before) earlier++;
    }
    seen++;
    chance += earlier / (to - from);
    if (index.serverStart[closes]! <= before) open++;
  }
  const v = (open + PRIOR_COUNT) / (seen + PRIOR_COUNT);
  const c = Math.min(0.95, (chance + PRIOR_COUNT * 0.5) / (seen + PRIOR_COUNT));
  return Math.max(0, Math.min(CLOSING, (v - c) / (1 - c)));
}

/** What can be said before the backward labels exist: the same for every type of call. */
export function firstReliability(
  index: ProcessIndex,
  context: ThreadContext,
  candidates: Candidates,
  types: CallTypes,
): Reliability {
  const steady = isSteady(context);
  const same = (value: number) => new Float64Array(types.names.length).fill(value);
  return {
    request: same(PRIOR_MEAN),
    reply: same(learnReplyRule(index, context, candidates)),
    connect: same(PRIOR_MEAN),
    sibling: new Map(),
    closing: steady ? CLOSING : 0.5,
    owner: steady ? (context.interleaved < 0.005 ? 0.9999 : 0.999) : 0,
  };
}

class Agreement {
  private readonly right: Float64Array;
  private readonly total: Float64Array;

  constructor(prior: Float64Array) {
    this.right = prior.map((mean) => mean * PRIOR_COUNT);
    this.total = new Float64Array(prior.length).fill(PRIOR_COUNT);
  }

  add(type: number, agrees: boolean): void {
    this.total[type]!++;
    if (agrees) this.right[type]!++;
  }

  /** Where both directions agree both are right, so the share is a product of two trusts. */
  trust(other: number): Float64Array {
    return this.right.map((right, type) => Math.min(CEILING, right / this.total[type]! / other));
  }
}

/** Trust in "these two calls of one burst, sent one after the other, share their parent". */
export function siblingTrust(
  trust: Reliability,
  types: CallTypes,
  before: number,
  client: number,
): number {
  return (
    trust.sibling.get(types.of[before]! * types.names.length + types.of[client]!) ?? PRIOR_MEAN
  );
}

/** True where the label of `before` came to it from `client` itself: no independent witness. */
function isEcho(labels: BackwardLabels, before: number, client: number): boolean {
  return labels.from[before] === client;
}

/**
 * Holds the forward rules against the backward labels, type of call by type of call.
 * Where threads do not answer what they read, neither direction deserves trust, and
 * their agreement bounds both.
 */
export function learnReliability(
  index: ProcessIndex,
  context: ThreadContext,
  types: CallTypes,
  first: Reliability,
  labels: BackwardLabels,
): Reliability {
  const request = new Agreement(first.request);
  const reply = new Agreement(first.reply);
  const connect = new Agreement(first.connect);
  for (let client = 0; client < context.cause.length; client++) {
    const label = labels.server[client]!;
    const cause = context.cause[client]!;
    if (label < 0 || cause < 0) continue;
    const type = types.of[client]!;
    const atConnect = context.atConnect[client] === 1;
    if (context.causeKind[client] === CauseKind.request) {
      (atConnect ? connect : request).add(type, cause === label);
    } else if (context.causeKind[client] === CauseKind.reply && labels.server[cause]! >= 0) {
      if (isEcho(labels, cause, client)) continue;
      (atConnect ? connect : reply).add(type, labels.server[cause] === label);
    }
  }
  const other = isSteady(context) ? CLOSING : 1;
  return {
    ...first,
    sibling: learnSiblings(index, context, types, labels),
    request: request.trust(other),
    reply: reply.trust(other),
    connect: connect.trust(other),
  };
}

/** Says in words how calls of this process find their parents. */
export function describeModel(
  context: ThreadContext,
  types: CallTypes,
  trust: Reliability,
): string {
  if (context.owner.length === 0) return 'makes no calls';
  if (context.affinity === 0) return 'answers no requests: its calls are roots';
  if (!isSteady(context)) return 'work moves between threads: thread context says little';
  const owned = context.owner.reduce((sum, owner) => sum + (owner >= 0 ? 1 : 0), 0);
  if (context.interleaved < 0.005 && owned / context.owner.length > 0.5) {
    return 'one request per thread at a time';
  }
  const calls = new Float64Array(types.names.length);
  for (const type of types.of) calls[type]!++;
  const prompt = trust.request.reduce((sum, value, type) => sum + value * calls[type]!, 0);
  return prompt / types.of.length >= 0.9
    ? 'event loop: a call follows what its thread last read'
    : 'event loop with deferred work: replies that lead to a response decide';
}
