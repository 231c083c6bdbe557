import { type Example, sortBundle } from './bundles.js';
import { GapDensity } from './density.js';
import { GapHistogram } from './histogram.js';
import { NONE, type TimingProblem } from './problem.js';

/** Rounds of weighing candidates and learning from the weights. */
const ROUNDS = 8;

/** Gaps from the span's start to a call's, and from a call's end to the span's. */
interface Ends {
  readonly before: GapHistogram;
  readonly after: GapHistogram;
}

/**
 * How probable each candidate is for a call on its own: gaps to the span's start and end, per
 * route and type, learned by expectation and maximisation from all candidates at once. The
 * true candidates share their gaps, the others spread theirs. Works where no span is beyond doubt.
 *
 * @returns per entry of the problem's list: weight, in sum one per call
 */
export function softWeights(problem: TimingProblem): Float64Array {
  const { offsets, list, spanStart, spanEnd, spanRoute, callStart, callEnd, callType, tick } =
    problem;
  const weights = new Float64Array(list.length);
  const calls = callStart.length;
  for (let call = 0; call < calls; call++) {
    const from = offsets[call]!;
    const to = offsets[call + 1]!;
    for (let at = from; at < to; at++) weights[at] = 1 / (to - from);
  }
  const types = callType.reduce((most, type) => Math.max(most, type + 1), 0);
  const keyOf = (call: number, span: number) => spanRoute[span]! * types + callType[call]!;
  for (let round = 0; round < ROUNDS; round++) {
    const learned = new Map<number, Ends>();
    for (let call = 0; call < calls; call++) {
      for (let at = offsets[call]!; at < offsets[call + 1]!; at++) {
        if (weights[at]! < 1e-4) continue;
        const span = list[at]!;
        const key = keyOf(call, span);
        let ends = learned.get(key);
        if (ends === undefined) {
          ends = { before: new GapHistogram(tick), after: new GapHistogram(tick) };
          learned.set(key, ends);
        }
        ends.before.add(callStart[call]! - spanStart[span]!, weights[at]!);
        ends.after.add(spanEnd[span]! - callEnd[call]!, weights[at]!);
      }
    }
    const densities = new Map<number, { before: GapDensity; after: GapDensity; share: number }>();
    for (const [key, { before, after }] of learned) {
      if (before.total === 0 || after.total === 0) continue;
      densities.set(key, {
        before: new GapDensity(before),
        after: new GapDensity(after),
        share: Math.log(before.total),
      });
    }
    for (let call = 0; call < calls; call++) {
      const from = offsets[call]!;
      const to = offsets[call + 1]!;
      if (to - from < 2) continue;
      let most = Number.NEGATIVE_INFINITY;
      for (let at = from; at < to; at++) {
        const span = list[at]!;
        const known = densities.get(keyOf(call, span));
        let log = problem.prior[at]! - 60;
        if (known !== undefined) {
          log = problem.prior[at]! + known.before.log(callStart[call]! - spanStart[span]!);
          log += known.after.log(spanEnd[span]! - callEnd[call]!);
        }
        weights[at] = log;
        if (log > most) most = log;
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
