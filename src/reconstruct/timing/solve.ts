import type { Example } from './bundles.js';
import { TimingModel } from './model.js';
import type { TimingProblem } from './problem.js';
import { seededRandom } from './random.js';
import { Sampler } from './sampler.js';
import { knownExamples, matchPlaces } from './start.js';
import { TimingState } from './state.js';

/** How long each step runs, in sweeps. */
export interface Effort {
  /** Rounds of sampling and learning anew. */
  readonly rounds: number;
  readonly settle: number;
  /** States per round that are learned from, two sweeps apart. */
  readonly states: number;
  /** States that the probabilities are counted over. */
  readonly samples: number;
}

const DEFAULT_EFFORT: Effort = { rounds: 4, settle: 8, states: 6, samples: 60 };
/** Chains whose probabilities are averaged: each settles on habits that are a little its own. */
const CHAINS = 2;
/** In the first rounds the model is rough: it gets less say. */
const WARM_ROUNDS = 2;
const WARM = 1.5;
const SETTLE_BEFORE_COUNTING = 20;
/** Calls per span up to which the effort is full: a move costs as much as its spans have calls. */
const USUAL_BUNDLE = 200;

/** Less effort for spans with hundreds of calls, so that the time stays linear in the calls. */
function affordable(effort: Effort, { callStart, spanStart }: TimingProblem): Effort {
  const scale = Math.min(1, (USUAL_BUNDLE * spanStart.length) / Math.max(1, callStart.length));
  const shorten = (sweeps: number) => Math.max(1, Math.round(sweeps * scale));
  return { ...effort, settle: shorten(effort.settle), samples: shorten(effort.samples) };
}

function typesOf({ callType }: TimingProblem): number {
  return callType.reduce((most, type) => Math.max(most, type + 1), 0);
}

/** Counts how often each candidate is the parent over states sampled at temperature 1. */
function countChances(state: TimingState, sampler: Sampler, samples: number): Float64Array {
  const { offsets, list } = state.problem;
  const chance = new Float64Array(list.length);
  for (let sweep = 0; sweep < SETTLE_BEFORE_COUNTING; sweep++) sampler.sweep(1);
  for (let sample = 0; sample < samples; sample++) {
    sampler.sweep(1);
    for (let call = 0; call < state.parent.length; call++) {
      const entry = state.entryOf(call, state.parent[call]!);
      if (entry !== -1) chance[entry]!++;
    }
  }
  // One more count, spread over all possibilities: a share of finitely many states is never 0 or 1.
  for (let call = 0; call < state.parent.length; call++) {
    const count = offsets[call + 1]! - offsets[call]!;
    for (let at = offsets[call]!; at < offsets[call + 1]!; at++) {
      chance[at] = (chance[at]! + 1 / (count + 1)) / (samples + 1);
    }
  }
  return chance;
}

/** One chain: habits and assignment from the first guess to counted states. */
function runChain(problem: TimingProblem, effort: Effort, seed: number): Float64Array {
  const types = typesOf(problem);
  const state = new TimingState(problem);
  const sampler = new Sampler(state, seededRandom(seed));
  const first = new TimingModel(problem, knownExamples(problem), types);
  state.assign(matchPlaces(problem, first));
  state.useModel(first);
  for (let round = 0; round < effort.rounds && !sampler.isIdle; round++) {
    const temperature = round < WARM_ROUNDS ? WARM : 1;
    for (let sweep = 0; sweep < effort.settle; sweep++) sampler.sweep(temperature);
    const examples: Example[] = [];
    for (let kept = 0; kept < effort.states; kept++) {
      sampler.sweep(1);
      sampler.sweep(1);
      state.addExamples(examples);
    }
    state.useModel(new TimingModel(problem, examples, types, effort.states));
  }
  return countChances(state, sampler, effort.samples);
}

/**
 * Assigns calls to spans by timing alone, jointly: habits of each kind of span (which
 * calls, which event each follows, how long after) are learned from the spans that are
 * beyond doubt, then refined together with the assignment by Metropolis sampling.
 * docs/causality.md tells the method and its sources. Deterministic.
 *
 * @returns per entry of the problem's `list`: probability that it is the call's parent, 0..1
 */
export function solveTiming(problem: TimingProblem, wanted: Effort = DEFAULT_EFFORT): Float64Array {
  const effort = affordable(wanted, problem);
  const chance = new Float64Array(problem.list.length);
  for (let chain = 1; chain <= CHAINS; chain++) {
    const found = runChain(problem, effort, chain);
    for (let at = 0; at < chance.length; at++) chance[at]! += found[at]! / CHAINS;
  }
  return chance;
}
