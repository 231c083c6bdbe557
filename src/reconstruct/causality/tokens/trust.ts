import type { Candidates } from '../candidates.js';
import { ClassNumbers } from '../class-numbers.js';
import type { Kinds } from '../kinds.js';
import { Lateness } from '../lateness.js';
import type { ProcessIndex } from '../process-index.js';
import type { Tokens } from './read.js';
import { MOST_SHARERS, Sharing } from './sharing.js';

/** The request of a call where threads or goroutines prove it, else -1. */
export type Proof = (client: number) => number;

/** Before anything is seen, calls pass a value on as often as not; in calls. */
const PRIOR_CALLS = 2;
/** Weight of the prior that proofs agree, in proofs. */
const PRIOR_PROOFS = 10;
const CEILING = 0.9995;
/** What nothing else has confirmed settles nothing by itself. */
const UNMEASURED_CEILING = 0.9;
/** Values are judged apart by how many requests share them by chance. */
const RARITIES = [0.05, 0.5, Number.POSITIVE_INFINITY] as const;

/** Values that calls share with one to three of their candidates, by client. */
export class Matches {
  readonly client: number[] = [];
  readonly value: number[] = [];
  readonly place: number[] = [];
  /** MOST_SHARERS places each: the candidates that share it; -1 none. */
  readonly sharers: number[] = [];
  /** How many requests of the process carry the value. */
  readonly total: number[] = [];
  readonly expected: number[] = [];
  readonly isCounted: boolean[] = [];
  /** Probability that the request is among the sharers, 0..1; by chance alone at first. */
  readonly trust: number[] = [];
  /** How many matches there are of calls like it. */
  readonly alike: number[] = [];

  sharersOf(match: number): number[] {
    const from = match * MOST_SHARERS;
    return this.sharers.slice(from, from + MOST_SHARERS).filter((server) => server >= 0);
  }

  add(client: number, value: number, place: number, sharing: Sharing): void {
    this.client.push(client);
    this.value.push(value);
    this.place.push(place);
    for (let i = 0; i < MOST_SHARERS; i++) this.sharers.push(sharing.sharers[i] ?? -1);
    this.total.push(sharing.total);
    this.expected.push(sharing.expected);
    this.isCounted.push(sharing.isCounted);
    this.trust.push(0);
    this.alike.push(0);
  }
}

/** Per class of tokens, how many calls share theirs with a candidate, and how many would by chance. */
class PassingOn {
  private readonly calls: number[] = [];
  private readonly shared: number[] = [];
  private readonly byChance: number[] = [];

  add(at: number, isShared: boolean, chance: number): void {
    this.calls[at] = (this.calls[at] ?? 0) + 1;
    this.shared[at] = (this.shared[at] ?? 0) + Number(isShared);
    this.byChance[at] = (this.byChance[at] ?? 0) + chance;
  }

  /** The share of calls that pass on a value of their request, of those where chance would not share it, 0..1. */
  share(at: number): number {
    const excess = this.shared[at]! - this.byChance[at]! + PRIOR_CALLS / 2;
    return Math.min(1, Math.max(0, excess / (this.calls[at]! - this.byChance[at]! + PRIOR_CALLS)));
  }
}

/**
 * Finds the values that calls share with few of their candidates. Of k among n candidates that share one,
 * m of which would by chance, one is the request with the probability
 * (s + (1 - s) m / n) / (s + (1 - s) m / k), where s is the share of calls that pass it on.
 */
export function findMatches(
  index: ProcessIndex,
  tokens: Tokens,
  candidates: Candidates,
  calls: Kinds,
  proof: Proof,
): Matches {
  const { clients, places } = tokens;
  const numbers = new ClassNumbers();
  const sharing = new Sharing(tokens, candidates);
  const passing = new PassingOn();
  const matches = new Matches();
  /** Per match: kind of call and place of the value; and these with how rare it is, and how it comes about. */
  const [kinds, classes]: [number[], number[]] = [[], []];
  for (let client = 0; client < index.clients.length; client++) {
    const n = candidates.count[client]!;
    if (n === 0) continue;
    for (let at = clients.offsets[client]!; at < clients.offsets[client + 1]!; at++) {
      const place = clients.place[at]!;
      const kind = numbers.of(calls.of[client]! * places.length + place);
      const isCarried = sharing.lookUp(client, clients.value[at]!);
      const k = isCarried ? sharing.sharers.length : 0;
      passing.add(kind, k > 0, isCarried ? sharing.chance : 0);
      if (k === 0 || k > MOST_SHARERS || k === n) continue;
      matches.add(client, clients.value[at]!, place, sharing);
      const rarity = RARITIES.findIndex((limit) => sharing.expected < limit);
      kinds.push(kind);
      classes.push(2 * (kind * RARITIES.length + rarity) + Number(sharing.isCounted));
    }
  }
  for (const [match, kind] of kinds.entries()) {
    const share = passing.share(kind);
    const others = (1 - share) * matches.expected[match]!;
    const n = candidates.count[matches.client[match]!]!;
    const k = matches.sharersOf(match).length;
    matches.trust[match] = share + others === 0 ? 0 : (share + others / n) / (share + others / k);
  }
  applyLessons(matches, classes, learn(matches, classes, index, candidates, proof));
  return matches;
}

/** What is learned of each class of matches: how many there are, and bounds of the trust in them. */
interface Lessons {
  readonly count: Uint32Array;
  readonly least: Float64Array;
  readonly most: Float64Array;
}

/**
 * Two things that share no assumption with tokens. Requests wait for the replies of their calls: where
 * sharers are answered before, they are not the request (lateness.ts), which bounds trust from both
 * sides. And where threads or goroutines prove the request, it must be among the sharers.
 */
function learn(
  matches: Matches,
  classes: readonly number[],
  index: ProcessIndex,
  candidates: Candidates,
  proof: Proof,
): Lessons {
  const classCount = classes.reduce((most, at) => Math.max(most, at + 1), 0);
  const count = new Uint32Array(classCount);
  const [proved, agreed] = [new Uint32Array(classCount), new Uint32Array(classCount)];
  const lateness = new Lateness(index, candidates, classCount);
  for (const [match, at] of classes.entries()) {
    count[at]!++;
    const client = matches.client[match]!;
    const sharers = matches.sharersOf(match);
    if (sharers.length === 1) lateness.add(at, client, sharers[0]!);
    const server = proof(client);
    if (server < 0 || candidates.open[client]! < 2) continue;
    proved[at]!++;
    if (sharers.includes(server)) agreed[at]!++;
  }
  const byProof = (at: number) => (agreed[at]! + PRIOR_PROOFS) / (proved[at]! + PRIOR_PROOFS);
  return {
    count,
    least: lateness.trust(0.5, CEILING, 1),
    most: lateness.trust(0.9, CEILING, 0).map((trust, at) => Math.min(trust, byProof(at))),
  };
}

function applyLessons(
  matches: Matches,
  classes: readonly number[],
  { count, least, most }: Lessons,
): void {
  for (const [match, at] of classes.entries()) {
    const byChance = Math.min(UNMEASURED_CEILING, matches.trust[match]!);
    matches.alike[match] = count[at]!;
    // Those who count side by side are answered one after the other: lateness does not tell them apart.
    const confirmed = matches.isCounted[match] ? 0 : least[at]!;
    matches.trust[match] = Math.min(most[at]!, Math.max(confirmed, byChance));
  }
}
