import { BackwardKind, type BackwardLabels } from './backward-labels.js';
import type { Kinds } from './kinds.js';
import type { ProcessIndex } from './process-index.js';
import type { ThreadContext } from './thread-context.js';

/** Weight of the prior in observations, and its mean. */
const PRIOR_COUNT = 10;
const PRIOR_MEAN = 0.95;
const CEILING = 0.9995;

/** What speaks for and against one pair of kinds. */
interface Tally {
  /** Neighbours with labels of their own: how many, and how many agree. */
  labelled: number;
  agreeing: number;
  /** Neighbours of which one led to the next call: how many, and how many had replied by then. */
  joined: number;
  inTime: number;
  /** The same for calls that are no neighbours. */
  strangers: number;
  strangersInTime: number;
}

/** Per call: the next call of the same kind, -1 none. */
function nextOfKind(calls: Kinds): Int32Array {
  const next = new Int32Array(calls.of.length).fill(-1);
  const last = new Map<number, number>();
  for (let client = calls.of.length - 1; client >= 0; client--) {
    next[client] = last.get(calls.of[client]!) ?? -1;
    last.set(calls.of[client]!, client);
  }
  return next;
}

/**
 * Of two calls sent together, whose replies the program awaits before it goes on, only the
 * later reply leads to the next call and gets its label; the other has none to compare. But
 * it must have arrived by then, which holds for strangers only by chance: with v the share
 * seen and c the chance, they are siblings in (v - c) / (1 - c).
 */
function addJoin(tally: Tally, index: ProcessIndex, next: number, other: number, stranger: number) {
  const at = index.clientStart[next]!;
  tally.joined++;
  if (index.clientEnd[other]! <= at) tally.inTime++;
  if (stranger === -1 || index.clientStart[stranger]! >= at) return;
  tally.strangers++;
  if (index.clientEnd[stranger]! <= at) tally.strangersInTime++;
}

function trustOf(tally: Tally): number {
  let right = PRIOR_COUNT * PRIOR_MEAN + tally.agreeing;
  let total = PRIOR_COUNT + tally.labelled;
  const chance = (tally.strangersInTime + 1) / (tally.strangers + 2);
  if (tally.joined > 0 && chance < 0.9) {
    const share = Math.max(0, (tally.inTime / tally.joined - chance) / (1 - chance));
    right += share * tally.joined;
    total += tally.joined;
  }
  return Math.min(CEILING, right / total);
}

/**
 * How often two calls of a burst, sent one after the other, share their parent, by pair of
 * kinds (number of the first × number of kinds + number of the second).
 *
 * @param labels what the responses say, without anything shared within bursts
 */
export function learnSiblings(
  index: ProcessIndex,
  context: ThreadContext,
  calls: Kinds,
  labels: BackwardLabels,
): Map<number, number> {
  const tallies = new Map<number, Tally>();
  const next = nextOfKind(calls);
  for (let client = 0; client < context.before.length; client++) {
    const before = context.before[client]!;
    if (before < 0) continue;
    const pair = calls.of[before]! * calls.count + calls.of[client]!;
    const empty = {
      labelled: 0,
      agreeing: 0,
      joined: 0,
      inTime: 0,
      strangers: 0,
      strangersInTime: 0,
    };
    const tally = tallies.get(pair) ?? empty;
    tallies.set(pair, tally);
    const [first, second] = [labels.server[before]!, labels.server[client]!];
    if (first >= 0 && second >= 0) {
      tally.labelled++;
      if (first === second) tally.agreeing++;
    } else if (first >= 0 || second >= 0) {
      const known = first >= 0 ? before : client;
      const other = first >= 0 ? client : before;
      if (labels.kind[known] !== BackwardKind.successor) continue;
      addJoin(tally, index, labels.from[known]!, other, next[other]!);
    }
  }
  return new Map([...tallies].map(([pair, tally]) => [pair, trustOf(tally)]));
}
