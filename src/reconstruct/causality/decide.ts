import { addLatest, type Candidates } from './candidates.js';
import {
  type Chain,
  Claims,
  extendChain,
  FAMILY,
  Family,
  gatherClaims,
  type Knowledge,
  MOST_CLAIMS,
  RuleNumber,
} from './claims.js';
import type { ProcessIndex } from './process-index.js';

/** Share of calls that are sent after their request was answered, unless evidence says more. */
const AFTERWARDS = 0.02;
/** No inference is surer than this. */
const CEILING = 0.9999;
/** From here on, and only with two kinds of evidence that agree, a link is called certain. */
const CERTAIN = 0.999;

/** The best candidate and its closest rivals. */
export const CANDIDATES_KEPT = 4;

/** Verdicts as the columns of {@link Decisions} write them. */
export const VerdictCode = { root: 0, certain: 1, probable: 2, unknown: 3 } as const;

/** The decisions on all calls of a process, as columns. */
export class Decisions {
  /** Per client: VerdictCode. */
  readonly verdict: Uint8Array;
  /** Per client, CANDIDATES_KEPT places: the most probable servers, best first; -1 none. */
  readonly server: Int32Array;
  /** The same places: probability, 0..1. */
  readonly confidence: Float64Array;
  /** The same places: what timing adds to the log odds, nats; 0 where it was not asked. */
  readonly timing: Float64Array;
  /** Per client: probability that it belongs to no request, 0..1. */
  readonly background: Float64Array;
  /** Per client: 1 where two families of evidence agree and none disagrees, or one is proof. */
  readonly proved: Uint8Array;

  constructor(count: number) {
    this.verdict = new Uint8Array(count);
    this.server = new Int32Array(count * CANDIDATES_KEPT).fill(-1);
    this.confidence = new Float64Array(count * CANDIDATES_KEPT);
    this.timing = new Float64Array(count * CANDIDATES_KEPT);
    this.background = new Float64Array(count);
    this.proved = new Uint8Array(count);
  }

  best(client: number): number {
    return this.server[client * CANDIDATES_KEPT]!;
  }

  bestConfidence(client: number): number {
    return this.confidence[client * CANDIDATES_KEPT]!;
  }

  /** Believes in all candidates of a call less. @param factor 0..1 */
  scale(client: number, factor: number): void {
    const from = client * CANDIDATES_KEPT;
    for (let at = from; at < from + CANDIDATES_KEPT; at++) this.confidence[at]! *= factor;
  }
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

/**
 * Posterior over "server j is the parent" and "no request is", for one call after another:
 * naive Bayes over the claims. A rule of trust r that names one of n candidates multiplies
 * that one by r and each other by (1 - r) / (n - 1); of claims of one family that agree only
 * the surest counts. Candidates that nothing names share one probability.
 */
export class Posterior {
  /** The servers that claims name, and their probabilities. */
  count = 0;
  readonly server = new Int32Array(MOST_CLAIMS);
  readonly chance = new Float64Array(MOST_CLAIMS);
  /** Probability of each candidate that nothing names: while open, and after its response. */
  openChance = 0;
  lateChance = 0;
  background = 0;
  private readonly claimed = new Uint8Array(MOST_CLAIMS);

  constructor(private readonly input: DecideInput) {}

  private place(server: number): number {
    for (let i = 0; i < this.count; i++) if (this.server[i] === server) return i;
    this.server[this.count] = server;
    this.chance[this.count] = 0;
    return this.count++;
  }

  /** Marks the claims that count: of one family and server only the surest. */
  private chooseClaims(claims: Claims): void {
    for (let at = 0; at < claims.count; at++) {
      let isSurest = 1;
      for (let other = 0; other < claims.count && isSurest === 1; other++) {
        if (other === at || claims.server[other] !== claims.server[at]) continue;
        if (FAMILY[claims.rule[other]!] !== FAMILY[claims.rule[at]!]) continue;
        const more = claims.trust[other]! - claims.trust[at]!;
        if (more > 0 || (more === 0 && other < at)) isSurest = 0;
      }
      this.claimed[at] = isSurest;
    }
  }

