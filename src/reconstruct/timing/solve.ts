import type { Example } from './bundles.js';
import { calibrate } from './calibrate.js';
import { TimingModel } from './model.js';
import { Options } from './options.js';
import { OrderPrior } from './order-prior.js';
import type { TimingProblem } from './problem.js';
import { seededRandom } from './random.js';
import { Sampler } from './sampler.js';
import { placeRest, softExamples, softWeights } from './soft-start.js';
import { matchPlaces } from './start.js';
import { TimingState } from './state.js';

/** How long each step runs, in sweeps over the options worth trying. */
export interface Effort {
  /** Most rounds of sampling and learning anew: first over all options, then over those left. */
  readonly wide: number;
  readonly narrow: number;
  readonly settle: number;
  /** States per round that are learned from. */
  readonly states: number;
  /** Most states that the probabilities are counted over. */
  readonly samples: number;
}

const DEFAULT_EFFORT: Effort = { wide: 16, narrow: 6, settle: 8, states: 4, samples: 160 };
/** In the first rounds the model is rough: it gets less say. */
const WARM = 1.5;
const LEAST_WIDE = 2;
/** Live options per call with a choice, up to which the first round leaves so little doubt that the rest may go. */
const LITTLE_DOUBT = 0.5;
/** Another round is not worth it when the last one gained less than this per span in doubt, nats. */
const CONVERGED = 0.02;
/** Live options per call from which more rounds would only learn from guesses. */
const MANY_OPTIONS = 4;
const SETTLE_BEFORE_COUNTING = 8;
/** Moves per option and per call that counting may cost, and states that it takes all the same. */
const COUNTING_MOVES = 30;
const COUNTING_MOVES_PER_CALL = 400;
const LEAST_SAMPLES = 40;
/** States that no chain saw, shared out over all possibilities: no probability is 0 or 1. */
const UNSEEN_STATES = 0.25;
/** Calls per span up to which the effort is full: a move costs as much as its spans have calls. */
const USUAL_BUNDLE = 30;

/** Less effort for spans with hundreds of calls, so that the time stays linear in the calls. */
function affordable(effort: Effort, { callStart, spanStart }: TimingProblem): Effort {
  const scale = Math.min(1, (USUAL_BUNDLE * spanStart.length) / Math.max(1, callStart.length));
  const shorten = (count: number) => Math.max(1, Math.round(count * scale));
  return {
    wide: shorten(effort.wide),
    narrow: shorten(effort.narrow),
    settle: shorten(effort.settle),
    states: shorten(effort.states),
    samples: shorten(effort.samples),
  };
}

function typesOf({ callType }: TimingProblem): number {
  return callType.reduce((most, type) => Math.max(most, type + 1), 0);
}

/** Spans that an option worth trying would change. */
function spansInDoubt({ parent, problem }: TimingState, calls: Uint32Array): Uint8Array {
  const inDoubt = new Uint8Array(problem.spanStart.length);
  for (const call of calls) {
    if (parent[call]! >= 0) inDoubt[parent[call]!] = 1;
    for (let at = problem.offsets[call]!; at < problem.offsets[call + 1]!; at++) {
      inDoubt[problem.list[at]!] = 1;
    }
  }
  return inDoubt;
}

class Solver {
  readonly #problem: TimingProblem;
  readonly #effort: Effort;
  readonly #types: number;
  readonly #random = seededRandom(1);
  readonly #state: TimingState;
  readonly #options: Options;
  readonly #sampler: Sampler;
  /** Spans that the options worth trying would have changed when last learned. */
  #doubts = 1;

  constructor(problem: TimingProblem, effort: Effort) {
    this.#problem = problem;
    this.#effort = effort;
    this.#types = typesOf(problem);
    this.#state = new TimingState(problem);
    this.#options = new Options(this.#state);
    this.#sampler = new Sampler(this.#state, this.#options, this.#random);
  }

