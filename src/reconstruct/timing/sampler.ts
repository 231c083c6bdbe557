import { type Bundle, sortBundle } from './bundles.js';
import { NONE } from './problem.js';
import type { TimingState } from './state.js';

/** Pair moves per contested call and sweep. */
const PAIR_MOVES = 2;
/** Of the pair moves: how many draw lots for each call instead of swapping all. */
const LOTTERY = 0.25;
/** Of the pair moves: how many take calls of all types, and of a random half of the types. */
const ALL_TYPES = 0.15;
const SOME_TYPES = 0.35;

/**
 * Metropolis moves over assignments. Each changes one or two spans; all are drawn without
 * regard to how probable the result is, and taken or refused by that alone.
 */
export class Sampler {
  readonly #state: TimingState;
  readonly #random: () => number;
  /** Calls with two candidates or more, and calls with any choice at all. */
  readonly #contested: Uint32Array;
  readonly #free: Uint32Array;

  constructor(state: TimingState, random: () => number) {
    this.#state = state;
    this.#random = random;
    const { offsets, none } = state.problem;
    const count = (call: number) => offsets[call + 1]! - offsets[call]!;
    const calls = Uint32Array.from(state.parent.keys());
    this.#contested = calls.filter((call) => count(call) > 1);
    this.#free = calls.filter((call) => count(call) + (none[call]! > -Infinity ? 1 : 0) > 1);
  }

  get isIdle(): boolean {
    return this.#free.length === 0;
  }

  #below(count: number): number {
    return (this.#random() * count) | 0;
  }

  /** As many moves as every call gets its turn about thrice. @param temperature 1 samples, less settles */
  sweep(temperature: number): void {
    const pairs = this.#contested.length * PAIR_MOVES;
    const steps = pairs + this.#free.length;
    for (let step = 0; step < steps; step++) {
      if (this.#random() * steps < pairs) this.#movePair(temperature);
      else this.#moveCall(temperature);
    }
  }

  #accepts(gain: number, temperature: number): boolean {
    return gain >= 0 || this.#random() < Math.exp(gain / temperature);
  }

  /** Two spans exchange calls: the span of a contested call and another candidate of it. */
  #movePair(temperature: number): void {
    const { parent, problem, bundles } = this.#state;
    const seed = this.#contested[this.#below(this.#contested.length)]!;
    const a = parent[seed]!;
    if (a === NONE) return;
    const first = problem.offsets[seed]!;
    const b = problem.list[first + this.#below(problem.offsets[seed + 1]! - first)]!;
    if (a === b) return;
    const isLottery = this.#random() < LOTTERY;
    const drawn = this.#random();
    const allTypes = drawn < ALL_TYPES;
    // A random half of the types, or only that of the call drawn first.
    const bits = drawn < SOME_TYPES ? (this.#random() * 2 ** 31) | 0 : 0;
    const only = drawn < SOME_TYPES ? -1 : problem.callType[seed]!;
    const toA: number[] = [];
    const toB: number[] = [];
    let prior = 0;
    let changed = false;
    for (let side = 0; side < 2; side++) {
      const own = side === 0 ? a : b;
      const other = side === 0 ? b : a;
      for (const call of bundles[own]!) {
        const type = problem.callType[call]!;
        const isMeant = allTypes || type === only || ((bits >> (type % 31)) & 1) === 1;
        const stays = !isMeant || (isLottery && this.#random() < 0.5);
        if (stays) {
          (side === 0 ? toA : toB).push(call);
          continue;
        }
        const entry = this.#state.entryOf(call, other);
        if (entry === -1) return;
        prior += problem.prior[entry]! - problem.prior[this.#state.entryOf(call, own)]!;
        changed = true;
        (side === 0 ? toB : toA).push(call);
      }
    }
    if (changed) this.#propose(a, toA, b, toB, prior, temperature);
  }

  #propose(a: number, toA: Bundle, b: number, toB: Bundle, prior: number, temperature: number) {
    const { problem, model, scores, bundles, parent } = this.#state;
    const scoreA = model.score(a, sortBundle(problem, toA));
    const scoreB = model.score(b, sortBundle(problem, toB));
    if (!this.#accepts(scoreA + scoreB - scores[a]! - scores[b]! + prior, temperature)) return;
    bundles[a] = toA;
    bundles[b] = toB;
    scores[a] = scoreA;
    scores[b] = scoreB;
    for (const call of toA) parent[call] = a;
    for (const call of toB) parent[call] = b;
  }

  /** One call goes to another candidate or to none, or changes places with one there. */
  #moveCall(temperature: number): void {
    const { problem, parent, bundles } = this.#state;
    const call = this.#free[this.#below(this.#free.length)]!;
    const first = problem.offsets[call]!;
    const count = problem.offsets[call + 1]! - first;
    const mayBeNone = problem.none[call]! > -Infinity;
    const drawn = this.#below(count + (mayBeNone ? 1 : 0));
    const to = drawn === count ? NONE : problem.list[first + drawn]!;
    const from = parent[call]!;
    if (to === from) return;
    let back = -1;
    if (to !== NONE && this.#random() < 0.5) {
      const same = bundles[to]!.filter(
        (other) => problem.callType[other] === problem.callType[call],
      );
      if (same.length > 0) back = same[this.#below(same.length)]!;
    }
    const toWeight = this.#weight(call, to);
    const backWeight = back === -1 ? 0 : this.#weight(back, from);
    if (backWeight === -Infinity) return;
    let gain = toWeight - this.#weight(call, from);
    if (back !== -1) gain += backWeight - this.#weight(back, to);
    this.#shift(call, from, to, back, gain, temperature);
  }

  #weight(call: number, span: number): number {
    const { problem } = this.#state;
    if (span === NONE) return problem.none[call]!;
    const entry = this.#state.entryOf(call, span);
    return entry === -1 ? -Infinity : problem.prior[entry]!;
  }

  #shift(call: number, from: number, to: number, back: number, prior: number, temperature: number) {
    const { problem, model, scores, bundles, parent } = this.#state;
    let gain = prior;
    let left: Bundle | undefined;
    let joined: Bundle | undefined;
    let leftScore = 0;
    let joinedScore = 0;
    if (from !== NONE) {
      left = bundles[from]!.filter((other) => other !== call);
      if (back !== -1) left.push(back);
      leftScore = model.score(from, sortBundle(problem, left));
      gain += leftScore - scores[from]!;
    }
    if (to !== NONE) {
      joined = bundles[to]!.filter((other) => other !== back);
      joined.push(call);
      joinedScore = model.score(to, sortBundle(problem, joined));
      gain += joinedScore - scores[to]!;
    }
    if (!this.#accepts(gain, temperature)) return;
    if (left !== undefined) {
      bundles[from] = left;
      scores[from] = leftScore;
    }
    if (joined !== undefined) {
      bundles[to] = joined;
      scores[to] = joinedScore;
    }
    parent[call] = to;
    if (back !== -1) parent[back] = from;
  }
}
