import type { CallTypes } from './background.js';
import type { Candidates } from './candidates.js';
import type { ProcessIndex } from './process-index.js';

/** Links need this many proved examples of a type of call before timing may speak. */
const LEAST_EXAMPLES = 30;
/** Most that timing alone may say, in nats: it breaks ties, it does not overrule. */
const LIMIT = 4;
const BINS = 64;

/**
 * Likelihood ratios of two delays, per type of call: request read -> call sent, and
 * reply read -> response written. Learned from the links that context has proved in
 * the same process, against the rivals that those calls had: a delay counts for a
 * candidate as far as true parents show it more often than rivals do.
 */
export interface TimingModel {
  /** Log likelihood ratio for `server` being the parent of `client`, in nats, within ±{@link LIMIT}. */
  score(client: number, server: number): number;
}

/** Signed logarithmic bin of a delay in ns: half octaves of microseconds, negative delays below the middle. */
function binOf(delayNs: number): number {
  if (!Number.isFinite(delayNs)) return BINS - 1;
  const size = Math.min(BINS / 2 - 1, Math.round(2 * Math.log2(1 + Math.abs(delayNs) / 1000)));
  return delayNs < 0 ? BINS / 2 - 1 - size : BINS / 2 + size;
}

/** Smooths a histogram over neighbouring bins and turns it into log shares. */
function logShares(counts: Float64Array): Float64Array {
  const smooth = counts.map((count, bin) => {
    const below = counts[bin - 1] ?? 0;
    const above = counts[bin + 1] ?? 0;
    return 0.5 * count + 0.25 * (below + above) + 0.02;
  });
  const total = smooth.reduce((sum, value) => sum + value, 0);
  return smooth.map((value) => Math.log(value / total));
}

class Histograms {
  readonly parents = new Float64Array(BINS);
  readonly rivals = new Float64Array(BINS);

  ratios(): Float64Array {
    const parents = logShares(this.parents);
    const rivals = logShares(this.rivals);
    return parents.map((value, bin) => value - rivals[bin]!);
  }
}

interface TypeTiming {
  readonly before: Histograms;
  readonly after: Histograms;
  examples: number;
}

/**
 * Learns from links taken as proved.
 *
 * @param parents per client: its proved parent, -1 where there is none
 */
export function learnTiming(
  index: ProcessIndex,
  candidates: Candidates,
  types: CallTypes,
  parents: Int32Array,
): TimingModel {
  const timings: TypeTiming[] = types.names.map(() => ({
    before: new Histograms(),
    after: new Histograms(),
    examples: 0,
  }));
  const beforeBin = (client: number, server: number) =>
    binOf(index.clientStart[client]! - index.serverStart[server]!);
  const afterBin = (client: number, server: number) =>
    binOf(index.serverEnd[server]! - index.clientEnd[client]!);
  for (let client = 0; client < parents.length; client++) {
    const parent = parents[client]!;
    if (parent < 0) continue;
    const timing = timings[types.of[client]!]!;
    timing.examples++;
    for (let i = candidates.offsets[client]!; i < candidates.offsets[client + 1]!; i++) {
      const server = candidates.list[i]!;
      const side = server === parent ? 'parents' : 'rivals';
      timing.before[side][beforeBin(client, server)]!++;
      timing.after[side][afterBin(client, server)]!++;
    }
  }
  const ratios = timings.map((timing) =>
    timing.examples < LEAST_EXAMPLES
      ? undefined
      : { before: timing.before.ratios(), after: timing.after.ratios() },
  );
  return {
    score(client, server) {
      const ratio = ratios[types.of[client]!];
      if (ratio === undefined) return 0;
      const sum = ratio.before[beforeBin(client, server)]! + ratio.after[afterBin(client, server)]!;
      return Math.max(-LIMIT, Math.min(LIMIT, sum));
    },
  };
}
