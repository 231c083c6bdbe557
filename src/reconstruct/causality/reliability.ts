import { BackwardKind, type BackwardLabels } from './backward-labels.js';
import type { Candidates } from './candidates.js';
import { CauseKind } from './cause-kind.js';
import { ClassNumbers } from './class-numbers.js';
import { closingTrust } from './closing.js';
import { endTrust } from './ends.js';
import type { EventKinds, ForwardClasses } from './forward.js';
import type { GoroutineContext } from './goroutines.js';
import { beginsTask, continuingTrust } from './helpers.js';
import type { Kinds } from './kinds.js';
import type { Marks } from './marks.js';
import { LEAST_POST_TRUST } from './posts.js';
import type { ProcessIndex } from './process-index.js';
import type { QueueCauses } from './queue/arrangement.js';
import { Observations, trustByRegularity } from './regularity.js';
import { learnRelatives, type Relatives } from './relatives.js';
import { learnSiblings, type SiblingClasses } from './siblings.js';
import type { SliceContext } from './slices.js';
import { STEADY, type ThreadContext } from './thread-context.js';
import { LEAST_WITNESS, namedBy, type TokenMatches } from './tokens/tokens.js';
import type { WakeClasses } from './wakes.js';

/**
 * How far each rule can be trusted in this process: the probability that the server it
 * names is the parent. Learned from the recording itself: from how regularly causes come
 * before effects (regularity.ts), and from the agreement of witnesses that share no
 * assumption. A program that puts a timer or a queue between reading and calling breaks
 * the forward rules, not the backward ones; work after the last reply does the reverse.
 */
export interface Reliability {
  /** Per class of forward.ts, and per client: "what its actor last did is the cause". */
  readonly forwardClasses: Float64Array;
  readonly forward: Float64Array;
  /** Per client: "who woke its actor hands the cause on". */
  readonly wake: Float64Array;
  /** Per client: "the reply read last before a response belongs to that request". */
  readonly closing: Float64Array;
  /** Per client: the same where a thread that read the reply woke the one that answered. */
  readonly closingByWake: Float64Array;
  /** Per client: "what a thread did before it answered, or woke who answers, was for that request". */
  readonly end: Float64Array;
  /** Per client: the same of the thread that had woken the one which made the call. */
  readonly dispatched: Float64Array;
  /** Per client: "it shares its parent with the call that its actor made just before"; 0 where there is none. */
  readonly sibling: Float64Array;
  /** "A thread that reads and answers a request works for it in between"; 0 where threads mean nothing. */
  readonly owner: number;
  /** Per client: "a request read and a call sent in one slice of the Go scheduler"; 0 where there is none. */
  readonly slice: Float64Array;
  /** The same of reply and response. */
  readonly replySlice: number;
  /** By class of relatives.ts: "both work for one request". */
  readonly relatives: Float64Array;
  /** By 1 where a descendant of the request's goroutine waits for the call, else 0. */
  readonly goroutine: readonly number[];
}

/** Weight of the prior in observations. */
const PRIOR_COUNT = 10;
const CEILING = 0.9995;
/** A thread may be woken for another reply than the one that its waker read last. */
const RETURN_PRIOR = 0.9;
/** Hand-offs keep the slice: measured on Go 1.19 and 1.23, 99.8 % hold and more. */
const SLICE_PRIOR = 0.998;
/** Until that is checked it is no witness against others. */
const RETURN_FIRST = 0.5;
/** Where work moves between threads, what a thread last read is at first no more than a hint. */
const UNSTEADY_CEILING = 0.6;
/** From this trust on, a helper's call belongs to the task of its last reply. */
const CONTINUES = 0.8;
/** Labels below this are no witnesses. */
const LEAST_REFERENCE = 0.6;
/** Fewer requests than this share a thread where each has its own: pipelining, or a lost response. */
const ALONE = 0.005;

export function isSteady(context: ThreadContext): boolean {
  return context.affinity >= STEADY;
}

/** True where threads take one request at a time. */
export function isAlone(context: ThreadContext): boolean {
  return context.interleaved < ALONE;
}

/** Per client: the request that a goroutine, or a thread that takes one at a time, proves; -1 none. */
export function provedRequest(context: ThreadContext, goroutines: GoroutineContext) {
  const isOwned = isSteady(context) && isAlone(context);
  return (client: number): number => {
    if (goroutines.server[client]! >= 0) return goroutines.server[client]!;
    return isOwned ? context.owner[client]! : -1;
  };
}

/** Agreement of a rule with a reference, class by class. */
class Agreement {
  private readonly right: Float64Array;
  private readonly total: Float64Array;

  constructor(prior: Float64Array) {
    this.right = prior.map((mean) => mean * PRIOR_COUNT);
    this.total = new Float64Array(prior.length).fill(PRIOR_COUNT);
  }

  /** @param other trust in the reference: where both are right they agree, so the share is a product */
  add(at: number, agrees: boolean, other: number): void {
    this.total[at]! += other;
    if (agrees) this.right[at]!++;
  }

