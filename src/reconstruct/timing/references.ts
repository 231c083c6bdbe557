import type { Example } from './bundles.js';
import { GapDensity } from './density.js';
import { GapHistogram } from './histogram.js';
import type { TimingProblem } from './problem.js';

/** Examples from which references are chosen; more change nothing. */
const MOST_EXAMPLES = 600;
/** What a reference other than the start must gain per gap, nats: against choosing by chance. */
const REFERENCE_PENALTY = 0.02;

/** Events that a gap may be measured from. Slot k's start is 1 + 2k, its end 2 + 2k. */
export const SPAN_START = 0;
export const LATEST_END = -1;

/** When the calls of one shape begin: their order, and the event that each follows. */
export interface Structure {
  /** Slots in the order in which they usually begin. */
  readonly order: Int32Array;
  /** Per place in the order, and last for the response: the event its gap is measured from. */
  readonly reference: Int32Array;
}

/** The moment of an event that happens before a place is reached. */
export function momentOf(
  problem: TimingProblem,
  order: Int32Array,
  { span, bundle }: Pick<Example, 'span' | 'bundle'>,
  code: number,
  place: number,
): number {
  const { spanStart, callStart, callEnd } = problem;
  if (code === SPAN_START) return spanStart[span]!;
  if (code !== LATEST_END) {
    const call = bundle[(code - 1) >> 1]!;
    return (code & 1) === 1 ? callStart[call]! : callEnd[call]!;
  }
  let latest = spanStart[span]!;
  for (let earlier = 0; earlier < place; earlier++) {
    const end = callEnd[bundle[order[earlier]!]!]!;
    if (end > latest) latest = end;
  }
  return latest;
}

/** When a place is reached: its call starts or, last, the span ends. */
export function arrivalAt(
  { callStart, spanEnd }: TimingProblem,
  order: Int32Array,
  { span, bundle }: Pick<Example, 'span' | 'bundle'>,
  place: number,
): number {
  return place < order.length ? callStart[bundle[order[place]!]!]! : spanEnd[span]!;
}

/** Slots by the median of their start after the span's. */
function usualOrder(
  problem: TimingProblem,
  examples: readonly Example[],
  slots: number,
): Int32Array {
  const medians = Array.from({ length: slots }, (_, slot) => {
    const starts = Float64Array.from(
      examples,
      ({ span, bundle }) => problem.callStart[bundle[slot]!]! - problem.spanStart[span]!,
    ).sort();
    return starts[starts.length >> 1]!;
  });
  return Int32Array.from(medians.keys()).sort((a, b) => medians[a]! - medians[b]! || a - b);
}

/** Codes of the events that may lead to a place. */
function possible(order: Int32Array, place: number): number[] {
  const isResponse = place === order.length;
  // With one call, the response follows its reply: nothing else can explain a link.
  if (isResponse && place === 1) return [2 + 2 * order[0]!];
  const codes = [SPAN_START];
  for (let earlier = 0; earlier < place; earlier++) {
    const slot = order[earlier]!;
    if (!isResponse) codes.push(1 + 2 * slot);
    codes.push(2 + 2 * slot);
  }
  if (place > 1) codes.push(LATEST_END);
  return codes;
}

/**
 * Takes for each place the event from which the gap varies least, in the sense of its entropy.
 *
 * @param examples spans with bundles of the same types, at least one
 */
export function learnStructure(problem: TimingProblem, examples: readonly Example[]): Structure {
  const stride = Math.ceil(examples.length / MOST_EXAMPLES);
  const sample = stride === 1 ? examples : examples.filter((_, i) => i % stride === 0);
  const slots = examples[0]!.bundle.length;
  const order = usualOrder(problem, sample, slots);
  const reference = new Int32Array(slots + 1);
  const gaps = new GapHistogram(problem.tick);
  for (let place = 0; place <= slots; place++) {
    let best = Number.NEGATIVE_INFINITY;
    const codes = possible(order, place);
    reference[place] = codes[0]!;
    if (codes.length === 1) continue;
    for (const code of codes) {
      gaps.clear();
      for (const example of sample) {
        const from = momentOf(problem, order, example, code, place);
        gaps.add(arrivalAt(problem, order, example, place) - from, example.weight);
      }
      if (gaps.total === 0) continue;
      const penalty = code === SPAN_START ? 0 : REFERENCE_PENALTY;
      const mean = new GapDensity(gaps, sample.length).meanLog(gaps) - penalty;
      if (mean <= best) continue;
      best = mean;
      reference[place] = code;
    }
  }
  return { order, reference };
}
