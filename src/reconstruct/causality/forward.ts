import type { Candidates } from './candidates.js';
import { CauseKind } from './cause-kind.js';
import type { GoroutineContext } from './goroutines.js';
import type { Kinds } from './kinds.js';
import { actorsWith, MarkKind, type Marks } from './marks.js';
import { ORIGIN_KINDS } from './origins.js';
import { type Posts, temperByPosts } from './posts.js';
import type { ProcessIndex } from './process-index.js';
import { Observations, trustByRegularity } from './regularity.js';
import { ROLES, Role, type Roles } from './roles.js';
import type { ThreadContext } from './thread-context.js';

/**
 * Events by what they are of: requests by route, replies by kind of call, and responses; each by whether the
 * actor itself did that, or took a message from one that had.
 */
export interface EventKinds {
  readonly count: number;
  /** @param posted 1 where a message brought it, else 0 */
  of(kind: number, subject: number, posted: number): number;
}

export function eventKinds(requests: Kinds, calls: Kinds, marks: Marks): EventKinds {
  const response = requests.count + calls.count;
  const own = (kind: number, subject: number) => {
    if (kind === CauseKind.request) return requests.of[subject]!;
    if (kind === CauseKind.reply) return requests.count + calls.of[subject]!;
    return response;
  };
  return {
    count: (response + 1) * (marks.messages > 0 ? 2 : 1),
    of: (kind, subject, posted) => own(kind, subject) + posted * (response + 1),
  };
}

/** Visits the events of actors of which `isMeant` holds, in order of time. */
function forEachEvent(
  marks: Marks,
  posts: Posts,
  kinds: EventKinds,
  isMeant: Uint8Array,
  visit: (event: number, mark: number) => void,
): void {
  for (let mark = 0; mark < marks.count; mark++) {
    if (isMeant[marks.actor[mark]!] === 0) continue;
    const subject = marks.subject[mark]!;
    const kind = marks.kind[mark];
    if (kind === MarkKind.requestRead) visit(kinds.of(CauseKind.request, subject, 0), mark);
    else if (kind === MarkKind.replyRead) visit(kinds.of(CauseKind.reply, subject, 0), mark);
    else if (kind === MarkKind.responseWritten) {
      visit(kinds.of(CauseKind.response, subject, 0), mark);
    } else if (kind === MarkKind.taken && posts.kind[subject] !== CauseKind.none) {
      visit(kinds.of(posts.kind[subject]!, posts.subject[subject]!, 1), mark);
    }
  }
}

/** How often each kind of event occurs on actors of which `isMeant` holds. */
export function countEvents(
  marks: Marks,
  posts: Posts,
  kinds: EventKinds,
  isMeant: Uint8Array,
): Float64Array {
  const base = new Float64Array(kinds.count);
  forEachEvent(marks, posts, kinds, isMeant, (event) => base[event]!++);
  return base;
}

/**
 * For how long events of each kind were the last ones of their actors, ns, where `isMeant` holds. What leads to a
 * response lets nothing else be done before that: the time until a response does not count.
 */
export function timeOfEvents(
  marks: Marks,
  posts: Posts,
  kinds: EventKinds,
  isMeant: Uint8Array,
): Float64Array {
  const base = new Float64Array(kinds.count);
  const last = new Int32Array(marks.actors).fill(-1);
  const since = new Float64Array(marks.actors);
  forEachEvent(marks, posts, kinds, isMeant, (event, mark) => {
    const actor = marks.actor[mark]!;
    const time = marks.time[mark]!;
    const isResponse = marks.kind[mark] === MarkKind.responseWritten;
    if (last[actor] !== -1 && !isResponse) base[last[actor]!]! += time - since[actor]!;
    last[actor] = event;
    since[actor] = time;
  });
  return base;
}

/**
 * Classes of "the last event before a call is its cause": by kind of call, where it was
 * made, kind of event, whether an async function waits for it, and whether the actor reads requests itself, takes messages, or helps in other ways.
 * What is learned of one call of a class holds for all of it.
 */
export interface ForwardClasses {
  readonly count: number;
  /** Per client: class; -1 where nothing came before. */
  readonly of: Int32Array;
  /** Per class: trust by regularity alone, 0..1. */
  readonly trust: Float64Array;
  /** Classes from this number on are of helpers. */
  readonly firstHelper: number;
}

const MAKINGS = [MarkKind.connected, MarkKind.leased, MarkKind.callSent];

interface ForwardInput {
  readonly index: ProcessIndex;
  readonly context: ThreadContext;
  readonly marks: Marks;
  readonly candidates: Candidates;
  readonly events: EventKinds;
  readonly calls: Kinds;
  readonly roles: Roles;
  /** Of each message: how far what its poster had last done can be trusted, 0..1 (post-trust.ts). */
  readonly posted: Float64Array;
  readonly unit: GoroutineContext['unit'];
}

export function forwardClasses({
  index,
  context,
  marks,
  candidates,
  events: kinds,
  calls,
  roles,
  posted,
  unit,
}: ForwardInput): ForwardClasses {
  const count = index.clients.length;
  const of = new Int32Array(count).fill(-1);
  // What an async function sends before it first waits has no async root, and follows what its thread has just read.
  const isRooted = (client: number) =>
    unit === 'async-root' && index.exchanges.request_goroutine[index.clients[client]!] !== 0;
  const variants = unit === 'async-root' ? 2 : 1;
  const groups = calls.count * ORIGIN_KINDS * variants;
  const size = groups * kinds.count;
  const observations = ROLES.map(() => new Observations(groups, kinds.count));
  for (let client = 0; client < count; client++) {
    const kind = context.causeKind[client]!;
    if (kind === CauseKind.none || context.queued[client] === 1) continue;
    const made = calls.of[client]! * ORIGIN_KINDS + context.origin[client]!;
    const group = made * variants + (isRooted(client) ? 1 : 0);
    const category = kinds.of(kind, context.cause[client]!, context.message[client]! >= 0 ? 1 : 0);
    const role = roles.ofClient[client]!;
    of[client] = role * size + group * kinds.count + category;
    // Where only one request is open, every rule holds.
    if (candidates.open[client]! > 1) observations[role]!.add(group, category);
  }
  const isMaker = actorsWith(marks, MAKINGS);
  const trust = new Float64Array(ROLES.length * size);
  for (const role of ROLES) {
    const isMeant = isMaker.map((flag, actor) => (roles.ofActor[actor] === role ? flag : 0));
    const base = countEvents(marks, context.posts, kinds, isMeant);
    trust.set(trustByRegularity(observations[role]!, base), role * size);
  }
  temperByPosts(of, context.message, trust, posted);
  return { count: trust.length, of, trust, firstHelper: Role.helper * size };
}
