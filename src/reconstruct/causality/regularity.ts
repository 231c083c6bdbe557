/**
 * How often a rule holds of which no other witness is known: does what it names come as
 * regularly as a cause, or as any event happens to come?
 *
 * Where a rule holds, what a call follows depends on the call (it always follows the reply
 * of one other kind of call); where it does not, the call follows whatever came last, so
 * that each kind of event comes before it as often as it comes at all. The observed mix is
 * r x (something) + (1 - r) x (the mix of all events), so 1 - r is at most the least ratio of
 * observed to expected over the kinds of events (mixture proportion: Blanchard, Lee, Scott 2010).
 */

/** A kind of event says something from this many expected observations on. */
const LEAST_EXPECTED = 5;
/** Trust where nothing can be said. */
const UNKNOWN_TRUST = 0.95;
const LEAST_TRUST = 0.001;
const MOST_TRUST = 0.9995;

/** Counts of (group, category) pairs: what was seen before the things of each group. */
export class Observations {
  readonly seen: Float64Array;
  readonly totals: Float64Array;

  constructor(
    groups: number,
    readonly categories: number,
  ) {
    this.seen = new Float64Array(groups * categories);
    this.totals = new Float64Array(groups);
  }

  add(group: number, category: number): void {
    this.seen[group * this.categories + category]!++;
    this.totals[group]!++;
  }
}

/**
 * @param base per category: how often such events occur at all
 * @returns per group × category: probability that the event is the cause, where it came before
 */
export function trustByRegularity({ seen, totals, categories }: Observations, base: Float64Array) {
  const all = base.reduce((sum, count) => sum + count, 0);
  const trust = new Float64Array(seen.length);
  for (let group = 0; group < totals.length; group++) {
    const scale = all === 0 ? 0 : totals[group]! / all;
    let invalid = Infinity;
    for (let category = 0; category < categories; category++) {
      const expected = base[category]! * scale;
      if (expected < LEAST_EXPECTED) continue;
      invalid = Math.min(invalid, (seen[group * categories + category]! + 1) / expected);
    }
    for (let category = 0; category < categories; category++) {
      const at = group * categories + category;
      if (seen[at] === 0) continue;
      const chance = (Math.min(1, invalid) * base[category]! * scale) / seen[at]!;
      const value = Number.isFinite(invalid) ? 1 - chance : UNKNOWN_TRUST;
      trust[at] = Math.min(MOST_TRUST, Math.max(LEAST_TRUST, value));
    }
  }
  return trust;
}
