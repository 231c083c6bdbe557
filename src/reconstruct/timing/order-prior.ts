import type { Bundle } from './bundles.js';
import type { TimingModel } from './model.js';
import type { TimingProblem } from './problem.js';
import { momentOf } from './references.js';

/** Spans of the same route, to each side in order of start, that a span is held against. */
const REACH = 6;
/** Spans times types up to which moments are kept: 16 bytes each. */
const MOST_MOMENTS = 4e6;
/** Inversions that chance alone would have made, from which their absence means something. */
const LEAST_EXPECTED = 6;
/** How many expected inversions of other channels count for one of which little is seen. */
const MOST_BORROWED = 10;
/** Wrong links of the state at hand invert what is in order: what is seen is taken for half the truth, in logs. */
const STRENGTH = 2;
/** Log odds of an inversion against chance: less than the first counts, no less than the second. */
const NOTABLE = -1.4;
const LEAST_ODDS = -6;

/** Neighbours out of order: how many there are, and how many chance alone would have made. */
interface Inversions {
  readonly seen: number;
  readonly expected: number;
}

const NO_INVERSIONS: Inversions = { seen: 0, expected: 0 };

function ratioOf({ seen, expected }: Inversions): number {
  return (seen + 0.5) / (expected + 0.5);
}

/**
 * First in, first out: where an event loop or a queue keeps order, of two spans of a route the one
 * whose event came first makes its call first. Whether that holds is learned, per route and type
 * of call, from how seldom the order is inverted, against how often it would be if gaps did
 * not know of each other. A pairwise prior on permutations (Mallows, 1957).
 */
export class OrderPrior {
  readonly #problem: TimingProblem;
  readonly #model: TimingModel;
  readonly #types: number;
  /** Per route and type: log odds, 0 where order says nothing. */
  readonly #odds: Float64Array;
  /** Per route and type: 1 where the span's start is the event, 0 where it is that of the template. */
  readonly #bySpan: Uint8Array;
  /** Per span and type: when the event came that the call follows, and when it began; NaN if none or several. */
  readonly #events: Float64Array;
  readonly #starts: Float64Array;
  /** Spans by route, then start, and the place of each among those of its route. */
  readonly #routes: number[][] = [];
  readonly #rank: Int32Array;
  /** The same of the two spans that a move would change. */
  readonly #moved: readonly Float64Array[];

  /** @param types how many types of calls there are */
  private constructor(problem: TimingProblem, model: TimingModel, types: number) {
    const spans = problem.spanStart.length;
    this.#problem = problem;
    this.#model = model;
    this.#types = types;
    this.#events = new Float64Array(spans * types).fill(Number.NaN);
    this.#starts = new Float64Array(spans * types).fill(Number.NaN);
    this.#rank = new Int32Array(spans);
    for (let span = 0; span < spans; span++) {
      const route = problem.spanRoute[span]!;
      this.#routes[route] ??= [];
      this.#rank[span] = this.#routes[route].push(span) - 1;
    }
    this.#odds = new Float64Array(this.#routes.length * types);
    this.#bySpan = new Uint8Array(this.#odds.length);
    this.#moved = Array.from({ length: 4 }, () => new Float64Array(types));
  }

  /** @returns undefined where order says nothing */
  static learn(
    { problem, bundles }: { problem: TimingProblem; bundles: readonly Bundle[] },
    model: TimingModel,
    types: number,
    random: () => number,
  ): OrderPrior | undefined {
    if (types * bundles.length > MOST_MOMENTS) return undefined;
    const prior = new OrderPrior(problem, model, types);
    const channels = prior.#odds.length;
    const best: Inversions[] = Array.from({ length: channels }, () => NO_INVERSIONS);
    for (const bySpan of [0, 1]) {
      const before = prior.#bySpan.slice();
      prior.#bySpan.fill(bySpan);
      for (const [span, bundle] of bundles.entries()) prior.replace(span, bundle);
      prior.#bySpan.set(before);
      for (const [route, spans] of prior.#routes.entries()) {
        for (let type = 0; type < types && spans !== undefined; type++) {
          const channel = route * types + type;
          const found = prior.#countInversions(spans, type, random);
          if (ratioOf(found) >= ratioOf(best[channel]!)) continue;
          best[channel] = found;
          prior.#bySpan[channel] = bySpan;
        }
      }
    }
    if (!prior.#setOdds(best)) return undefined;
    for (const [span, bundle] of bundles.entries()) prior.replace(span, bundle);
    return prior;
  }

  /** What holds for the other channels of the process is likely to hold for a channel of which little is seen. */
  #setOdds(channels: readonly Inversions[]): boolean {
    const seen = channels.reduce((sum, { seen }) => sum + seen, 0);
    const expected = channels.reduce((sum, { expected }) => sum + expected, 0);
    if (expected < LEAST_EXPECTED) return false;
    let isNotable = false;
    for (const [at, own] of channels.entries()) {
      const others = { seen: seen - own.seen, expected: expected - own.expected };
      const borrowed = Math.min(MOST_BORROWED, others.expected);
      const ratio = ratioOf({
        seen: own.seen + borrowed * Math.min(1, ratioOf(others)),
        expected: own.expected + borrowed,
      });
      const odds = Math.max(LEAST_ODDS, STRENGTH * Math.log(ratio));
      if (odds > NOTABLE) continue;
      this.#odds[at] = odds;
      isNotable = true;
    }
    return isNotable;
  }

