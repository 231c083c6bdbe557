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

/**
 * Probability that a call belongs to no request (health checks, refresh jobs), per type
 * of call. Background calls do not care whether a request is open, so the ones that fall
 * into idle time, divided by the share of idle time, estimate all of them.
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
  return alone.map((count, type) =>
    Math.min(0.999, Math.max(0.0005, (count + 0.05) / idle / (total[type]! + 1))),
  );
}