  /** Per entry of the problem's list: probability, 0..1. */
  solve(): Float64Array {
    this.#start();
    if (this.#options.total === 0) return this.#count(1);
    const fit = this.#explore();
    this.#refine(fit);
    this.#options.select();
    for (let sweep = 0; sweep < SETTLE_BEFORE_COUNTING; sweep++) this.#sampler.sweep(1);
    const { total, calls } = this.#options;
    const moves = Math.min(COUNTING_MOVES * total, COUNTING_MOVES_PER_CALL * calls);
    const affordable = Math.round(moves / Math.max(1, this.#sampler.movesPerSweep));
    return this.#count(Math.min(this.#effort.samples, Math.max(LEAST_SAMPLES, affordable)));
  }

  #start(): void {
    const weights = softWeights(this.#problem);
    const model = new TimingModel(this.#problem, softExamples(this.#problem, weights), this.#types);
    const parent = matchPlaces(this.#problem, model, weights);
    placeRest(this.#problem, weights, parent);
    this.#state.assign(parent);
    this.#state.useModel(model);
    this.#options.suppose(weights);
  }

  /** Tries everything, and learns the habits anew, until that changes little. */
  #explore(): number {
    const sampler = this.#sampler;
    let before = Number.NEGATIVE_INFINITY;
    for (let round = 1; ; round++) {
      sampler.scan(1);
      for (let sweep = 0; sweep < this.#effort.settle; sweep++) sampler.sweep(WARM);
      if (round === 1) sampler.scan(1);
      this.#options.select(round < LEAST_WIDE ? LITTLE_DOUBT : undefined);
      const fit = this.#learn();
      if (round >= this.#effort.wide) return fit;
      if (round >= LEAST_WIDE && fit - before < CONVERGED * this.#doubts) return fit;
      before = fit;
    }
  }

  /** The same over what is in doubt; which event follows which is settled after the first round. */
  #refine(fit: number): void {
    let before = fit;
    for (let round = 1; round <= this.#effort.narrow; round++) {
      this.#options.select();
      for (let sweep = 0; sweep < this.#effort.settle; sweep++) this.#sampler.sweep(1);
      const after = this.#learn(round === 1 ? undefined : this.#state.model);
      const isDense = this.#options.live.length > MANY_OPTIONS * this.#options.calls;
      if (round > 1 && (isDense || after - before < CONVERGED * this.#doubts)) return;
      before = after;
    }
  }

  /**
   * Samples states and learns the habits anew from them.
   *
   * @param earlier model whose order of events is kept
   * @returns log probability of the state, nats
   */
  #learn(earlier?: TimingModel): number {
    const { states } = this.#effort;
    const state = this.#state;
    const inDoubt = spansInDoubt(state, this.#options.liveCalls());
    const examples: Example[] = [];
    state.addExamples(examples, (span) => inDoubt[span] === 0, states);
    for (let kept = 0; kept < states; kept++) {
      this.#sampler.sweep(1);
      state.addExamples(examples, (span) => inDoubt[span] === 1, 1);
    }
    const model = new TimingModel(this.#problem, examples, this.#types, states, earlier);
    state.useModel(model, OrderPrior.learn(state, model, this.#types, this.#random));
    this.#doubts = Math.max(
      1,
      inDoubt.reduce((sum, own) => sum + own, 0),
    );
    return state.scores.reduce((sum, score) => sum + score, 0);
  }

  /** Counts how often each candidate is the parent over states sampled at temperature 1. */
  #count(samples: number): Float64Array {
    const { offsets, list } = this.#problem;
    const { entry } = this.#state;
    const chance = new Float64Array(list.length);
    for (let sample = 0; sample < samples; sample++) {
      this.#sampler.sweep(1);
      for (let call = 0; call < entry.length; call++) {
        if (entry[call] !== -1) chance[entry[call]!]!++;
      }
    }

    for (let call = 0; call < entry.length; call++) {
      const count = offsets[call + 1]! - offsets[call]!;
      for (let at = offsets[call]!; at < offsets[call + 1]!; at++) {
        chance[at] = (chance[at]! + UNSEEN_STATES / (count + 1)) / (samples + UNSEEN_STATES);
      }
    }
    return chance;
  }
}

/**
 * Assigns calls to spans by timing alone, jointly: habits of each kind of span (which
 * calls, which event each follows, how long after) are learned from a first guess, call by
 * call, then refined together with the assignment by Metropolis sampling.
 * docs/causality.md tells the method and its sources. Deterministic.
 *
 * @returns per entry of the problem's `list`: probability that it is the call's parent, 0..1
 */
export function solveTiming(problem: TimingProblem, effort: Effort = DEFAULT_EFFORT): Float64Array {
  const chance = new Solver(problem, affordable(effort, problem)).solve();
  calibrate(problem, chance);
  return chance;
}
