import type { Factor } from '../contract.js';
import type { OriginFinder } from './error-origin.js';
import type { Places } from './places.js';
import type { Sides } from './red.js';
import type { Requests } from './requests.js';
import type { SpanIndex } from './span-index.js';
import { isIn } from './windows.js';

/** Below this share of the whole, a place is not listed. */
const MIN_SHARE = 0.01;
/** Extra time that is not worth a candidate: this share of the usual time of all requests. */
const MIN_EXTRA_TIME = 0.05;

/** What one route's requests cost at each place, in sum. */
interface RouteCost {
  requests: number;
  readonly ms: Float64Array;
  readonly failures: Float64Array;
}

/** What requests of one side cost by route and place. */
interface Costs {
  readonly routes: Map<number, RouteCost>;
  /** Requests that passed each place. */
  readonly visits: Float64Array;
  readonly ms: Float64Array;
}

function emptyCosts(places: number): Costs {
  return { routes: new Map(), visits: new Float64Array(places), ms: new Float64Array(places) };
}

/**
 * Adds up, for the requests of one side, own time on the critical path and origins of
 * failures. Spans above the entry belong to whoever drives the load and are left out.
 */
function sumCosts(
  index: SpanIndex,
  requests: Requests,
  places: Places,
  origins: OriginFinder,
  windows: Sides['during'],
): Costs {
  const count = places.names.length;
  const costs = emptyCosts(count);
  const seen = new Int32Array(count).fill(-1);
  for (let i = 0; i < requests.rows; i++) {
    if (!isIn(windows, requests.start[i]!)) continue;
    const key = requests.route[i]!;
    let cost = costs.routes.get(key);
    if (cost === undefined) {
      cost = { requests: 0, ms: new Float64Array(count), failures: new Float64Array(count) };
      costs.routes.set(key, cost);
    }
    cost.requests++;
    const entry = requests.span[i]!;
    const trace = requests.trace[i]!;
    const outside = index.isServer[entry] === 1 ? index.parent[entry]! : -1;
    for (let row = index.traceStarts[trace]!; row < index.traceStarts[trace + 1]!; row++) {
      if (row === outside) continue;
      const place = places.ofSpan[row]!;
      cost.ms[place]! += index.critical[row]!;
      costs.ms[place]! += index.critical[row]!;
      if (seen[place] === i) continue;
      seen[place] = i;
      costs.visits[place]!++;
    }
    if (requests.failed[i] === 1) cost.failures[origins.find(entry).place]!++;
  }
  return costs;
}

/** What the incident's requests cost beyond what the baseline's rates of the same routes give. */
function extras(
  during: Costs,
  before: Costs,
  count: number,
): { ms: Float64Array; failures: Float64Array; expectedMs: number } {
  const ms = new Float64Array(count);
  const failures = new Float64Array(count);
  let expectedMs = 0;
  for (const [route, cost] of during.routes) {
    const usual = before.routes.get(route);
    // A route that was not called before has no usual cost: its time says nothing, its failures do.
    const scale = usual === undefined ? 0 : cost.requests / usual.requests;
    for (let place = 0; place < count; place++) {
      failures[place]! += cost.failures[place]! - scale * (usual?.failures[place] ?? 0);
      if (usual === undefined) continue;
      ms[place]! += cost.ms[place]! - scale * usual.ms[place]!;
      expectedMs += scale * usual.ms[place]!;
    }
  }
  return { ms, failures, expectedMs };
}

const positive = (values: Float64Array) => values.reduce((sum, v) => sum + Math.max(0, v), 0);

/**
 * Ranks the places by what they add to the incident: failures that begin there and own time
 * on the critical path, each beyond what the baseline's mean of the same routes leads to
 * expect. Callers that merely wait or pass an error on add nothing. Needs a baseline.
 */
export function findFactors(
  index: SpanIndex,
  requests: Requests,
  places: Places,
  origins: OriginFinder,
  sides: Sides,
): Factor[] {
  const count = places.names.length;
  const during = sumCosts(index, requests, places, origins, sides.during);
  const before = sumCosts(index, requests, places, origins, sides.baseline);
  const extra = extras(during, before, count);
  const allMs = positive(extra.ms);
  const allFailures = positive(extra.failures);
  const timeCounts = sides.baseline.length > 0 && allMs > extra.expectedMs * MIN_EXTRA_TIME;
  const failuresCount = allFailures >= 1;
  const mean = (costs: Costs, place: number) =>
    costs.visits[place]! > 0 ? costs.ms[place]! / costs.visits[place]! : null;
  return places.names
    .map((service, place): Factor => {
      const failureShare = failuresCount ? Math.max(0, extra.failures[place]!) / allFailures : 0;
      const timeShare = timeCounts ? Math.max(0, extra.ms[place]!) / allMs : 0;
      const parts = Number(failuresCount) + Number(timeCounts);
      return {
        service,
        recorded: place < places.recorded,
        extraFailures: extra.failures[place]!,
        failureShare,
        extraMs: extra.ms[place]!,
        timeShare,
        ownBeforeMs: mean(before, place),
        ownDuringMs: mean(during, place),
        score: parts === 0 ? 0 : (failureShare + timeShare) / parts,
      };
    })
    .filter(({ failureShare, timeShare }) => failureShare >= MIN_SHARE || timeShare >= MIN_SHARE)
    .sort((a, b) => b.score - a.score || (a.service < b.service ? -1 : 1));
}
