import { Verdict } from '../../model/span.js';
import type { Candidates } from './candidates.js';
import { type Evidence, gatherEvidence, type Knowledge } from './evidence.js';
import type { ProcessIndex } from './process-index.js';

/** Share of calls that are sent after their request was answered, unless evidence says more. */
const AFTERWARDS = 0.02;
/** No inference is surer than this. */
const CEILING = 0.9999;
/** From here on, and only with two kinds of evidence that agree, a link is called certain. */
const CERTAIN = 0.999;

/** The best candidate and its closest rivals. */
const CANDIDATES_KEPT = 4;

export interface Candidate {
  readonly server: number;
  readonly confidence: number;
  /** What timing adds to the log odds of this candidate, nats; 0 where it was not asked. */
  readonly timing: number;
}

/** The decision on one call. */
export interface Decision {
  readonly verdict: Verdict;
  /** How many requests could have been the parent. */
  readonly count: number;
  /** The most probable of them, best first, at most {@link CANDIDATES_KEPT}. */
  readonly candidates: readonly Candidate[];
  /** Probability that the call belongs to no request, 0..1. */
  readonly background: number;
  readonly evidence: readonly Evidence[];
}

export interface DecideInput {
  readonly index: ProcessIndex;
  readonly candidates: Candidates;
  readonly knowledge: Knowledge;
  /** Per client: prior probability that it belongs to no request. */
  readonly background: (client: number) => number;
  /** Least posterior of a link, 0..1. */
  readonly minConfidence: number;
}

/** Turns log weights into probabilities, in place. */
function normalise(logs: Float64Array): Float64Array {
  let most = Number.NEGATIVE_INFINITY;
  for (const value of logs) if (value > most) most = value;
  let sum = 0;
  for (let i = 0; i < logs.length; i++) {
    logs[i] = Math.exp(logs[i]! - most);
    sum += logs[i]!;
  }
  for (let i = 0; i < logs.length; i++) logs[i]! /= sum;
  return logs;
}

/** Log prior of each candidate: open requests share what is left; calls after the response are rare. */
function priors(
  input: DecideInput,
  client: number,
  servers: Uint32Array,
  logs: Float64Array,
): void {
  const { open } = input.candidates;
  const at = input.index.clientStart[client]!;
  const linked = 1 - input.background(client);
  const during = Math.log((linked * (1 - AFTERWARDS)) / open[client]!);
  const after = Math.log((linked * AFTERWARDS) / (servers.length - open[client]!));
  for (let i = 0; i < servers.length; i++) {
    logs[i] = input.index.serverEnd[servers[i]!]! >= at ? during : after;
  }
}

/**
 * Posterior over "server j is the parent" and "no request is": naive Bayes over the
 * evidence. A rule of reliability r that names one of n candidates multiplies that one by
 * r and each other by (1 - r) / (n - 1).
 *
 * @returns one probability per server, and last that of no request
 */
function posterior(
  input: DecideInput,
  client: number,
  servers: Uint32Array,
  evidence: readonly Evidence[],
): Float64Array {
  const count = servers.length;
  const logs = new Float64Array(count + 1);
  priors(input, client, servers, logs);
  logs[count] = Math.log(input.background(client));
  const rivals = Math.max(1, count - 1);
  for (const item of evidence) {
    const named = Math.log(item.reliability);
    const other = Math.log((1 - item.reliability) / rivals);
    for (let i = 0; i < count; i++) logs[i]! += item.server === servers[i] ? named : other;
    logs[count]! += Math.log(item.ifBackground / (item.rule === 'identity' ? 1 : count));
  }
  return normalise(logs);
}

/** Certain needs proof: an identity, an owned thread, or forward and backward evidence that agree. */
function isProved(evidence: readonly Evidence[], server: number): boolean {
  const rules = new Set(evidence.filter((item) => item.server === server).map((item) => item.rule));
  if (rules.has('identity')) return true;
  if (evidence.some((item) => item.server !== server)) return false;
  const backward = rules.has('closing') || rules.has('sibling') || rules.has('successor');
  const forward = rules.has('thread') || rules.has('connect') || rules.has('after-reply');
  return rules.has('owner') || (forward && backward);
}

function judge(
  input: DecideInput,
  ranked: readonly Candidate[],
  background: number,
  evidence: readonly Evidence[],
): Verdict {
  const best = ranked[0];
  if (best === undefined) return Verdict.root;
  if (background >= input.minConfidence) return Verdict.root;
  if (best.confidence < input.minConfidence) return Verdict.unknown;
  const proved = isProved(evidence, best.server);
  return best.confidence >= CERTAIN && proved ? Verdict.certain : Verdict.probable;
}

/** The most probable candidates, best first; ties go to the request that began first. */
function rank(servers: Uint32Array, chances: Float64Array, context = chances): Candidate[] {
  const odds = (p: number) => Math.log(Math.max(1e-6, p) / Math.max(1e-6, 1 - p));
  const order = Array.from(servers.keys())
    .sort((a, b) => chances[b]! - chances[a]! || a - b)
    .slice(0, CANDIDATES_KEPT);
  return order.map((i) => ({
    server: servers[i]!,
    confidence: Math.min(CEILING, chances[i]!),
    timing: context === chances ? 0 : odds(chances[i]!) - odds(context[i]!),
  }));
}

function decideOne(
  input: DecideInput,
  client: number,
  parentOf: (client: number) => { server: number; confidence: number },
  chancesOut: Float64Array,
): Decision {
  const { list, offsets } = input.candidates;
  const servers = list.subarray(offsets[client]!, offsets[client + 1]!);
  const count = servers.length;
  if (count === 0) {
    return { verdict: Verdict.root, count, candidates: [], background: 1, evidence: [] };
  }
  const evidence = gatherEvidence(input.knowledge, client, servers, parentOf);
  const chances = posterior(input, client, servers, evidence);
  const candidates = rank(servers, chances);
  chancesOut.set(chances.subarray(0, count), offsets[client]!);
  const background = chances[count]!;
  const verdict = judge(input, candidates, background, evidence);
  return { verdict, count, candidates, background, evidence };
}

/** Decisions, and the probability of every candidate as context finds it. */
export interface Decided {
  readonly decisions: Decision[];
  /** Per entry of Candidates.list, 0..1. */
  readonly chances: Float64Array;
}

/** Decides every call of a process in time order, so that a call can lean on the ones before it. */
export function decideAll(input: DecideInput): Decided {
  const decisions: Decision[] = [];
  const chances = new Float64Array(input.candidates.list.length);
  const parentOf = (client: number) => {
    const best = decisions[client]?.candidates[0];
    return best === undefined ? { server: -1, confidence: 0 } : best;
  };
  for (let client = 0; client < input.index.clients.length; client++) {
    decisions.push(decideOne(input, client, parentOf, chances));
  }
  return { decisions, chances };
}

/** The decision on a call that context left open, with the probabilities that timing found. */
export function redecide(
  input: DecideInput,
  client: number,
  { decisions, chances }: Decided,
  found: Float64Array,
): Decision {
  const { list, offsets } = input.candidates;
  const from = offsets[client]!;
  const to = offsets[client + 1]!;
  const own = found.subarray(from, to);
  const servers = list.subarray(from, to);
  const candidates = rank(servers, own, chances.subarray(from, to));
  const background = Math.max(0, 1 - own.reduce((sum, chance) => sum + chance, 0));
  const before = decisions[client]!;
  const verdict = judge(input, candidates, background, before.evidence);
  return { ...before, verdict, candidates, background };
}
