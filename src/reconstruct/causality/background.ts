import type { Candidates } from './candidates.js';
import type { Kinds } from './kinds.js';
import type { ProcessIndex } from './process-index.js';
import { placeOfEarlier, type Relatives } from './relatives.js';

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

/** Kinds that fewer requests than this share make may be a timer's work as well as a rare branch's. */
const RARE = 0.1;
const RARE_SHARE = 0.6;
/** Calls at intervals that vary less than this (standard deviation by mean) are a timer's. */
const STEADY_INTERVAL = 0.25;
const LEAST_CALLS = 6;
const STEADY_SHARE = 0.98;
const LITTLE_IDLE = 0.1;
/** Requests looked at per call when asking which routes can have made it. */
const MOST_LOOKED_AT = 32;
/** Least prior: nothing is wholly out of the question. */
const LEAST_SHARE = 0.0005;

/** Per kind of call: at most how large a share of the requests of one route can make such calls. */
function mostFrequent(
  index: ProcessIndex,
  candidates: Candidates,
  calls: Kinds,
  requests: Kinds,
): Float64Array {
  const totals = new Float64Array(requests.count);
  for (const kind of requests.of) totals[kind]!++;
  const open = new Float64Array(calls.count * requests.count);
  const seen = new Int32Array(requests.count).fill(-1);
  for (let client = 0; client < index.clients.length; client++) {
    const base = calls.of[client]! * requests.count;
    const begun = candidates.begun[client]!;
    for (let server = begun - 1; server >= Math.max(0, begun - MOST_LOOKED_AT); server--) {
      if (!candidates.has(client, server)) continue;
      const kind = requests.of[server]!;
      if (seen[kind] === client) continue;
      seen[kind] = client;
      open[base + kind]!++;
    }
  }
  return Float64Array.from({ length: calls.count }, (_, call) => {
    let most = 0;
    for (let kind = 0; kind < requests.count; kind++) {
      if (totals[kind] === 0) continue;
      most = Math.max(most, open[call * requests.count + kind]! / totals[kind]!);
    }
    return most;
  });
}

/** Per kind of call: how much the intervals between its calls vary; Infinity where there are few. */
function intervalVariation(index: ProcessIndex, calls: Kinds): Float64Array {
  const last = new Float64Array(calls.count).fill(Number.NaN);
  const count = new Float64Array(calls.count);
  const sum = new Float64Array(calls.count);
  const squares = new Float64Array(calls.count);
  for (let client = 0; client < index.clients.length; client++) {
    const kind = calls.of[client]!;
    const at = index.clientStart[client]!;
    if (!Number.isNaN(last[kind]!)) {
      const interval = (at - last[kind]!) / 1e6;
      count[kind]!++;
      sum[kind]! += interval;
      squares[kind]! += interval * interval;
    }
    last[kind] = at;
  }
  return count.map((n, kind) => {
    if (n < LEAST_CALLS) return Infinity;
    const mean = sum[kind]! / n;
    return Math.sqrt(Math.max(0, squares[kind]! / n - mean * mean)) / mean;
  });
}

/**
 * Probability that a call belongs to no request (health checks, refresh jobs), per kind
 * of call. Background calls do not care whether a request is open, so the ones that fall
 * into idle time, divided by the share of idle time, estimate all of them. Where a process
 * is never idle that says nothing; then calls that come like clockwork are a timer's, and
 * calls that only a few requests can have made are given a fair chance of being nobody's.
 */
export function backgroundShares(
  index: ProcessIndex,
  candidates: Candidates,
  calls: Kinds,
  requests: Kinds,
): Float64Array {
  const idle = Math.max(0.02, idleShare(index));
  const alone = new Float64Array(calls.count);
  const total = new Float64Array(calls.count);
  for (let client = 0; client < index.clients.length; client++) {
    const kind = calls.of[client]!;
    total[kind]!++;
    if (candidates.open[client] === 0) alone[kind]!++;
  }
  const frequent = mostFrequent(index, candidates, calls, requests);
  const variation = intervalVariation(index, calls);
  return alone.map((seen, kind) => {
    // Few calls in little idle time make a large share by chance.
    const count = idle < LITTLE_IDLE ? Math.max(0, seen - 1.5 * Math.sqrt(seen)) : seen;
    const isRare = frequent[kind]! < RARE;
    const rare = isRare ? RARE_SHARE : LEAST_SHARE;
    const least = isRare && variation[kind]! < STEADY_INTERVAL ? STEADY_SHARE : rare;
    return Math.min(0.999, Math.max(least, (count + 0.05) / idle / (total[kind]! + 1)));
  });
}

/** From this trust on, all that an async function calls counts as one piece of work. */
const LEAST_ONE_FUNCTION = 0.9;

/**
 * What one async function calls belongs to a request together, or to none.
 *
 * @param shares per client: probability that it belongs to none by itself, 0..1
 * @param trust by class of relatives: trust, 0..1
 * @returns the same, where the calls that the function made before are known
 */
export function shareTogether(
  shares: Float64Array,
  relatives: Relatives,
  trust: Float64Array,
): Float64Array {
  const together = shares.slice();
  for (let client = 0; client < together.length; client++) {
    const place = placeOfEarlier(client);
    const earlier = relatives.of[place]!;
    if (earlier < 0 || trust[relatives.classes[place]!]! < LEAST_ONE_FUNCTION) continue;
    together[client] = Math.min(together[client]!, together[earlier]!);
  }
  return together;
}
