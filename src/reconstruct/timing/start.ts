import { type Example, sortBundle } from './bundles.js';
import type { TimingModel } from './model.js';
import { NONE, type TimingProblem } from './problem.js';

/** Spans that must be beyond doubt to learn from them alone. */
const LEAST_KNOWN = 30;
const LEAST_GUESSED = 60;
/** A placement less probable than this is left open, nats. */
const WORST = -30;

/** Calls that may belong to each span. */
function callsOfSpans(problem: TimingProblem): number[][] {
  const calls = Array.from(problem.spanStart, (): number[] => []);
  for (let call = 0; call < problem.callStart.length; call++) {
    for (let at = problem.offsets[call]!; at < problem.offsets[call + 1]!; at++) {
      calls[problem.list[at]!]!.push(call);
    }
  }
  return calls;
}

/**
 * Spans whose calls are known because no other span could have made them; where these are
 * too few, the least ambiguous ones with the calls that began last before them.
 */
export function knownExamples(problem: TimingProblem): Example[] {
  const { offsets, list } = problem;
  const rivals = (call: number) => offsets[call + 1]! - offsets[call]! - 1;
  const calls = callsOfSpans(problem);
  const known = calls.flatMap((own, span) =>
    own.every((call) => rivals(call) === 0)
      ? [{ span, bundle: sortBundle(problem, [...own]) }]
      : [],
  );
  if (known.length >= LEAST_KNOWN) return known;
  const doubt = calls.map((own) =>
    own.length === 0 ? 0 : own.reduce((sum, call) => sum + rivals(call), 0) / own.length,
  );
  const count = Math.max(LEAST_GUESSED, calls.length >> 3);
  const latest = (call: number) => list[offsets[call + 1]! - 1];
  return Array.from(calls.keys())
    .sort((a, b) => doubt[a]! - doubt[b]! || a - b)
    .slice(0, count)
    .map((span) => ({
      span,
      bundle: sortBundle(
        problem,
        calls[span]!.filter((call) => rivals(call) === 0 || latest(call) === span),
      ),
    }));
}

interface Placement {
  readonly weight: number;
  readonly span: number;
  readonly call: number;
}

/**
 * A first assignment: place by place of each route's usual shape, calls and spans are
 * matched one to one, the most probable pairs first. Calls that find no place stay open.
 */
export function matchPlaces(problem: TimingProblem, model: TimingModel): Int32Array {
  const { spanRoute, callType, callStart, offsets, list, prior } = problem;
  const parent = new Int32Array(callStart.length).fill(NONE);
  const usual = Array.from(spanRoute, (route) => model.usualShape(route));
  const placed = usual.map((shape) => new Int32Array(shape?.types.length ?? 0).fill(-1));
  const places = usual.reduce((most, shape) => Math.max(most, shape?.types.length ?? 0), 0);
  for (let place = 0; place < places; place++) {
    const placements: Placement[] = [];
    for (let call = 0; call < parent.length; call++) {
      if (parent[call] !== NONE) continue;
      for (let at = offsets[call]!; at < offsets[call + 1]!; at++) {
        const span = list[at]!;
        const shape = usual[span];
        if (shape === undefined || place >= shape.types.length) continue;
        const slot = shape.template.order[place]!;
        if (shape.types[slot] !== callType[call] || placed[span]![slot] !== -1) continue;
        const log = shape.template.logOfPlace(span, placed[span]!, place, call);
        if (log === undefined || log + prior[at]! <= WORST) continue;
        placements.push({ weight: log + prior[at]!, span, call });
      }
    }
    placements.sort((a, b) => b.weight - a.weight || a.call - b.call || a.span - b.span);
    for (const { span, call } of placements) {
      const slot = usual[span]!.template.order[place]!;
      if (parent[call] !== NONE || placed[span]![slot] !== -1) continue;
      placed[span]![slot] = call;
      parent[call] = span;
    }
  }
  return parent;
}
