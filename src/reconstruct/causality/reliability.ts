import { BackwardKind, type BackwardLabels } from './backward-labels.js';
import type { Candidates } from './candidates.js';
import { closingTrust } from './closing.js';
import { type ForwardClasses, type EventKinds } from './forward.js';
import type { GoroutineContext } from './goroutines.js';
import type { Kinds } from './kinds.js';
import type { Marks } from './marks.js';
import type { ProcessIndex } from './process-index.js';
import { learnSiblings } from './siblings.js';
import { CauseKind, EndKind, type ThreadContext } from './thread-context.js';

/**
 * How far each rule can be trusted in this process: the probability that the server it
 * names is the parent. Learned from the recording itself: from how regularly causes come
 * before effects (regularity.ts), and from the agreement of witnesses that share no
 * assumption. A program that puts a timer or a queue between reading and calling breaks
 * the forward rules, not the backward ones; work after the last reply does the reverse.
 */
export interface Reliability {
  /** Per client: "what its actor last did is the cause". */
  readonly forward: Float64Array;
  /** Per client: "who woke its actor hands the cause on". */
  readonly wake: Float64Array;
  /** Per client: "the reply read last before a response belongs to that request". */
  readonly closing: Float64Array;
  /** The same where a thread that read the reply woke the one that answered. */
  readonly closingByWake: number;
  /** By EndKind: "what a thread did before it answered, or woke who answers, was for that request". */
  readonly end: readonly number[];
  /** Per pair of kinds, number first * kinds + second: "two calls made one after the other share their parent". */
  readonly sibling: ReadonlyMap<number, number>;
  /** "A thread that reads and answers a request works for it in between"; 0 where threads mean nothing. */
  readonly owner: number;
  /** By 1 where a descendant of the request's goroutine waits for the call, else 0. */
  readonly goroutine: readonly number[];
}

/** Weight of the prior in observations, and its mean where nothing was learned. */
const PRIOR_COUNT = 10;
const PRIOR_MEAN = 0.95;
const CEILING = 0.9995;
/** Share of requests answered by the thread that read them, from which on threads mean something. */
const STEADY = 0.95;
/** Fewer requests than this share a thread where each has its own: pipelining, or a lost response. */
const ALONE = 0.005;
/** Of calls given to the wrong worker, at least this share is not answered by the time it ends. */
const CAUGHT = 0.2;

export function isSteady(context: ThreadContext): boolean {
  return context.affinity >= STEADY;
}

/** True where threads take one request at a time. */
export function isAlone(context: ThreadContext): boolean {
  return context.interleaved < ALONE;
}

/**
 * Trust in "what a thread did up to this end was for that request", by kind of end. Where it
 * does not hold, many calls have no reply by then, and their requests had not begun.
 */
function endTrust(index: ProcessIndex, context: ThreadContext, candidates: Candidates): number[] {
  const seen = [0, 0, 0];
  const broken = [0, 0, 0];
  for (let client = 0; client < context.end.length; client++) {
    const server = context.end[client]!;
    if (server < 0 || candidates.open[client]! < 2) continue;
    const kind = context.endKind[client]!;
    seen[kind]!++;
    const isLate = index.clientEnd[client]! > index.serverEnd[server]!;
    if (isLate || !candidates.isOpen(client, server)) broken[kind]!++;
  }
  return seen.map((count, kind) => {
    if (kind === EndKind.none) return 0;
    const share = (broken[kind]! + 0.05) / (count + PRIOR_COUNT);
    return Math.min(0.999, Math.max(0, 1 - share / CAUGHT));
  });
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
  readonly candidates: Candidates;
  readonly marks: Marks;
  readonly calls: Kinds;
  readonly requests: Kinds;
  readonly events: EventKinds;
  readonly classes: ForwardClasses;
}

/** Classes of "who woke the thread": by kind of call, what was handed on, and whether it was used before. */
function wakeClass({ context, calls }: Lessons, client: number): number {
  const later = context.wakeUses[client] === 0 ? 0 : 1;
  return (calls.of[client]! * 4 + context.wakeKind[client]!) * 2 + later;
}

function spread(of: ArrayLike<number>, trust: Float64Array): Float64Array {
  return Float64Array.from(of, (at) => (at < 0 ? 0 : trust[at]!));
}

