import { positionOf } from './axis.js';
import { type Example, sortBundle } from './bundles.js';
import { GapDensity } from './density.js';
import { GapHistogram } from './histogram.js';
import { NONE, type TimingProblem } from './problem.js';

/** Rounds of weighing candidates and learning from the weights. */
const ROUNDS = 8;

/** A weight below which a candidate teaches nothing, and one below which it is not weighed again. */
const LEAST_TO_LEARN = 1e-4;
const LEAST_TO_WEIGH = 1e-12;
/** Log density of gaps of a kind of which there is no example, and of a gap whose end was never seen, nats. */
const UNSEEN = -60;
const UNSEEN_END = -30;

/** Gaps from the span's start to a call's, and from a call's end to the span's. */
interface Ends {
  readonly before: GapHistogram;
  readonly after: GapHistogram;
}

/** What the candidates of calls are weighed by: per entry of the problem's list. */
interface Gaps {
  /** Where the gaps at both ends lie on the axis; NaN where one is not known. */
  readonly before: Float32Array;
  readonly after: Float32Array;
  /** Kind: route and type. */
  readonly kind: Uint32Array;
}

function measureGaps(problem: TimingProblem): Gaps {
  const { offsets, list, spanStart, spanEnd, spanRoute, callStart, callEnd, callType } = problem;
  const types = callType.reduce((most, type) => Math.max(most, type + 1), 0);
  const before = new Float32Array(list.length);
  const after = new Float32Array(list.length);
  const kind = new Uint32Array(list.length);
  for (let call = 0; call < callStart.length; call++) {
    for (let at = offsets[call]!; at < offsets[call + 1]!; at++) {
      const span = list[at]!;
      before[at] = positionIfKnown(callStart[call]! - spanStart[span]!);
      after[at] = positionIfKnown(spanEnd[span]! - callEnd[call]!);
      kind[at] = spanRoute[span]! * types + callType[call]!;
    }
  }
  return { before, after, kind };
}

function positionIfKnown(gap: number): number {
  return Number.isFinite(gap) ? positionOf(gap) : Number.NaN;
}

/**
 * How probable each candidate is for a call on its own: gaps to the span's start and end, per
 * route and type, learned by expectation and maximisation from all candidates at once. The
 * true candidates share their gaps, the others spread theirs. Works where no span is beyond doubt.
 *
 * @returns per entry of the problem's list: weight, in sum one per call
 */
export function softWeights(problem: TimingProblem): Float64Array {
  const { offsets, list, prior, tick } = problem;
  const weights = new Float64Array(list.length);
  for (let call = 0; call + 1 < offsets.length; call++) {
    const [from, to] = [offsets[call]!, offsets[call + 1]!];
    weights.fill(1 / (to - from), from, to);
  }
  const gaps = measureGaps(problem);
  for (let round = 0; round < ROUNDS; round++) {
    const learned: Ends[] = [];
    for (let at = 0; at < list.length; at++) {
      if (weights[at]! < LEAST_TO_LEARN) continue;
      const kind = gaps.kind[at]!;
      learned[kind] ??= { before: new GapHistogram(tick), after: new GapHistogram(tick) };
      const { before, after } = learned[kind];
      if (!Number.isNaN(gaps.before[at]!)) before.addAt(gaps.before[at]!, weights[at]!);
      if (!Number.isNaN(gaps.after[at]!)) after.addAt(gaps.after[at]!, weights[at]!);
    }
    const densities: { before: GapDensity; after: GapDensity }[] = [];
    for (const [kind, ends] of learned.entries()) {
      if (ends === undefined || ends.before.total === 0 || ends.after.total === 0) continue;
      const { before, after } = ends;
      densities[kind] = { before: new GapDensity(before), after: new GapDensity(after) };
    }
    for (let call = 0; call + 1 < offsets.length; call++) {
      const [from, to] = [offsets[call]!, offsets[call + 1]!];
      if (to - from < 2) continue;
      let most = Number.NEGATIVE_INFINITY;
      for (let at = from; at < to; at++) {
        if (weights[at]! < LEAST_TO_WEIGH) {
          weights[at] = Number.NEGATIVE_INFINITY;
          continue;
        }
        const known = densities[gaps.kind[at]!];
        weights[at] = prior[at]! + (known === undefined ? UNSEEN : logOf(known, gaps, at));
        if (weights[at]! > most) most = weights[at]!;
      }
      let sum = 0;
      for (let at = from; at < to; at++) {
        weights[at] = Math.exp(weights[at]! - most);
        sum += weights[at]!;
      }
      for (let at = from; at < to; at++) weights[at]! /= sum;
    }
  }
  return weights;
}

