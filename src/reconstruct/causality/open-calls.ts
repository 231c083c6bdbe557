import { tickOf } from '../timing/clock.js';
import type { TimingProblem } from '../timing/problem.js';
import { solveTiming } from '../timing/solve.js';
import type { CandidateLists, Candidates } from './candidates.js';
import { type Decisions, VerdictCode } from './decide.js';
import { shareRight } from './decoys.js';
import type { Kinds } from './kinds.js';
import type { ProcessIndex } from './process-index.js';

/** From this posterior on, context has settled a call: timing may learn from it, not change it. */
const SETTLED = 0.98;
/** Requests without an open call that are learned from, beside those with. */
const MOST_EXAMPLES = 3000;
/** A route's failed requests are a kind of their own from this many on: errors skip calls. */
const LEAST_FAILED = 20;
const LEAST_CHANCE = 1e-12;
/** A candidate that context gives this does not stand on timing alone. */
export const SUPPORTED = 0.5;

/** The entry of [from, to) with the most; -1 where there is none. */
export function highest(values: Float64Array, from: number, to: number): number {
  let best = -1;
  for (let at = from; at < to; at++) if (best === -1 || values[at]! > values[best]!) best = at;
  return best;
}

/** Per client: 1 where context has not settled the call. */
export function findOpenCalls(decisions: Decisions): Uint8Array {
  return decisions.verdict.map((verdict, client) => {
    if (verdict === VerdictCode.root || decisions.best(client) === -1) return 0;
    return decisions.bestConfidence(client) < SETTLED ? 1 : 0;
  });
}

/** The servers that open calls may belong to, and a spread of others to learn from. */
function chooseServers(count: number, lists: CandidateLists): Int32Array {
  const number = new Int32Array(count).fill(-1);
  for (const server of lists.list) number[server] = 0;
  const others = number.reduce((sum, n) => sum + (n === -1 ? 1 : 0), 0);
  const stride = Math.max(1, Math.ceil(others / MOST_EXAMPLES));
  let seen = 0;
  let next = 0;
  for (let server = 0; server < number.length; server++) {
    if (number[server] === 0 || seen++ % stride === 0) number[server] = next++;
  }
  return number;
}

/** Kinds of requests, failed ones apart where there are enough of them. */
function withFailures({ exchanges: x, servers }: ProcessIndex, requests: Kinds): Uint32Array {
  const isFailed = (server: number) => x.status[servers[server]!]! >= 500;
  const failed = new Uint32Array(requests.count);
  for (let server = 0; server < servers.length; server++) {
    if (isFailed(server)) failed[requests.of[server]!]!++;
  }
  return requests.of.map((kind, server) =>
    isFailed(server) && failed[kind]! >= LEAST_FAILED ? requests.count + kind : kind,
  );
}

export interface OpenInput {
  readonly index: ProcessIndex;
  readonly candidates: Candidates;
  readonly calls: Kinds;
  readonly requests: Kinds;
  readonly decisions: Decisions;
  /** Per client: 1 where context has not settled the call. */
  readonly isOpen: Uint8Array;
  /** Per entry of the lists: what context finds, 0..1. */
  readonly chances: Float64Array;
  readonly lists: CandidateLists;
}

interface Placed {
  readonly problem: TimingProblem;
  /** Per call of the problem: its client. */
  readonly clients: readonly number[];
  /** Per entry of the problem's list: the entry of the candidate lists; of settled calls -1. */
  readonly entry: Int32Array;
}

/** Times in µs: what the gap densities are made for. */
const micro = (ns: number) => ns / 1000;

/**
 * Poses the problem: calls that are settled have their one parent, open ones all their
 * candidates, weighed by what context says of each against the others.
 */
