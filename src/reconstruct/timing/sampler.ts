import { type Bundle, sortBundle } from './bundles.js';
import { HOPELESS, type Options } from './options.js';
import { NONE } from './problem.js';
import type { TimingState } from './state.js';

/** Of the moves between two spans: how many move one call alone. */
const SHIFTS = 0.35;
/** Of the exchanges between two spans: how many draw lots for each call instead of swapping all. */
const LOTTERY = 0.25;
/** Of the exchanges: how many take all calls, all that begin no sooner, and a random half of the types. */
const ALL = 0.1;
const LATER = 0.15;
const SOME_TYPES = 0.2;
/** What order makes a move gain at most, as a rule: some seven inversions. */
const MOST_OF_ORDER = 40;
/** Moves of a sweep per call with a choice, at most: full queues give calls hundreds of candidates. */
const MOST_PER_CALL = 16;

/** Shortens a bundle that was written over: an array that is emptied first loses its memory each time. */
function cut(bundle: Bundle, count: number): void {
  if (bundle.length > count) bundle.length = count;
}

/**
 * Metropolis moves over assignments. Each changes one or two spans; all are drawn without
 * regard to how probable the result is, and taken or refused by that alone. Each is seeded by an
 * option (options.ts).
 */
export class Sampler {
  readonly #state: TimingState;
  readonly #random: () => number;
  readonly #options: Options;
  #toA: Bundle = [];
  #toB: Bundle = [];
  /** What the move at hand must gain to be taken, and to be worth scoring, nats. */
  #least = 0;
  #worthScoring = 0;
  /** What the last move would score for its two spans. */
  #scoreA = 0;
  #scoreB = 0;

  constructor(state: TimingState, options: Options, random: () => number) {
    this.#state = state;
    this.#options = options;
    this.#random = random;
  }

