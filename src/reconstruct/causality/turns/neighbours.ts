import type { Alignment } from './alignment.js';
import type { TurnParents } from './parents.js';

/** Links less probable than this change nothing. */
export const LEAST_LINK = 1e-4;

/** A call or response of one turn. */
export interface Effect {
  /** Event number. */
  readonly at: number;
  readonly kind: number;
  /** Client or server. */
  readonly subject: number;
  readonly isServer: boolean;
  /** Calls: what came of its reply, over all parents alike. */
  readonly believed: number;
}

/**
 * Effects side by side that share an unknown cause share their parent: per effect, what its neighbours
 * on both sides say of it, as a distribution over its candidates; undefined where they say nothing.
 */
export function shareUnknown(
  parents: TurnParents,
  effects: readonly Effect[],
  found: Alignment,
  agreements: readonly number[],
): (Float64Array | undefined)[] {
  const together = effects.map((_, i) => {
    const agreement = agreements[i]!;
    if (i === 0 || !(agreement > 0) || found.together[i]! < LEAST_LINK) return 0;
    const shared = found.together[i]! / agreement;
    return (
      shared /
      (shared +
        Math.max(1e-9, Math.min(found.hidden[i]!, found.hidden[i - 1]!) - found.together[i]!))
    );
  });
  const fromLeft = new Array<Float64Array | undefined>(effects.length);
  const fromRight = new Array<Float64Array | undefined>(effects.length);
  for (let i = 1; i < effects.length; i++) {
    if (together[i]! > 0)
      fromLeft[i] = hear(parents, effects[i]!, effects[i - 1]!, fromLeft[i - 1], together[i]!);
  }
  for (let i = effects.length - 2; i >= 0; i--) {
    if (together[i + 1]! > 0) {
      fromRight[i] = hear(
        parents,
        effects[i]!,
        effects[i + 1]!,
        fromRight[i + 1],
        together[i + 1]!,
      );
    }
  }
  return effects.map((effect, i) => {
    const [left, right] = [fromLeft[i], fromRight[i]];
    if (left === undefined && right === undefined) return undefined;
    const { prior, lists } = parents;
    const from = lists.offsets[effect.subject]!;
    const size = lists.offsets[effect.subject + 1]! - from;
    const out = Float64Array.from(
      { length: size },
      (_, k) => prior[from + k]! * (left?.[k] ?? 1) * (right?.[k] ?? 1),
    );
    const sum = out.reduce((a, b) => a + b, 0);
    return sum > 0 ? out.map((value) => value / sum) : undefined;
  });
}

/** What a neighbour knows, as ratios over the candidates of `to`. */
function hear(
  parents: TurnParents,
  to: Effect,
  from: Effect,
  heard: Float64Array | undefined,
  together: number,
): Float64Array {
  const { offsets, list } = parents.lists;
  const [first, last] = [offsets[from.subject]!, offsets[from.subject + 1]!];
  let sum = 0;
  const belief = new Float64Array(last - first);
  for (let at = first; at < last; at++) {
    belief[at - first] = parents.prior[at]! * parents.down[at]! * (heard?.[at - first] ?? 1);
    sum += belief[at - first]!;
  }
  const start = offsets[to.subject]!;
  return Float64Array.from({ length: offsets[to.subject + 1]! - start }, (_, k) => {
    const at = parents.find(from.subject, list[start + k]!);
    const known = at < 0 || sum === 0 ? 0 : belief[at - first]! / sum;
    const prior = parents.prior[start + k]!;
    // Late parents are unlikely for this call too: the ratio is against any parent that fits.
    return 1 - together + (prior > 0 ? (together * known * parents.fit[start + k]!) / prior : 0);
  });
}
