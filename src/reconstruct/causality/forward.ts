import type { Candidates } from './candidates.js';
import { CauseKind } from './cause-kind.js';
import type { Kinds } from './kinds.js';
import { actorsWith, MarkKind, type Marks } from './marks.js';
import { ORIGIN_KINDS } from './origins.js';
import type { ProcessIndex } from './process-index.js';
import { Observations, trustByRegularity } from './regularity.js';
import type { ThreadContext } from './thread-context.js';

/** Events by what they are of: requests by route, replies by kind of call, and responses. */
export interface EventKinds {
  readonly count: number;
  of(kind: number, subject: number): number;
}

export function eventKinds(requests: Kinds, calls: Kinds): EventKinds {
  const response = requests.count + calls.count;
  const of = (kind: number, subject: number) => {
    if (kind === CauseKind.request) return requests.of[subject]!;
    if (kind === CauseKind.reply) return requests.count + calls.of[subject]!;
    return response;
  };
  return { count: response + 1, of };
}

/** How often each kind of event occurs on actors of which `isMeant` holds. */
export function countEvents(marks: Marks, kinds: EventKinds, isMeant: Uint8Array): Float64Array {
  const base = new Float64Array(kinds.count);
  for (let mark = 0; mark < marks.count; mark++) {
    if (isMeant[marks.actor[mark]!] === 0) continue;
    const subject = marks.subject[mark]!;
    const kind = marks.kind[mark];
    if (kind === MarkKind.requestRead) base[kinds.of(CauseKind.request, subject)]!++;
    else if (kind === MarkKind.replyRead) base[kinds.of(CauseKind.reply, subject)]!++;
    else if (kind === MarkKind.responseWritten) base[kinds.of(CauseKind.response, subject)]!++;
  }
  return base;
}

/**
 * Classes of "the last event before a call is its cause": by kind of call, where it was
 * made, kind of event, and whether the actor reads requests itself or helps those that do.
 * What is learned of one call of a class holds for all of it.
 */
export interface ForwardClasses {
  readonly count: number;
  /** Per client: class; -1 where nothing came before. */
  readonly of: Int32Array;
  /** Per class: trust by regularity alone, 0..1. */
  readonly trust: Float64Array;
  /** Classes from this number on are of helpers: actors that read no requests. */
  readonly firstHelper: number;
}

const MAKINGS = [MarkKind.connected, MarkKind.leased, MarkKind.callSent];

export function forwardClasses(
  index: ProcessIndex,
  context: ThreadContext,
  marks: Marks,
  candidates: Candidates,
  kinds: EventKinds,
  calls: Kinds,
  isHelped: Uint8Array,
): ForwardClasses {
  const count = index.clients.length;
  const of = new Int32Array(count).fill(-1);
  const isReader = actorsWith(marks, [MarkKind.requestRead]);
  const groups = calls.count * ORIGIN_KINDS;
  const own = new Observations(groups, kinds.count);
  const helpers = new Observations(groups, kinds.count);
  const firstHelper = groups * kinds.count;
  for (let client = 0; client < count; client++) {
    const kind = context.causeKind[client]!;
    if (kind === CauseKind.none || context.queued[client] === 1) continue;
    const group = calls.of[client]! * ORIGIN_KINDS + context.origin[client]!;
    const category = kinds.of(kind, context.cause[client]!);
    of[client] = group * kinds.count + category + (isHelped[client] === 1 ? firstHelper : 0);
    // Where only one request is open, every rule holds.
    if (candidates.open[client]! > 1) {
      (isHelped[client] === 1 ? helpers : own).add(group, category);
    }
  }
  const isMaker = actorsWith(marks, MAKINGS);
  const trustOf = (observations: Observations, readers: number) => {
    const isMeant = isMaker.map((flag, actor) => (isReader[actor] === readers ? flag : 0));
    return trustByRegularity(observations, countEvents(marks, kinds, isMeant));
  };
  const trust = new Float64Array(2 * firstHelper);
  trust.set(trustOf(own, 1));
  trust.set(trustOf(helpers, 0), firstHelper);
  return { count: trust.length, of, trust, firstHelper };
}