  compute(client: number, claims: Claims): void {
    const { candidates } = this.input;
    const count = candidates.count[client]!;
    const open = candidates.open[client]!;
    const rivals = Math.max(1, count - 1);
    const prior = this.input.background(client);
    const late = count - open;
    const during =
      open === 0 ? Number.NEGATIVE_INFINITY : Math.log(((1 - prior) * (1 - AFTERWARDS)) / open);
    const after =
      late === 0 ? Number.NEGATIVE_INFINITY : Math.log(((1 - prior) * AFTERWARDS) / late);
    // Who is taken in on evidence is not less likely for being late.
    const admitted = Math.log(((1 - prior) * (1 - AFTERWARDS)) / Math.max(1, open));
    this.count = 0;
    this.chooseClaims(claims);
    let others = 0;
    let none = Math.log(prior);
    for (let at = 0; at < claims.count; at++) {
      const place = this.place(claims.server[at]!);
      if (this.claimed[at] === 0) continue;
      // Whoever is the only one would be named in any case.
      const named = count > 1 ? Math.log(claims.trust[at]!) : 0;
      const other = Math.log((1 - claims.trust[at]!) / rivals);
      this.chance[place]! += named - other;
      others += other;
      const spread = claims.rule[at] === RuleNumber.identity ? 1 : count;
      none += Math.log(claims.ifBackground[at]! / spread);
    }
    let namedOpen = 0;
    for (let i = 0; i < this.count; i++) {
      const isOpen = candidates.isOpen(client, this.server[i]!);
      if (isOpen) namedOpen++;
      const isAdmitted = candidates.admitted[client] === this.server[i];
      this.chance[i]! += others + (isAdmitted ? admitted : isOpen ? during : after);
    }
    const unnamedOpen = open - namedOpen;
    const unnamedLate = late - (this.count - namedOpen);
    this.normalise(none, during + others, after + others, unnamedOpen, unnamedLate);
  }

  private normalise(none: number, during: number, after: number, open: number, late: number): void {
    let most = none;
    for (let i = 0; i < this.count; i++) most = Math.max(most, this.chance[i]!);
    if (open > 0) most = Math.max(most, during);
    if (late > 0) most = Math.max(most, after);
    this.background = Math.exp(none - most);
    this.openChance = open > 0 ? Math.exp(during - most) : 0;
    this.lateChance = late > 0 ? Math.exp(after - most) : 0;
    let sum = this.background + open * this.openChance + late * this.lateChance;
    for (let i = 0; i < this.count; i++) {
      this.chance[i] = Math.exp(this.chance[i]! - most);
      sum += this.chance[i]!;
    }
    for (let i = 0; i < this.count; i++) this.chance[i]! /= sum;
    this.background /= sum;
    this.openChance /= sum;
    this.lateChance /= sum;
  }