function pose(input: OpenInput): Placed {
  const { index, calls: kinds, decisions, isOpen, chances, lists } = input;
  const number = chooseServers(index.servers.length, lists);
  const servers = Int32Array.from(number.keys()).filter((server) => number[server] !== -1);
  const requestKinds = withFailures(index, input.requests);
  const calls: number[] = [];
  const offsets = [0];
  const list: number[] = [];
  const entry: number[] = [];
  const prior: number[] = [];
  const none: number[] = [];
  const first = index.clientStart[0] ?? 0;
  const last = index.clientStart[index.clientStart.length - 1] ?? 0;
  // Background calls come as a Poisson process: per µs as many of a kind as there are, shared out.
  const perMicro = new Float64Array(kinds.count);
  for (const kind of kinds.of) perMicro[kind]! += 1 / Math.max(1, micro(last - first));
  for (let client = 0; client < isOpen.length; client++) {
    const from = lists.offsets[client]!;
    const to = lists.offsets[client + 1]!;
    if (isOpen[client] === 1) {
      for (let at = from; at < to; at++) {
        list.push(number[lists.list[at]!]!);
        entry.push(at);
        prior.push(Math.log(Math.max(LEAST_CHANCE, chances[at]!) * (to - from)));
      }
      const background = Math.max(LEAST_CHANCE, decisions.background[client]!);
      none.push(Math.log(background * perMicro[kinds.of[client]!]!));
    } else {
      const isLinked = decisions.verdict[client] !== VerdictCode.root;
      const server = isLinked ? number[decisions.best(client)]! : -1;
      if (server === -1) continue;
      list.push(server);
      entry.push(-1);
      prior.push(0);
      none.push(Number.NEGATIVE_INFINITY);
    }
    calls.push(client);
    offsets.push(list.length);
  }
  const times = {
    spanStart: Float64Array.from(servers, (server) => micro(index.serverStart[server]!)),
    spanEnd: Float64Array.from(servers, (server) => micro(index.serverEnd[server]!)),
    callStart: Float64Array.from(calls, (client) => micro(index.clientStart[client]!)),
    callEnd: Float64Array.from(calls, (client) => micro(index.clientEnd[client]!)),
  };
  const problem = {
    ...times,
    spanRoute: Uint32Array.from(servers, (server) => requestKinds[server]!),
    callType: Uint32Array.from(calls, (client) => kinds.of[client]!),
    offsets: Uint32Array.from(offsets),
    list: Uint32Array.from(list),
    prior: Float64Array.from(prior),
    none: Float64Array.from(none),
    tick: tickOf(Object.values(times)),
  };
  return { problem, clients: calls, entry: Int32Array.from(entry) };
}

/** What timing finds for the calls that context has not settled. */
export interface TimingFound {
  /** Per entry of the lists: probability, 0..1. */
  readonly chance: Float64Array;
  /** Of the links that timing claims by itself: the share that is right, 0..1. */
  readonly shareRight: number;
}

/** Per call of the problem: 1 where timing prefers a candidate for which context says nothing. */
function onTimingAlone(
  { isOpen, lists, chances }: OpenInput,
  chance: Float64Array,
  placed: Placed,
) {
  return Uint8Array.from(placed.clients, (client) => {
    if (isOpen[client] === 0) return 0;
    const from = lists.offsets[client]!;
    const to = lists.offsets[client + 1]!;
    return chances[highest(chance, from, to)]! < SUPPORTED ? 1 : 0;
  });
}

/** What timing finds for open calls, and the problem that was posed. */
export function solveOpenCalls(input: OpenInput) {
  const placed = pose(input);
  const found = solveTiming(placed.problem);
  const chance = new Float64Array(input.chances.length);
  for (let at = 0; at < placed.entry.length; at++) {
    if (placed.entry[at] !== -1) chance[placed.entry[at]!] = found[at]!;
  }
  return { placed, found, chance };
}

/**
 * Lets timing judge the calls that context has not settled, all of them together, with
 * the settled ones as examples of how each kind of request behaves.
 *
 * @param least probability from which on a link is claimed
 */
export function weighOpenCalls(input: OpenInput, least: number): TimingFound {
  const { placed, found, chance } = solveOpenCalls(input);
  const { problem, clients } = placed;
  // Spans of other tracers have nothing else: there is nothing to hold timing against.
  if (input.candidates.foreign) return { chance, shareRight: 1 };
  const isOpen = Uint8Array.from(clients, (client) => input.isOpen[client]!);
  const isMeant = onTimingAlone(input, chance, placed);
  return { chance, shareRight: shareRight(problem, found, isOpen, isMeant, least) };
}
