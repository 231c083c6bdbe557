import { routeTemplate } from '../../model/route.js';
import { Verdict } from '../../model/span.js';
import type { TimingProblem } from '../timing/problem.js';
import { solveTiming } from '../timing/solve.js';
import type { CallTypes } from './background.js';
import type { Candidates } from './candidates.js';
import type { Decision } from './decide.js';
import type { ProcessIndex } from './process-index.js';

/** From this posterior on, context has settled a call: timing may learn from it, not change it. */
const SETTLED = 0.98;
/** Requests without an open call that are learned from, beside those with. */
const MOST_EXAMPLES = 3000;
/** A route's failed requests are a kind of their own from this many on: errors skip calls. */
const LEAST_FAILED = 20;
const LEAST_CHANCE = 1e-12;

/** What context leaves open: per entry of the candidates, the probability that timing finds. */
export interface OpenCalls {
  /** Per client: 1 where context has not settled the call. */
  readonly isOpen: Uint8Array;
  /** Per entry of Candidates.list, of open calls only. */
  readonly chance: Float64Array;
}

function isOpenCall(decision: Decision): boolean {
  const best = decision.candidates[0];
  if (best === undefined || decision.verdict === Verdict.root) return false;
  return best.confidence < SETTLED;
}

/** The servers that open calls may belong to, and a spread of others to learn from. */
function chooseServers(
  index: ProcessIndex,
  candidates: Candidates,
  isOpen: Uint8Array,
): Int32Array {
  const number = new Int32Array(index.servers.length).fill(-1);
  for (let client = 0; client < isOpen.length; client++) {
    if (isOpen[client] === 0) continue;
    for (let at = candidates.offsets[client]!; at < candidates.offsets[client + 1]!; at++) {
      number[candidates.list[at]!] = 0;
    }
  }
  const others = number.reduce((sum, n) => sum + (n === -1 ? 1 : 0), 0);
  const stride = Math.max(1, Math.ceil(others / MOST_EXAMPLES));
  let seen = 0;
  let next = 0;
  for (let server = 0; server < number.length; server++) {
    if (number[server] === 0 || seen++ % stride === 0) number[server] = next++;
  }
  return number;
}

/** Kinds of requests: method and route, failed ones apart where there are enough of them. */
function kindsOf(index: ProcessIndex): Uint32Array {
  const { exchanges: x } = index;
  const names = Array.from(index.servers, (row) => {
    const failed = x.status[row]! >= 500 ? ' failed' : '';
    return [`${x.method[row]} ${routeTemplate(x.target[row]!)}`, failed] as const;
  });
  const counts = new Map<string, number>();
  for (const [route, failed] of names) {
    counts.set(route + failed, (counts.get(route + failed) ?? 0) + 1);
  }
  const numbers = new Map<string, number>();
  return Uint32Array.from(names, ([route, failed]) => {
    const name = counts.get(route + failed)! >= LEAST_FAILED ? route + failed : route;
    const known = numbers.get(name) ?? numbers.size;
    numbers.set(name, known);
    return known;
  });
}

interface Placed {
  readonly problem: TimingProblem;
  /** Per entry of the problem's list: the entry of Candidates.list; of settled calls -1. */
  readonly entry: Int32Array;
}

/** Times in µs: what the gap densities are made for. */
const micro = (ns: number) => ns / 1000;

/**
 * Poses the problem: calls that are settled have their one parent, open ones all their
 * candidates, weighed by what context says of each against the others.
 */
function pose(
  index: ProcessIndex,
  candidates: Candidates,
  types: CallTypes,
  decisions: readonly Decision[],
  isOpen: Uint8Array,
  chances: Float64Array,
): Placed {
  const number = chooseServers(index, candidates, isOpen);
  const servers = Int32Array.from(number.keys()).filter((server) => number[server] !== -1);
  const kinds = kindsOf(index);
  const calls: number[] = [];
  const offsets = [0];
  const list: number[] = [];
  const entry: number[] = [];
  const prior: number[] = [];
  const none: number[] = [];
  const first = index.clientStart[0] ?? 0;
  const last = index.clientStart[index.clientStart.length - 1] ?? 0;
  // Background calls come as a Poisson process: per µs as many of a type as there are, shared out.
  const perMicro = new Float64Array(types.names.length);
  for (const type of types.of) perMicro[type]! += 1 / Math.max(1, micro(last - first));
  for (let client = 0; client < isOpen.length; client++) {
    const from = candidates.offsets[client]!;
    const to = candidates.offsets[client + 1]!;
    if (isOpen[client] === 1) {
      for (let at = from; at < to; at++) {
        list.push(number[candidates.list[at]!]!);
        entry.push(at);
        prior.push(Math.log(Math.max(LEAST_CHANCE, chances[at]!) * (to - from)));
      }
      const background = Math.max(LEAST_CHANCE, decisions[client]!.background);
      none.push(Math.log(background * perMicro[types.of[client]!]!));
    } else {
      const best = decisions[client]!.candidates[0];
      const isLinked = best !== undefined && decisions[client]!.verdict !== Verdict.root;
      const server = isLinked ? number[best.server]! : -1;
      if (server === -1) continue;
      list.push(server);
      entry.push(-1);
      prior.push(0);
      none.push(Number.NEGATIVE_INFINITY);
    }
    calls.push(client);
    offsets.push(list.length);
  }
  const problem = {
    spanStart: Float64Array.from(servers, (server) => micro(index.serverStart[server]!)),
    spanEnd: Float64Array.from(servers, (server) => micro(index.serverEnd[server]!)),
    spanRoute: Uint32Array.from(servers, (server) => kinds[server]!),
    callStart: Float64Array.from(calls, (client) => micro(index.clientStart[client]!)),
    callEnd: Float64Array.from(calls, (client) => micro(index.clientEnd[client]!)),
    callType: Uint32Array.from(calls, (client) => types.of[client]!),
    offsets: Uint32Array.from(offsets),
    list: Uint32Array.from(list),
    prior: Float64Array.from(prior),
    none: Float64Array.from(none),
  };
  return { problem, entry: Int32Array.from(entry) };
}

/**
 * Lets timing judge the calls that context has not settled, all of them together, with
 * the settled ones as examples of how each kind of request behaves.
 *
 * @param chances per entry of the candidates: what context finds, 0..1
 */
export function weighOpenCalls(
  index: ProcessIndex,
  candidates: Candidates,
  types: CallTypes,
  decisions: readonly Decision[],
  chances: Float64Array,
): OpenCalls {
  const isOpen = Uint8Array.from(decisions, (decision) => (isOpenCall(decision) ? 1 : 0));
  const chance = new Float64Array(chances.length);
  if (!isOpen.includes(1)) return { isOpen, chance };
  const { problem, entry } = pose(index, candidates, types, decisions, isOpen, chances);
  const found = solveTiming(problem);
  for (let at = 0; at < entry.length; at++) {
    if (entry[at] !== -1) chance[entry[at]!] = found[at]!;
  }
  return { isOpen, chance };
}
