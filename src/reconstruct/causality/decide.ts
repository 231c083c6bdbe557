import { Verdict } from '../../model/span.js';
import type { Candidates } from './candidates.js';
import { type Evidence, gatherEvidence, type Knowledge } from './evidence.js';
import type { ProcessIndex } from './process-index.js';
import type { TimingModel } from './timing.js';

/** Share of calls that are sent after their request was answered, unless evidence says more. */
const AFTERWARDS = 0.02;
/** No inference is surer than this. */
const CEILING = 0.9999;
/** From here on, and only with two kinds of evidence that agree, a link is called certain. */
const CERTAIN = 0.999;

export interface Candidate {
  readonly server: number;
  readonly confidence: number;
  /** What timing says, in nats. */
  readonly timing: number;
}

/** The decision on one call. */
export interface Decision {
  readonly verdict: Verdict;
  /** Candidates, most probable first. */
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
  readonly timing: TimingModel | undefined;
  /** Least posterior of a link, 0..1. */
  readonly minConfidence: number;
}

/** Log prior of each candidate: open requests share what is left; calls after the response are rare. */
function priors(input: DecideInput, client: number, servers: readonly number[]): number[] {
  const at = input.index.clientStart[client]!;
  const isOpen = servers.map((server) => input.index.serverEnd[server]! >= at);
  const open = isOpen.filter(Boolean).length;
  const linked = 1 - input.background(client);
  return isOpen.map((state) =>
    Math.log(linked * (state ? (1 - AFTERWARDS) / open : AFTERWARDS / (servers.length - open))),
  );
}

function normalise(logs: readonly number[]): number[] {
  const most = Math.max(...logs);
  const weights = logs.map((value) => Math.exp(value - most));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
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
  servers: readonly number[],
  evidence: readonly Evidence[],
  timings: readonly number[],
): number[] {
  const logs = priors(input, client, servers);
  let none = Math.log(input.background(client));
  const rivals = Math.max(1, servers.length - 1);
  for (const item of evidence) {
    for (let i = 0; i < servers.length; i++) {
      logs[i]! += Math.log(
        item.server === servers[i] ? item.reliability : (1 - item.reliability) / rivals,
      );
    }
    none += Math.log(item.ifBackground / (item.rule === 'identity' ? 1 : servers.length));
  }
  for (let i = 0; i < servers.length; i++) logs[i]! += timings[i]!;
  return normalise([...logs, none]);
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

function decideOne(
  input: DecideInput,
  client: number,
  parentOf: (client: number) => { server: number; confidence: number },
): Decision {
  const { list, offsets } = input.candidates;
  const servers = Array.from(list.subarray(offsets[client]!, offsets[client + 1]!));
  if (servers.length === 0) {
    return { verdict: Verdict.root, candidates: [], background: 1, evidence: [] };
  }
  const evidence = gatherEvidence(input.knowledge, client, servers, parentOf);
  const timings = servers.map((server) => input.timing?.score(client, server) ?? 0);
  const probabilities = posterior(input, client, servers, evidence, timings);
  const ranked = servers
    .map((server, i) => ({
      server,
      confidence: Math.min(CEILING, probabilities[i]!),
      timing: timings[i]!,
    }))
    .sort((a, b) => b.confidence - a.confidence || a.server - b.server);
  const background = probabilities[servers.length]!;
  return {
    verdict: judge(input, ranked, background, evidence),
    candidates: ranked,
    background,
    evidence,
  };
}

/** Decides every call of a process in time order, so that a call can lean on the ones before it. */
export function decideAll(input: DecideInput): Decision[] {
  const decisions: Decision[] = [];
  const parentOf = (client: number) => {
    const best = decisions[client]?.candidates[0];
    return best === undefined ? { server: -1, confidence: 0 } : best;
  };
  for (let client = 0; client < input.index.clients.length; client++) {
    decisions.push(decideOne(input, client, parentOf));
  }
  return decisions;
}
