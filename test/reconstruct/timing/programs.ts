import type { TimingProblem } from '../../../src/reconstruct/timing/problem.js';
import { seeded } from '../causality/simulate.js';

interface Call {
  readonly span: number;
  readonly start: number;
  readonly end: number;
  readonly type: number;
}

export interface Program {
  readonly spans: { readonly start: number; readonly end: number; readonly route: number }[];
  readonly calls: Call[];
}

/** A normally distributed number, by Box and Muller. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

export interface Load {
  readonly spans: number;
  /** Mean time between spans, µs. */
  readonly every: number;
  readonly seed: number;
}

/** What a span does: calls, each some time after an event; returns when the last thing ended. */
export type Behaviour = (
  call: (type: number, at: number, takes: number) => number,
  start: number,
  random: () => number,
) => number;

/** Plays spans that arrive at random, each with the behaviour of its route. */
export function play(load: Load, behaviours: readonly Behaviour[]): Program {
  const random = seeded(load.seed);
  const program: Program = { spans: [], calls: [] };
  let at = 0;
  for (let span = 0; span < load.spans; span++) {
    at += -Math.log(1 - random()) * load.every;
    const route = Math.floor(random() * behaviours.length);
    const call = (type: number, start: number, takes: number) => {
      program.calls.push({ span, start, end: start + takes, type });
      return start + takes;
    };
    const end = behaviours[route]!(call, at, random);
    program.spans.push({ start: at, end, route });
  }
  program.calls.sort((a, b) => a.start - b.start);
  return program;
}

/** About `mean` µs, give or take a fifth. */
export function around(mean: number, random: () => number): number {
  return Math.max(1, mean * (1 + 0.2 * normal(random)));
}

/** Poses a program as the engine gets it: every call may belong to every span that contains it. */
export function pose({ spans, calls }: Program): TimingProblem {
  const offsets = [0];
  const list: number[] = [];
  for (const call of calls) {
    for (const [span, { start, end }] of spans.entries()) {
      if (call.start >= start && call.end <= end) list.push(span);
    }
    offsets.push(list.length);
  }
  const length = Math.max(1, ...spans.map(({ end }) => end));
  return {
    spanStart: Float64Array.from(spans, ({ start }) => start),
    spanEnd: Float64Array.from(spans, ({ end }) => end),
    spanRoute: Uint32Array.from(spans, ({ route }) => route),
    callStart: Float64Array.from(calls, ({ start }) => start),
    callEnd: Float64Array.from(calls, ({ end }) => end),
    callType: Uint32Array.from(calls, ({ type }) => type),
    offsets: Uint32Array.from(offsets),
    list: Uint32Array.from(list),
    prior: new Float64Array(list.length),
    none: new Float64Array(calls.length).fill(-Math.log(length) - 3),
    tick: 0,
  };
}

export interface Outcome {
  readonly right: number;
  readonly wrong: number;
  readonly unknown: number;
}

/** Scores the links that reach `least` probability, as shares of all calls. */
export function outcome(
  { calls }: Program,
  problem: TimingProblem,
  chance: Float64Array,
  least: number,
): Outcome {
  const counts = { right: 0, wrong: 0, unknown: 0 };
  for (const [call, { span }] of calls.entries()) {
    let best = -1;
    for (let at = problem.offsets[call]!; at < problem.offsets[call + 1]!; at++) {
      if (best === -1 || chance[at]! > chance[best]!) best = at;
    }
    if (best === -1 || chance[best]! < least) counts.unknown++;
    else if (problem.list[best] === span) counts.right++;
    else counts.wrong++;
  }
  const share = (count: number) => count / calls.length;
  return {
    right: share(counts.right),
    wrong: share(counts.wrong),
    unknown: share(counts.unknown),
  };
}
