import type { Candidates } from '../candidates.js';
import { CauseKind, EndKind } from '../cause-kind.js';
import type { Kinds } from '../kinds.js';
import type { ProcessHints } from '../process-hints.js';
import type { ProcessIndex } from '../process-index.js';
import type { ThreadContext } from '../thread-context.js';
import { placesOf, TurnClasses } from './classes.js';
import { openRequests, readEvents, type TurnEvents, TurnNumbers, writeEvents } from './numbers.js';
import { TurnParents } from './parents.js';
import { TurnPasses } from './passes.js';
import { learnFirstOrder, learnFirstRates } from './rates.js';
import { TurnRules } from './rules.js';

/** Pairs of passes, one in each direction. */
const ROUNDS = 3;
/** Before them, passes forwards alone, until it is known what leads to what. */
const FIRST_ROUNDS = 5;
const LEAST_EFFECTS = 20;
/** No order of turns is surer than this. */
const CEILING = 0.9995;
/** Beliefs from here on are held against those of the other direction. */
const SURE = 0.9;
/** Weight, in calls, of what is thought of turns before: that they explain little. */
const PRIOR_COUNT = 10;
const PRIOR_AGREE = 0.6;
/** Turns that are trusted less say nothing: half a word supports what timing guesses. */
const LEAST_TRUST = 0.9;
/** Where tasks tell the parents of so many calls, the others are left to timing. */
const TOLD = 0.95;

/** What the turns of event loops say of the calls. */
export interface TurnContext {
  /** Per client: the server that what led to it names; -1 none; and how surely, 0..1. */
  readonly forward: Int32Array;
  readonly forwardTrust: Float64Array;
  /** The same of what its reply led to. */
  readonly backward: Int32Array;
  readonly backwardTrust: Float64Array;
}

function noTurns(count: number): TurnContext {
  return {
    forward: new Int32Array(count).fill(-1),
    forwardTrust: new Float64Array(count),
    backward: new Int32Array(count).fill(-1),
    backwardTrust: new Float64Array(count),
  };
}

/** On a loop's thread the last thing read says nothing of what is done next. Changes `context`. */
function forgetThread(context: ThreadContext, client: number): void {
  context.causeKind[client] = CauseKind.none;
  context.cause[client] = -1;
  context.wakeKind[client] = CauseKind.none;
  context.wakeCause[client] = -1;
  context.before[client] = -1;
  context.closes[client] = -1;
  context.closesByWake[client] = -1;
  context.endKind[client] = EndKind.none;
  context.end[client] = -1;
  context.lenderEnd[client] = -1;
}

/**
 * Event loops that put what they read into queues act on it a fixed number of turns later: asyncio answers
 * three turns after the last reply. So the last thing read says little, and what was read that many
 * turns ago says a lot. How many, and what leads to what, is learned (turn-rates.ts, turn-rules.ts); within a
 * turn, order decides (turn-alignment.ts); and what is known of one call goes to those before and after
 * (turn-passes.ts). Changes `context` for calls made on a loop's thread.
 *
 * @param told per client: the server that its task tells; -1 none
 */
export function followTurns(
  index: ProcessIndex,
  context: ThreadContext,
  hints: ProcessHints,
  candidates: Candidates,
  calls: Kinds,
  requests: Kinds,
  told: Int32Array,
): TurnContext {
  const found = noTurns(index.clients.length);
  const numbers = new TurnNumbers(hints);
  const writes = writeEvents(index, numbers);
  if (writes.count < LEAST_EFFECTS) return found;
  const made: number[] = [];
  for (let at = 0; at < writes.count; at++) {
    if (writes.isServer[at] === 0) made.push(writes.subject[at]!);
  }
  for (const client of made) forgetThread(context, client);
  if (made.filter((client) => told[client]! >= 0).length >= TOLD * made.length) return found;
  const reads = readEvents(index, numbers);
  const open = openRequests(index, writes, requests.of);
  const start = (places: Uint8Array) => {
    const classes = new TurnClasses(index, calls, requests, places);
    const parents = new TurnParents(index, candidates, told);
    const rules = firstRules(classes, reads, writes);
    const passes = new TurnPasses(classes, reads, writes, parents, rules, open);
    for (let round = 0; round < FIRST_ROUNDS; round++) {
      passes.run(true);
      parents.down.fill(1);
    }
    return { parents, passes };
  };
  const alone = new Uint8Array(index.clients.length);
  const { pair } = start(alone).passes;
  const { parents, passes } = start(placesOf(pair, index.clientEnd));
  for (let round = 0; round < ROUNDS; round++) {
    passes.run(false, round === 0);
    passes.run(true);
  }
  const trust = trustOfTurns(parents, made);
  if (trust < LEAST_TRUST) return found;
  for (const client of made) tellBest(found, parents, client, trust);
  return found;
}

/** The likeliest parent of a call, and how likely, by some entries of the lists; -1 where none is sure. */
function sureParent(
  { lists }: TurnParents,
  client: number,
  weight: (at: number) => number,
): number {
  let best = -1;
  let most = 0;
  let sum = 0;
  for (let at = lists.offsets[client]!; at < lists.offsets[client + 1]!; at++) {
    const own = weight(at);
    sum += own;
    if (own <= most) continue;
    best = at;
    most = own;
  }
  return most >= SURE * sum ? best : -1;
}

/**
 * How far turns explain this process: where what led to a call and what its reply led to both name a parent,
 * the share that agrees is the product of their trusts. Chains of nothing but chance hardly ever meet.
 */
function trustOfTurns(parents: TurnParents, clients: readonly number[]): number {
  let both = PRIOR_COUNT;
  let agreeing = PRIOR_COUNT * PRIOR_AGREE;
  const { lists, up, down, prior } = parents;
  for (const client of clients) {
    // A single candidate agrees with itself.
    if (lists.offsets[client + 1]! - lists.offsets[client]! < 2) continue;
    const above = sureParent(parents, client, (at) => up[at]!);
    const below = sureParent(parents, client, (at) => prior[at]! * down[at]!);
    if (above < 0 || below < 0) continue;
    both++;
    if (above === below) agreeing++;
  }
  return Math.sqrt(agreeing / both);
}

/** What can be said before single calls are looked at. */
function firstRules(classes: TurnClasses, reads: TurnEvents, writes: TurnEvents): TurnRules {
  const { requests } = classes;
  const shares = new Float64Array(requests.count);
  for (const route of requests.of) shares[route]! += 1 / requests.of.length;
  const perEffect = new Float64Array(classes.effects);
  for (let at = 0; at < writes.count; at++) {
    perEffect[classes.effectKind(writes, at)]! += 1 / writes.count;
  }
  const first = learnFirstRates(classes, reads, writes);
  const order = learnFirstOrder(classes, writes);
  return new TurnRules(classes, first, shares, perEffect, writes.count, order);
}

function tellBest(
  found: TurnContext,
  { lists, up, down, prior }: TurnParents,
  client: number,
  trust: number,
) {
  const [from, to] = [lists.offsets[client]!, lists.offsets[client + 1]!];
  if (from === to) return;
  let best = from;
  let sum = 0;
  for (let at = from; at < to; at++) {
    if (up[at]! * down[at]! > up[best]! * down[best]!) best = at;
    sum += prior[at]! * down[at]!;
  }
  found.forward[client] = lists.list[best]!;
  found.forwardTrust[client] = Math.min(CEILING, trust * up[best]!);
  if (sum === 0) return;
  found.backward[client] = lists.list[best]!;
  found.backwardTrust[client] = Math.min(CEILING, (trust * prior[best]! * down[best]!) / sum);
}