  trust(): Float64Array {
    return this.right.map((right, at) => Math.min(CEILING, right / this.total[at]!));
  }
}

export interface Lessons {
  readonly index: ProcessIndex;
  readonly context: ThreadContext;
  readonly goroutines: GoroutineContext;
  readonly slices: SliceContext;
  readonly relatives: Relatives;
  readonly candidates: Candidates;
  readonly marks: Marks;
  readonly calls: Kinds;
  readonly requests: Kinds;
  readonly events: EventKinds;
  readonly classes: ForwardClasses;
  /** Per message: trust that what its poster had last done led to it. */
  readonly posted: Float64Array;
  /** Per client: 1 where a helper makes it. */
  readonly isHelped: Uint8Array;
  readonly siblings: SiblingClasses;
  readonly wakes: WakeClasses;
  readonly tokens: TokenMatches;
  /** What the order of queues tells, where it tells more than threads do. */
  readonly queues: QueueCauses | undefined;
}

/** Per client: the trust of its class; 0 where it has none. */
function spread(of: Int32Array, trust: Float64Array): Float64Array {
  const out = new Float64Array(of.length);
  for (let i = 0; i < out.length; i++) if (of[i]! >= 0) out[i] = trust[of[i]!]!;
  return out;
}

/** Trust in the cause of each call: by its class, or by what the order of its queue is worth. */
function spreadForward(lessons: Lessons, trust: Float64Array): Float64Array {
  const { classes, context, queues, isHelped } = lessons;
  const forward = Float64Array.from(classes.of, (at, client) => {
    if (at < 0) return 0;
    const isNewTask = isHelped[client] === 1 && beginsTask(context, client);
    const isDoubtful = context.message[client]! >= 0 && trust[at]! < LEAST_POST_TRUST;
    return isDoubtful || (isNewTask && isSteady(context)) ? 0 : trust[at]!;
  });
  if (queues === undefined) return forward;
  return forward.map((own, client) => (context.queued[client] === 1 ? queues.trust[client]! : own));
}

/**
 * A timer that fires in the slice in which a request was read looks as if that request had led
 * to its call: kinds of calls that follow any kind of request alike are such.
 */
function sliceTrust({ slices, candidates, calls, requests }: Lessons): Float64Array {
  const { forward } = slices;
  const own = new Float64Array(forward.length);
  if (!forward.some((server) => server >= 0)) return own;
  const observations = new Observations(calls.count, requests.count);
  for (let client = 0; client < forward.length; client++) {
    const server = forward[client]!;
    if (server < 0 || candidates.open[client]! < 2) continue;
    observations.add(calls.of[client]!, requests.of[server]!);
  }
  const base = new Float64Array(requests.count);
  for (const kind of requests.of) base[kind]!++;
  const trust = trustByRegularity(observations, base);
  for (let client = 0; client < own.length; client++) {
    const server = forward[client]!;
    if (server < 0) continue;
    const learned = trust[calls.of[client]! * requests.count + requests.of[server]!]!;
    own[client] = Math.min(SLICE_PRIOR, learned || SLICE_PRIOR);
  }
  return own;
}

/**
 * By class of forward.ts, by regularity; but a helper that takes tasks of any request goes from one
 * to the next as regularly as from cause to effect.
 */
function firstForward({ classes, context, isHelped }: Lessons): Float64Array {
  if (!isSteady(context)) return classes.trust.map((trust) => Math.min(UNSTEADY_CEILING, trust));
  const continuing = continuingTrust(context, classes.of, classes.count, isHelped);
  return classes.trust.map((trust, at) =>
    at < classes.firstHelper ? trust : Math.min(trust, continuing[at]!),
  );
}

/** What can be said before any witness is held against another. */
export function firstReliability(lessons: Lessons): Reliability {
  const { index, context, candidates, marks, events, calls, requests } = lessons;
  const { goroutines, siblings, wakes } = lessons;
  const { endKind, handBacks } = context;
  const ends = (end: Int32Array) =>
    endTrust(index, candidates, calls, requests, end, endKind, handBacks);
  const steady = isSteady(context);
  const forwardClasses = firstForward(lessons);
  return {
    forwardClasses,
    forward: spreadForward(lessons, forwardClasses),
    wake: spread(wakes.of, wakes.trust),
    closing:
      lessons.queues?.closings?.trust ??
      closingTrust(index, context, marks, candidates, events, requests, lessons.posted),
    closingByWake: spread(
      context.closesByWake,
      new Float64Array(index.servers.length).fill(RETURN_FIRST),
    ),
    end: ends(context.end),
    dispatched: ends(context.lenderEnd),
    sibling: spread(
      siblings.of,
      Float64Array.from(siblings.prior, (own) => (steady ? own : 0)),
    ),
    owner: steady ? (isAlone(context) ? 0.9999 : 0.999) : 0,
    slice: sliceTrust(lessons),
    replySlice: SLICE_PRIOR,
    relatives: new Float64Array(lessons.relatives.isSame.length),
    goroutine: goroutines.steps.length === 0 ? [0, 0] : [0.9999, 0.9995],
  };
}