  /** Probability of one candidate. */
  of(client: number, server: number): number {
    for (let i = 0; i < this.count; i++) if (this.server[i] === server) return this.chance[i]!;
    return this.input.candidates.isOpen(client, server) ? this.openChance : this.lateChance;
  }
}

/** Certain needs proof: an identity, an owner, or evidence of two other families that agrees. */
function isProved(claims: Claims, server: number): boolean {
  let families = 0;
  let isIdentified = false;
  let isContested = false;
  for (let at = 0; at < claims.count; at++) {
    const family = FAMILY[claims.rule[at]!]!;
    if (claims.server[at] === server) {
      families |= 1 << family;
      if (claims.rule[at] === RuleNumber.identity) isIdentified = true;
    } else if (claims.rule[at] === RuleNumber.identity) return false;
    else isContested = true;
  }
  if (isIdentified) return true;
  if (isContested) return false;
  const proof = 1 << Family.proof;
  // More than one bit is set.
  return (families & proof) !== 0 || (families & (families - 1)) !== 0;
}

export function judge(decisions: Decisions, client: number, minConfidence: number): void {
  const confidence = decisions.bestConfidence(client);
  const { verdict } = decisions;
  if (decisions.best(client) === -1 || decisions.background[client]! >= minConfidence) {
    verdict[client] = VerdictCode.root;
  } else if (confidence < minConfidence) verdict[client] = VerdictCode.unknown;
  else if (confidence >= CERTAIN && decisions.proved[client] === 1) {
    verdict[client] = VerdictCode.certain;
  } else verdict[client] = VerdictCode.probable;
}

/**
 * Writes the most probable of `count` candidates, best first; ties go to the request that began
 * first.
 */
export function rank(
  decisions: Decisions,
  client: number,
  servers: ArrayLike<number>,
  chances: ArrayLike<number>,
  count: number,
): void {
  const { server, confidence } = decisions;
  const from = client * CANDIDATES_KEPT;
  const to = from + CANDIDATES_KEPT;
  for (let at = from; at < to; at++) {
    server[at] = -1;
    confidence[at] = 0;
  }
  for (let i = 0; i < count; i++) {
    const own = servers[i]!;
    const chance = chances[i]!;
    let at = to;
    // Sorted by insertion: few are kept.
    while (at > from) {
      const other = server[at - 1]!;
      if (other !== -1) {
        if (confidence[at - 1]! > chance) break;
        if (confidence[at - 1] === chance && other < own) break;
        if (at < to) {
          server[at] = other;
          confidence[at] = confidence[at - 1]!;
        }
      }
      at--;
    }
    if (at === to) continue;
    server[at] = own;
    confidence[at] = chance;
  }
  for (let at = from; at < to; at++) confidence[at] = Math.min(CEILING, confidence[at]!);
}

/** What {@link rankPosterior} ranks: named candidates, and the latest of the others; reused from call to call. */
class Contenders {
  readonly server = new Int32Array(MOST_CLAIMS + CANDIDATES_KEPT);
  readonly chance = new Float64Array(MOST_CLAIMS + CANDIDATES_KEPT);
}

function rankPosterior(
  input: DecideInput,
  decisions: Decisions,
  client: number,
  posterior: Posterior,
  { server, chance }: Contenders,
): void {
  const named = posterior.count;
  for (let i = 0; i < named; i++) {
    server[i] = posterior.server[i]!;
    chance[i] = posterior.chance[i]!;
  }
  let count = named;
  if (named < CANDIDATES_KEPT && input.candidates.count[client]! > named) {
    count = addLatest(input.candidates, client, server, named, CANDIDATES_KEPT);
    for (let i = named; i < count; i++) chance[i] = posterior.of(client, server[i]!);
  }
  rank(decisions, client, server, chance, count);
}

/** Decides every call of a process in time order, so that a call can lean on the ones before it. */
export function decideAll(input: DecideInput): { decisions: Decisions; chain: Chain } {
  const count = input.index.clients.length;
  const decisions = new Decisions(count);
  const chain = {
    server: new Int32Array(count).fill(-1),
    trust: new Float64Array(count),
    decided: new Int32Array(count).fill(-1),
    confidence: new Float64Array(count),
  };
  const claims = new Claims();
  const posterior = new Posterior(input);
  const contenders = new Contenders();
  for (let client = 0; client < count; client++) {
    gatherClaims(input.knowledge, chain, client, claims);
    extendChain(chain, client, claims);
    if (input.candidates.count[client] === 0) {
      decisions.background[client] = 1;
      continue;
    }
    posterior.compute(client, claims);
    rankPosterior(input, decisions, client, posterior, contenders);
    decisions.background[client] = posterior.background;
    chain.decided[client] = decisions.best(client);
    chain.confidence[client] = decisions.bestConfidence(client);
    decisions.proved[client] = isProved(claims, decisions.best(client)) ? 1 : 0;
    judge(decisions, client, input.minConfidence);
  }
  return { decisions, chain };
}