  #countInversions(spans: readonly number[], type: number, random: () => number): Inversions {
    const at = (rank: number) => spans[rank]! * this.#types + type;
    let seen = 0;
    let expected = 0;
    const gapOf = () => {
      const drawn = at((random() * spans.length) | 0);
      return this.#starts[drawn]! - this.#events[drawn]!;
    };
    for (let rank = 0; rank < spans.length; rank++) {
      const one = at(rank);
      if (Number.isNaN(this.#starts[one]!)) continue;
      for (let next = rank + 1; next < Math.min(spans.length, rank + 1 + REACH); next++) {
        const other = at(next);
        const lead = this.#events[other]! - this.#events[one]!;
        const followed = this.#starts[other]! - this.#starts[one]!;
        const chance = lead + gapOf() - gapOf();
        if (Number.isNaN(followed) || Number.isNaN(chance)) continue;
        if (lead * followed < 0) seen++;
        if (lead * chance < 0) expected++;
      }
    }
    return { seen, expected };
  }

  /** Events and starts of a span's calls. */
  #measure(span: number, bundle: Bundle, events: Float64Array, starts: Float64Array, from: number) {
    const { callType, callStart, spanRoute, spanStart } = this.#problem;
    events.fill(Number.NaN, from, from + this.#types);
    starts.fill(Number.NaN, from, from + this.#types);
    const structure = this.#model.structureOf(span, bundle);
    if (structure === undefined) return;
    const { order, reference } = structure;
    const firstOfRoute = spanRoute[span]! * this.#types;
    for (let place = 0; place < order.length; place++) {
      const slot = order[place]!;
      const call = bundle[slot]!;
      const type = callType[call]!;
      const isOneOfSeveral =
        (slot > 0 && callType[bundle[slot - 1]!] === type) ||
        (slot + 1 < bundle.length && callType[bundle[slot + 1]!] === type);
      if (isOneOfSeveral) continue;
      events[from + type] =
        this.#bySpan[firstOfRoute + type] === 1
          ? spanStart[span]!
          : momentOf(this.#problem, order, { span, bundle }, reference[place]!, place);
      starts[from + type] = callStart[call]!;
    }
  }

  /** Takes note of a span's calls. */
  replace(span: number, bundle: Bundle): void {
    this.#measure(span, bundle, this.#events, this.#starts, span * this.#types);
  }

  /** What order adds to the log probability when spans `a` and `b` (-1 for none) get other calls. */
  gain(a: number, toA: Bundle, b: number, toB: Bundle): number {
    const eventsA = this.#moved[0]!;
    const startsA = this.#moved[1]!;
    const eventsB = this.#moved[2]!;
    const startsB = this.#moved[3]!;
    if (a !== -1) this.#measure(a, toA, eventsA, startsA, 0);
    if (b !== -1) this.#measure(b, toB, eventsB, startsB, 0);
    const { spanRoute } = this.#problem;
    const types = this.#types;
    let gain = 0;
    if (a !== -1) gain += this.#against(a, b, eventsA, startsA);
    if (b !== -1) gain += this.#against(b, a, eventsB, startsB);
    const isPair = a !== -1 && b !== -1 && spanRoute[a] === spanRoute[b];
    if (!isPair || Math.abs(this.#rank[a]! - this.#rank[b]!) > REACH) return gain;
    for (let type = 0; type < types; type++) {
      const odds = this.#odds[spanRoute[a]! * types + type]!;
      if (odds === 0) continue;
      const [i, j] = [a * types + type, b * types + type];
      const before =
        (this.#events[i]! - this.#events[j]!) * (this.#starts[i]! - this.#starts[j]!) < 0;
      const after = (eventsA[type]! - eventsB[type]!) * (startsA[type]! - startsB[type]!) < 0;
      if (before !== after) gain += after ? odds : -odds;
    }
    return gain;
  }

  /** The same for one of the spans, against its neighbours but the other. */
  #against(span: number, other: number, events: Float64Array, starts: Float64Array): number {
    const types = this.#types;
    const route = this.#problem.spanRoute[span]!;
    const spans = this.#routes[route]!;
    const rank = this.#rank[span]!;
    const last = Math.min(spans.length - 1, rank + REACH);
    let gain = 0;
    for (let type = 0; type < types; type++) {
      const odds = this.#odds[route * types + type]!;
      if (odds === 0) continue;
      const own = span * types + type;
      const [wasEvent, wasStart] = [this.#events[own]!, this.#starts[own]!];
      const [isEvent, isStart] = [events[type]!, starts[type]!];
      if (wasStart === isStart && wasEvent === isEvent) continue;
      for (let near = Math.max(0, rank - REACH); near <= last; near++) {
        const neighbour = spans[near]!;
        if (neighbour === span || neighbour === other) continue;
        const event = this.#events[neighbour * types + type]!;
        const start = this.#starts[neighbour * types + type]!;
        if ((isEvent - event) * (isStart - start) < 0) gain += odds;
        if ((wasEvent - event) * (wasStart - start) < 0) gain -= odds;
      }
    }
    return gain;
  }
}