/** Per client: 1 where a helper makes it, and not because of its last reply. */
export function tasksOfHelpers({ isHelped, context }: Lessons, first: Reliability): Uint8Array {
  return isHelped.map((flag, client) =>
    context.causeKind[client] === CauseKind.reply && first.forward[client]! >= CONTINUES ? 0 : flag,
  );
}

/** What is known of a call without its forward rules: proof if there is any, else what responses say. */
function reference(lessons: Lessons, trust: Reliability, labels: BackwardLabels) {
  const { context, goroutines } = lessons;
  return (client: number): { server: number; trust: number } => {
    if (goroutines.server[client]! >= 0) return { server: goroutines.server[client]!, trust: 1 };
    const slice = lessons.slices.forward[client]!;
    if (slice >= 0) return { server: slice, trust: trust.slice[client]! };
    const owner = context.owner[client]!;
    if (owner >= 0 && trust.owner > 0) return { server: owner, trust: trust.owner };
    const token = namedBy(lessons.tokens, client);
    if (token.trust >= LEAST_WITNESS) return token;
    return { server: labels.server[client]!, trust: labels.reliability[client]! };
  };
}

/**
 * Holds the forward rules against the backward labels, class by class. Where both agree
 * both are right, so the share that agrees is a product of two trusts.
 */
export function learnReliability(
  lessons: Lessons,
  first: Reliability,
  labels: BackwardLabels,
): Reliability {
  const { index, context, candidates, calls, classes, siblings, wakes } = lessons;
  const forward = new Agreement(first.forwardClasses);
  const wake = new Agreement(wakes.trust);
  const known = reference(lessons, first, labels);
  const compare = (tally: Agreement, at: number, client: number, kind: number, cause: number) => {
    const own = known(client);
    if (own.server < 0 || own.trust < LEAST_REFERENCE) return;
    if (kind === CauseKind.request || kind === CauseKind.response) {
      tally.add(at, cause === own.server, own.trust);
    } else if (kind === CauseKind.reply) {
      const earlier = known(cause);
      // A label that came from this very call is an echo, not a witness.
      const isEcho = labels.from[cause] === client && earlier.server === labels.server[cause];
      if (earlier.server < 0 || earlier.trust < LEAST_REFERENCE || isEcho) return;
      tally.add(at, earlier.server === own.server, own.trust * earlier.trust);
    }
  };
  for (let client = 0; client < context.cause.length; client++) {
    if (candidates.open[client]! < 2) continue;
    const at = classes.of[client]!;
    if (at >= 0) compare(forward, at, client, context.causeKind[client]!, context.cause[client]!);
    if (wakes.of[client]! < 0) continue;
    const cause = context.wakeCause[client]!;
    compare(wake, wakes.of[client]!, client, context.wakeKind[client]!, cause);
  }
  const wakeTrust = spread(wakes.of, wake.trust());
  return {
    ...first,
    // Where work moves between threads, what one does next is as likely another's.
    sibling: isSteady(context)
      ? spread(siblings.of, learnSiblings(index, context, calls, siblings, labels))
      : first.sibling,
    forward: spreadForward(lessons, forward.trust()),
    wake: wakeTrust,
    relatives: learnRelatives(lessons.relatives, lessons.slices, candidates, labels),
    closingByWake: learnReturns(lessons, { ...first, wake: wakeTrust }, labels),
  };
}

/**
 * Trust in "who reads a reply and then wakes a thread that answers does so for that reply", by
 * kinds of call and request, held against what else is known of calls that no thread owns.
 */
function learnReturns(
  { context, goroutines, candidates, calls, requests }: Lessons,
  first: Reliability,
  labels: BackwardLabels,
): Float64Array {
  const { closesByWake, wakeKind, wakeCause } = context;
  const numbers = new ClassNumbers();
  const of = closesByWake.map((server, client) =>
    server < 0 ? -1 : numbers.of(calls.of[client]! * requests.count + requests.of[server]!),
  );
  const tally = new Agreement(new Float64Array(numbers.count).fill(RETURN_PRIOR));
  for (let client = 0; client < of.length; client++) {
    if (of[client]! < 0 || candidates.open[client]! < 2 || goroutines.server[client]! >= 0)
      continue;
    // Where a thread owns the call, being woken for it is no surprise, and no lesson for others.
    if (first.owner > 0 && context.owner[client]! >= 0) continue;
    const server = closesByWake[client]!;
    if (wakeKind[client] === CauseKind.request) {
      tally.add(of[client]!, wakeCause[client] === server, first.wake[client]!);
    }
    const isOther = labels.kind[client] !== BackwardKind.closingByWake;
    if (isOther && labels.server[client]! >= 0 && labels.reliability[client]! >= LEAST_REFERENCE) {
      tally.add(of[client]!, labels.server[client] === server, labels.reliability[client]!);
    }
  }
  return spread(of, tally.trust());
}
