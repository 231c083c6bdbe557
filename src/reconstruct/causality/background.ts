import { routeTemplate } from '../../model/route.js';
import type { Candidates } from './candidates.js';
import type { ProcessIndex } from './process-index.js';

/** Calls by what they ask of whom: the unit over which habits are learned. */
export interface CallTypes {
  readonly names: readonly string[];
  /** Per client: index into names. */
  readonly of: Uint32Array;
}

/** Groups calls by destination, method and route. */
export function groupCalls(index: ProcessIndex): CallTypes {
  const { exchanges: x } = index;
  const numbers = new Map<string, number>();
  const of = Uint32Array.from(index.clients, (row) => {
    const route = routeTemplate(x.target[row]!);
    const name = `${x.remote_address[row]}:${x.remote_port[row]} ${x.method[row]} ${route}`;
    const known = numbers.get(name);
    if (known !== undefined) return known;
    numbers.set(name, numbers.size);
    return numbers.size - 1;
  });
  return { names: [...numbers.keys()], of };
}

/** Share of the time between the first and the last exchange in which no request was open, 0..1. */
function idleShare(index: ProcessIndex): number {
  const { serverStart, serverEnd, clientStart } = index;
  if (serverStart.length === 0) return 1;
  const from = Math.min(serverStart[0]!, clientStart[0] ?? Infinity);
  let busy = 0;
  let until = from;
  let last = from;
  for (let server = 0; server < serverStart.length; server++) {
    const start = serverStart[server]!;
    const end = Number.isFinite(serverEnd[server]!) ? serverEnd[server]! : start;
    if (end > until) busy += end - Math.max(until, start);
    until = Math.max(until, end);
    last = Math.max(last, until);
  }
  last = Math.max(last, clientStart[clientStart.length - 1] ?? last);
  return last > from ? 1 - busy / (last - from) : 1;
}

/** Types that fewer requests than this share make may be a timer's work as well as a rare branch's. */
const RARE = 0.1;
const RARE_SHARE = 0.6;

/** Per type: at most how large a share of the requests of one route can make such calls. */
function mostFrequent(index: ProcessIndex, candidates: Candidates, types: CallTypes): Float64Array {
  const { exchanges: x } = index;
  const routes = Array.from(
    index.servers,
    (row) => `${x.method[row]} ${routeTemplate(x.target[row]!)}`,
  );
  const requests = new Map<string, number>();
  for (const route of routes) requests.set(route, (requests.get(route) ?? 0) + 1);
  const open = types.names.map(() => new Map<string, number>());
  for (let client = 0; client < index.clients.length; client++) {
    const seen = new Set<string>();
    for (let at = candidates.offsets[client]!; at < candidates.offsets[client + 1]!; at++) {
      seen.add(routes[candidates.list[at]!]!);
    }
    const counts = open[types.of[client]!]!;
    for (const route of seen) counts.set(route, (counts.get(route) ?? 0) + 1);
  }
  return Float64Array.from(open, (counts) =>
    [...counts].reduce((most, [route, count]) => Math.max(most, count / requests.get(route)!), 0),
  );
}

/**
 * Probability that a call belongs to no request (health checks, refresh jobs), per type
 * of call. Background calls do not care whether a request is open, so the ones that fall
 * into idle time, divided by the share of idle time, estimate all of them. Where a process
 * is never idle that says nothing; then calls that only a few requests can have made are
 * given a fair chance of being nobody's.
 */
export function backgroundShares(
  index: ProcessIndex,
  candidates: Candidates,
  types: CallTypes,
): Float64Array {
  const idle = Math.max(0.02, idleShare(index));
  const alone = new Float64Array(types.names.length);
  const total = new Float64Array(types.names.length);
  for (let client = 0; client < index.clients.length; client++) {
    const type = types.of[client]!;
    total[type]!++;
    if (candidates.open[client] === 0) alone[type]!++;
  }
  const frequent = mostFrequent(index, candidates, types);
  return alone.map((count, type) => {
    const least = frequent[type]! < RARE ? RARE_SHARE : 0.0005;
    return Math.min(0.999, Math.max(least, (count + 0.05) / idle / (total[type]! + 1)));
  });
}
