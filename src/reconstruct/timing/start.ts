import type { TimingModel } from './model.js';
import { NONE, type TimingProblem } from './problem.js';

/** A placement less probable than this is left open, nats. */
const WORST = -30;

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
        const slot = shape.template.structure.order[place]!;
        if (shape.types[slot] !== callType[call] || placed[span]![slot] !== -1) continue;
        const log = shape.template.logOfPlace(span, placed[span]!, place, call);
        if (log === undefined || log + prior[at]! <= WORST) continue;
        placements.push({ weight: log + prior[at]!, span, call });
      }
    }
    placements.sort((a, b) => b.weight - a.weight || a.call - b.call || a.span - b.span);
    for (const { span, call } of placements) {
      const slot = usual[span]!.template.structure.order[place]!;
      if (parent[call] !== NONE || placed[span]![slot] !== -1) continue;
      placed[span]![slot] = call;
      parent[call] = span;
    }
  }
  return parent;
}