  get movesPerSweep(): number {
    return Math.min(MOST_PER_CALL * this.#options.calls, this.#options.live.length);
  }

  /** Tries each live option about once, where calls have few. @param temperature 1 samples, more explores */
  sweep(temperature: number): void {
    for (let step = this.movesPerSweep; step > 0; step--) {
      this.#try(this.#options.draw(this.#random), temperature);
    }
  }

  /** Lets every two spans that share an option exchange all calls, and all from the option's on. */
  scan(temperature: number): void {
    const { parent, problem } = this.#state;
    const { live } = this.#options;
    const stride = Math.max(1, Math.ceil(live.length / (MOST_PER_CALL * this.#options.calls)));
    for (let at = 0; at < live.length; at += stride) {
      const option = live[at]!;
      if (option >= problem.list.length) continue;
      const call = this.#options.callOf(option);
      for (const kind of [0, ALL]) {
        const from = parent[call]!;
        const to = problem.list[option]!;
        if (from !== NONE && from !== to) this.#exchange(option, call, from, to, temperature, kind);
      }
      this.#divide(option, call, temperature);
    }
  }

  #try(option: number, temperature: number): void {
    const { parent, problem } = this.#state;
    const call = this.#options.callOf(option);
    const from = parent[call]!;
    const to = option < problem.list.length ? problem.list[option]! : NONE;
    if (to === from) return;
    if (from === NONE || to === NONE || this.#random() < SHIFTS) {
      this.#shift(option, call, from, to, temperature);
    } else this.#exchange(option, call, from, to, temperature);
  }

  /**
   * Draws what the next move must gain to be taken (Metropolis). A move that is sure to gain less, and
   * too little to be worth another try, need not be scored to the end.
   */
  #draw(temperature: number): void {
    this.#least = temperature * Math.log(1 - this.#random());
    const byOrder = this.#state.hasOrder ? MOST_OF_ORDER : 0;
    this.#worthScoring = Math.min(this.#least, HOPELESS) - byOrder;
  }

  #accepts(option: number, gain: number): boolean {
    this.#options.note(option, gain);
    return gain >= this.#least;
  }

  /**
   * What two spans (NONE for none) gain by other calls, the order of calls included; -Infinity where that
   * is sure to be below what is worth scoring. Sorts the calls.
   *
   * @param prior what else the move gains
   */
  #gain(a: number, toA: Bundle, b: number, toB: Bundle, prior: number): number {
    const { problem, model, scores } = this.#state;
    const before = (a === NONE ? 0 : scores[a]!) + (b === NONE ? 0 : scores[b]!);
    const least = this.#worthScoring + before - prior;
    const mostOfB = b === NONE ? 0 : model.most(b, toB);
    this.#scoreA = a === NONE ? 0 : model.score(a, sortBundle(problem, toA), least - mostOfB);
    if (this.#scoreA + mostOfB < least) return Number.NEGATIVE_INFINITY;
    this.#scoreB = b === NONE ? 0 : model.score(b, sortBundle(problem, toB), least - this.#scoreA);
    const gain = this.#scoreA + this.#scoreB - before + prior;
    return gain <= this.#worthScoring ? gain : gain + this.#state.orderGain(a, toA, b, toB);
  }

  /** Two spans exchange calls: that of `seed`, and others that are drawn. */
  #exchange(
    option: number,
    seed: number,
    a: number,
    b: number,
    temperature: number,
    kind?: number,
  ): void {
    const { problem, bundles } = this.#state;
    const { callType, callStart } = problem;
    const random = this.#random;
    const isLottery = !kind && random() < LOTTERY;
    const drawn = kind ?? random();
    const all = drawn < ALL;
    const later = !all && drawn < ALL + LATER ? callStart[seed]! : Number.POSITIVE_INFINITY;
    const some = drawn >= ALL + LATER && drawn < ALL + LATER + SOME_TYPES;
    const bits = some ? (random() * 2 ** 31) | 0 : 0;
    const only = callType[seed]!;
    const toA = this.#toA;
    const toB = this.#toB;
    let countA = 0;
    let countB = 0;
    let prior = 0;
    let changed = false;
    for (let side = 0; side < 2; side++) {
      const bundle = bundles[side === 0 ? a : b]!;
      const other = side === 0 ? b : a;
      for (let i = 0; i < bundle.length; i++) {
        const call = bundle[i]!;
        const type = callType[call]!;
        const isMeant =
          all || type === only || callStart[call]! >= later || ((bits >> (type % 31)) & 1) === 1;
        if (!isMeant || (isLottery && random() < 0.5)) {
          if (side === 0) toA[countA++] = call;
          else toB[countB++] = call;
          continue;
        }
        const entry = this.#state.entryOf(call, other);
        if (entry === -1) return;
        prior += problem.prior[entry]! - problem.prior[this.#state.entry[call]!]!;
        changed = true;
        if (side === 0) toB[countB++] = call;
        else toA[countA++] = call;
      }
    }
    if (!changed) return;
    cut(toA, countA);
    cut(toB, countB);
    this.#draw(temperature);
    if (!this.#accepts(option, this.#gain(a, toA, b, toB, prior))) return;
    this.#state.replace(a, toA, this.#scoreA);
    this.#state.replace(b, toB, this.#scoreB);
  }

  /**
   * Two calls of a type that a span has, and another has none of, are shared out: the earlier one to
   * the span that began first. No other move can part two spans' calls that lie with one.
   */
  #divide(option: number, seed: number, temperature: number): void {
    const { problem, bundles, parent } = this.#state;
    const from = parent[seed]!;
    const to = problem.list[option]!;
    if (from === NONE || from === to || bundles[from]!.length < 2) return;
    const isFirst = problem.spanStart[from]! <= problem.spanStart[to]!;
    const keep = this.#toA;
    const give = this.#toB;
    keep.length = 0;
    give.length = 0;
    for (const call of bundles[to]!) give.push(call);
    let prior = 0;
    const own = bundles[from]!;
    for (let i = 0; i < own.length; i++) {
      const call = own[i]!;
      const type = problem.callType[call]!;
      const isPair = i + 1 < own.length && problem.callType[own[i + 1]!] === type;
      if (!isPair || this.#hasType(to, type)) {
        keep.push(call);
        continue;
      }
      const other = own[++i]!;
      const given = isFirst ? other : call;
      const entry = this.#state.entryOf(given, to);
      if (entry === -1) return;
      prior += problem.prior[entry]! - problem.prior[this.#state.entry[given]!]!;
      keep.push(isFirst ? call : other);
      give.push(given);
    }
    if (keep.length === own.length) return;
    this.#draw(temperature);
    if (!this.#accepts(option, this.#gain(from, keep, to, give, prior))) return;
    this.#state.replace(from, keep, this.#scoreA);
    this.#state.replace(to, give, this.#scoreB);
  }

  #hasType(span: number, type: number): boolean {
    const { problem, bundles } = this.#state;
    for (const call of bundles[span]!) if (problem.callType[call] === type) return true;
    return false;
  }

  #weight(call: number, span: number): number {
    const { problem } = this.#state;
    if (span === NONE) return problem.none[call]!;
    const entry = this.#state.entryOf(call, span);
    return entry === -1 ? -Infinity : problem.prior[entry]!;
  }

  /** A call of the same type that `span` has, at random; -1 if there is none. */
  #counterpart(call: number, span: number): number {
    const { problem, bundles } = this.#state;
    const bundle = bundles[span]!;
    const type = problem.callType[call]!;
    let count = 0;
    let found = -1;
    for (let i = 0; i < bundle.length; i++) {
      if (problem.callType[bundle[i]!] !== type) continue;
      count++;
      if (count === 1 || this.#random() * count < 1) found = bundle[i]!;
    }
    return found;
  }

  /** One call goes to another candidate or to none, or changes places with one there. */
  #shift(option: number, call: number, from: number, to: number, temperature: number): void {
    const { bundles, parent, entry } = this.#state;
    const back = to !== NONE && this.#random() < 0.5 ? this.#counterpart(call, to) : -1;
    let prior = this.#weight(call, to) - this.#weight(call, from);
    if (back !== -1) prior += this.#weight(back, from) - this.#weight(back, to);
    if (prior === -Infinity) return;
    const left = this.#toA;
    const joined = this.#toB;
    if (from !== NONE) this.#without(left, bundles[from]!, call, back);
    if (to !== NONE) this.#without(joined, bundles[to]!, back, call);
    this.#draw(temperature);
    if (!this.#accepts(option, this.#gain(from, left, to, joined, prior))) return;
    if (from !== NONE) this.#state.replace(from, left, this.#scoreA);
    if (to !== NONE) this.#state.replace(to, joined, this.#scoreB);
    if (to === NONE) {
      parent[call] = NONE;
      entry[call] = -1;
    }
    if (from === NONE && back !== -1) {
      parent[back] = NONE;
      entry[back] = -1;
    }
  }

  /** Sets `out` to a bundle without one call, and with another; -1 for neither. */
  #without(out: Bundle, bundle: Bundle, call: number, extra: number): void {
    let count = 0;
    for (let i = 0; i < bundle.length; i++) if (bundle[i] !== call) out[count++] = bundle[i]!;
    if (extra !== -1) out[count++] = extra;
    cut(out, count);
  }
}
