import type { BackwardLabels } from './backward-labels.js';
import { BackwardKind } from './backward-labels.js';
import { ClassNumbers, gapBucket } from './class-numbers.js';
import type { Kinds } from './kinds.js';
import { ORIGIN_KINDS, originTime } from './origins.js';
import type { ProcessIndex } from './process-index.js';
import type { ThreadContext } from './thread-context.js';

/** Weight of the prior in observations, and its mean where calls follow each other at once. */
const PRIOR_COUNT = 10;
const PRIOR_MEAN = 0.95;
const CEILING = 0.9995;
/** Pairs are told apart by the time between them: up to 32 µs, then in steps of a factor of 4. */
const LEAST_GAP_NS = 32e3;
const GAP_BUCKETS = 6;
/** Labels below this teach nothing. */
const LEAST_LABEL = 0.3;
/** The further apart, the less is believed unseen. */
const BELIEF_PER_BUCKET = 0.75;

/** Numbers the classes of neighbours: pairs of kinds by the time between them. */
export class SiblingClasses {
  private readonly numbers = new ClassNumbers();
  /** Per client: class of the pair that it makes with the call before it; -1 none. */
  readonly of: Int32Array;
  /** Per class: trust before anything is learned. */
  readonly prior: number[] = [];

  constructor(index: ProcessIndex, context: ThreadContext, calls: Kinds) {
    this.of = context.before.map((before, client) => {
      if (before < 0) return -1;
      const gap =
        originTime(index, context.origin, client) - originTime(index, context.origin, before);
      const bucket = gapBucket(gap, LEAST_GAP_NS, GAP_BUCKETS);
      const pair = calls.of[before]! * calls.count + calls.of[client]!;
      // Opening a connection may come later than the call made after it: then the order is another.
      const origins = context.origin[before]! * ORIGIN_KINDS + context.origin[client]!;
      const key = (pair * ORIGIN_KINDS ** 2 + origins) * GAP_BUCKETS + bucket;
      const known = this.numbers.of(key);
      this.prior[known] = PRIOR_MEAN * BELIEF_PER_BUCKET ** bucket;
      return known;
    });
  }
}

/** What speaks for and against one class. */
class Tally {
  /** Neighbours with labels of their own: how many, and how many agree. */
  labelled = 0;
  agreeing = 0;
  /** Neighbours of which one led to the next call or closed: how many, and how many had replied by then. */
  joined = 0;
  inTime = 0;
  /** The same for calls that are no neighbours. */
  strangers = 0;
  strangersInTime = 0;

  /**
   * Of two calls made together, whose replies the program awaits before it goes on, only the
   * later reply leads on and gets its label; the other has none to compare. But it must have
   * arrived by then, which holds for strangers only by chance: with v the share seen and c the
   * chance, they are siblings in (v - c) / (1 - c).
   */
  addJoin(index: ProcessIndex, at: number, other: number, stranger: number): void {
    this.joined++;
    if (index.clientEnd[other]! <= at) this.inTime++;
    if (stranger === -1 || index.clientStart[stranger]! >= at) return;
    this.strangers++;
    if (index.clientEnd[stranger]! <= at) this.strangersInTime++;
  }

  trust(prior: number): number {
    let right = PRIOR_COUNT * prior + this.agreeing;
    let total = PRIOR_COUNT + this.labelled;
    const chance = (this.strangersInTime + 1) / (this.strangers + 2);
    if (this.joined > 0 && chance < 0.9) {
      const share = Math.max(0, (this.inTime / this.joined - chance) / (1 - chance));
      right += share * this.joined;
      total += this.joined;
    }
    return Math.min(CEILING, right / total);
  }
}

/** Per call: the next call of the same kind, -1 none. */
function nextOfKind(calls: Kinds): Int32Array {
  const next = new Int32Array(calls.of.length).fill(-1);
  const last = new Int32Array(calls.count).fill(-1);
  for (let client = calls.of.length - 1; client >= 0; client--) {
    next[client] = last[calls.of[client]!]!;
    last[calls.of[client]!] = client;
  }
  return next;
}

/** When the reply of a labelled call led on: to the next call, or to the response. NaN where it did neither. */
function ledOnAt(
  index: ProcessIndex,
  context: ThreadContext,
  labels: BackwardLabels,
  known: number,
) {
  if (labels.kind[known] === BackwardKind.successor) {
    return index.clientStart[labels.from[known]!]!;
  }
  const { closing, closingByPost } = BackwardKind;
  if (labels.kind[known] !== closing && labels.kind[known] !== closingByPost) return Number.NaN;
  return index.clientEnd[known]! + context.closesGap[known]!;
}

/**
 * How often two calls of a burst, made one after the other, share their parent.
 *
 * @param labels what the responses say, without anything shared within bursts
 * @returns per class: trust, 0..1
 */
export function learnSiblings(
  index: ProcessIndex,
  context: ThreadContext,
  calls: Kinds,
  classes: SiblingClasses,
  labels: BackwardLabels,
): Float64Array {
  const tallies = classes.prior.map(() => new Tally());
  const next = nextOfKind(calls);
  const serverOf = (client: number) =>
    labels.reliability[client]! < LEAST_LABEL ? -1 : labels.server[client]!;
  for (let client = 0; client < context.before.length; client++) {
    const before = context.before[client]!;
    if (before < 0) continue;
    const tally = tallies[classes.of[client]!]!;
    const [first, second] = [serverOf(before), serverOf(client)];
    if (first >= 0 && second >= 0) {
      tally.labelled++;
      if (first === second) tally.agreeing++;
    } else if (first >= 0 || second >= 0) {
      const known = first >= 0 ? before : client;
      const other = first >= 0 ? client : before;
      const at = ledOnAt(index, context, labels, known);
      if (!Number.isNaN(at)) tally.addJoin(index, at, other, next[other]!);
    }
  }
  return Float64Array.from(tallies, (tally, at) => tally.trust(classes.prior[at]!));
}