function logOf(known: { before: GapDensity; after: GapDensity }, gaps: Gaps, at: number): number {
  const before = gaps.before[at]!;
  const after = gaps.after[at]!;
  const log = Number.isNaN(before) ? UNSEEN_END : known.before.logAt(before);
  return log + (Number.isNaN(after) ? UNSEEN_END : known.after.logAt(after));
}

/** Weight below which a candidate is not considered for a start. */
const LEAST_WEIGHT = 0.02;

/** How many calls of each type a span gets at first: the mean over those that may have any. */
function roomPerType({ offsets, list, callType, callStart }: TimingProblem): number[] {
  const calls: number[] = [];
  const spans: Set<number>[] = [];
  for (let call = 0; call < callStart.length; call++) {
    const type = callType[call]!;
    calls[type] = (calls[type] ?? 0) + 1;
    spans[type] ??= new Set();
    for (let at = offsets[call]!; at < offsets[call + 1]!; at++) spans[type].add(list[at]!);
  }
  return Array.from(calls, (count, type) =>
    Math.max(1, Math.round((count ?? 0) / Math.max(1, spans[type]?.size ?? 1))),
  );
}

/**
 * Each call with its most probable candidate that has room for it, as an example per span.
 *
 * @param weights of {@link softWeights}
 */
export function softExamples(problem: TimingProblem, weights: Float64Array): Example[] {
  const { offsets, list, callType, callStart } = problem;
  const callOf = new Uint32Array(list.length);
  for (let call = 0; call < callStart.length; call++) {
    callOf.fill(call, offsets[call]!, offsets[call + 1]!);
  }
  const order = Uint32Array.from(weights.keys())
    .filter((at) => weights[at]! >= LEAST_WEIGHT)
    .sort((a, b) => weights[b]! - weights[a]! || a - b);
  const room = roomPerType(problem);
  const bundles = Array.from(problem.spanStart, (): number[] => []);
  const isPlaced = new Uint8Array(callStart.length);
  for (const at of order) {
    const call = callOf[at]!;
    if (isPlaced[call] === 1) continue;
    const bundle = bundles[list[at]!]!;
    let same = 0;
    for (const other of bundle) if (callType[other] === callType[call]) same++;
    if (same >= room[callType[call]!]!) continue;
    isPlaced[call] = 1;
    bundle.push(call);
  }
  return bundles.map((bundle, span) => ({ span, bundle: sortBundle(problem, bundle), weight: 1 }));
}

/** How much less a candidate is worth for having such a call already. */
const CROWDED = 0.01;

/** Gives calls that have no place yet to their most probable candidate, rather one without such calls. */
export function placeRest(problem: TimingProblem, weights: Float64Array, parent: Int32Array): void {
  const { offsets, list, callType } = problem;
  const types = callType.reduce((most, type) => Math.max(most, type + 1), 0);
  const taken = new Set<number>();
  for (let call = 0; call < parent.length; call++) {
    if (parent[call] !== NONE) taken.add(parent[call]! * types + callType[call]!);
  }
  for (let call = 0; call < parent.length; call++) {
    if (parent[call] !== NONE) continue;
    let best = NONE;
    let most = -1;
    for (let at = offsets[call]!; at < offsets[call + 1]!; at++) {
      const isCrowded = taken.has(list[at]! * types + callType[call]!);
      const weight = isCrowded ? weights[at]! * CROWDED : weights[at]!;
      if (weight <= most) continue;
      most = weight;
      best = list[at]!;
    }
    if (best === NONE) continue;
    parent[call] = best;
    taken.add(best * types + callType[call]!);
  }
}