/** What can be said before any witness is held against another. */
export function firstReliability(lessons: Lessons): Reliability {
  const { index, context, candidates, marks, events, requests, classes, goroutines } = lessons;
  const steady = isSteady(context);
  return {
    forward: spread(classes.of, classes.trust),
    wake: Float64Array.from(context.wakeKind, (kind) => (kind === CauseKind.none ? 0 : PRIOR_MEAN)),
    closing: closingTrust(index, context, marks, candidates, events, requests),
    closingByWake: PRIOR_MEAN,
    end: endTrust(index, context, candidates),
    sibling: new Map(),
    owner: steady ? (isAlone(context) ? 0.9999 : 0.999) : 0,
    goroutine: goroutines.steps.length === 0 ? [0, 0] : [0.9999, 0.9995],
  };
}

/** Trust in "these two calls of one burst, made one after the other, share their parent". */
export function siblingTrust(
  trust: Reliability,
  calls: Kinds,
  before: number,
  client: number,
): number {
  return trust.sibling.get(calls.of[before]! * calls.count + calls.of[client]!) ?? PRIOR_MEAN;
}

/** What is known of a call without its forward rules: proof if there is any, else what responses say. */
function reference(lessons: Lessons, trust: Reliability, labels: BackwardLabels) {
  const { context, goroutines } = lessons;
  return (client: number): { server: number; trust: number } => {
    if (goroutines.server[client]! >= 0) return { server: goroutines.server[client]!, trust: 1 };
    const owner = context.owner[client]!;
    if (owner >= 0 && trust.owner > 0) return { server: owner, trust: trust.owner };
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
  const { index, context, candidates, calls, classes } = lessons;
  const forward = new Agreement(classes.trust);
  const wake = new Agreement(new Float64Array(calls.count * 8).fill(PRIOR_MEAN));
  const known = reference(lessons, first, labels);
  const compare = (tally: Agreement, at: number, client: number, kind: number, cause: number) => {
    const own = known(client);
    if (own.server < 0 || own.trust < 0.9) return;
    if (kind === CauseKind.request) tally.add(at, cause === own.server, own.trust);
    else if (kind === CauseKind.reply) {
      const earlier = known(cause);
      // A label that came from this very call is an echo, not a witness.
      const isEcho = labels.from[cause] === client && earlier.server === labels.server[cause];
      if (earlier.server < 0 || earlier.trust < 0.9 || isEcho) return;
      tally.add(at, earlier.server === own.server, own.trust * earlier.trust);
    }
  };
  for (let client = 0; client < context.cause.length; client++) {
    if (candidates.open[client]! < 2) continue;
    const at = classes.of[client]!;
    if (at >= 0) compare(forward, at, client, context.causeKind[client]!, context.cause[client]!);
    if (context.wakeKind[client] === CauseKind.none) continue;
    const cause = context.wakeCause[client]!;
    compare(wake, wakeClass(lessons, client), client, context.wakeKind[client]!, cause);
  }
  const wakeTrust = wake.trust();
  return {
    ...first,
    sibling: learnSiblings(index, context, calls, labels),
    forward: spread(classes.of, forward.trust()),
    wake: Float64Array.from(context.wakeKind, (kind, client) =>
      kind === CauseKind.none ? 0 : wakeTrust[wakeClass(lessons, client)]!,
    ),
    closingByWake: learnOwn(lessons, first, labels),
  };
}

/** Trust in wake-ups after a reply, held against what else is known of the call. */
function learnOwn({ context, goroutines, candidates }: Lessons, first: Reliability, labels: BackwardLabels) {
  let right = PRIOR_COUNT * PRIOR_MEAN;
  let total = PRIOR_COUNT;
  for (let client = 0; client < context.closesByWake.length; client++) {
    const server = context.closesByWake[client]!;
    if (server < 0 || candidates.open[client]! < 2 || goroutines.server[client]! >= 0) continue;
    const owner = first.owner > 0 ? context.owner[client]! : -1;
    const isOther = labels.kind[client] !== BackwardKind.closingByWake;
    const other = owner >= 0 ? owner : isOther ? labels.server[client]! : -1;
    if (other < 0) continue;
    total++;
    if (other === server) right++;
  }
  return Math.min(CEILING, right / total);
}
