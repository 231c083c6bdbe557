import type { TimingModel } from './model.js';
import { NONE, type TimingProblem } from './problem.js';

/** A placement less probable than this is left open, nats. */
const WORST = -30;
/** The same of a candidate that the call's own gaps make less probable. */
const LEAST_WEIGHT = 1e-6;

/**
 * A first assignment: place by place of each route's usual shape, calls and spans are
 * matched one to one, the most probable pairs first. Calls that find no place stay open.
 *
 * @param weights per entry of the problem's list: how probable it is for the call on its own
 */
export function matchPlaces(
  problem: TimingProblem,
  model: TimingModel,
  weights: Float64Array,
): Int32Array {
  const { spanRoute, callType, callStart, offsets, list, prior } = problem;
  const parent = new Int32Array(callStart.length).fill(NONE);
  const usual = Array.from(spanRoute, (route) => model.usualShape(route));
  const placed = usual.map((shape) => new Int32Array(shape?.types.length ?? 0).fill(-1));
  const places = usual.reduce((most, shape) => Math.max(most, shape?.types.length ?? 0), 0);
  const logs = new Float64Array(list.length);
  const callOf = new Uint32Array(list.length);
  for (let place = 0; place < places; place++) {
    const placements: number[] = [];
    for (let call = 0; call < parent.length; call++) {
      if (parent[call] !== NONE) continue;
      for (let at = offsets[call]!; at < offsets[call + 1]!; at++) {
        if (weights[at]! < LEAST_WEIGHT) continue;
        const span = list[at]!;
        const shape = usual[span];
        if (shape === undefined || place >= shape.types.length) continue;
        const slot = shape.template.structure.order[place]!;
        if (shape.types[slot] !== callType[call] || placed[span]![slot] !== -1) continue;
        const log = shape.template.logOfPlace(span, placed[span]!, place, call);
        if (log === undefined || log + prior[at]! <= WORST) continue;
        logs[at] = log + prior[at]!;
        callOf[at] = call;
        placements.push(at);
      }
    }
    const order = Uint32Array.from(placements).sort((a, b) => logs[b]! - logs[a]! || a - b);
    for (const at of order) {
      const call = callOf[at]!;
      const span = list[at]!;
      const slot = usual[span]!.template.structure.order[place]!;
      if (parent[call] !== NONE || placed[span]![slot] !== -1) continue;
      placed[span]![slot] = call;
      parent[call] = span;
    }
  }
  return parent;
}
