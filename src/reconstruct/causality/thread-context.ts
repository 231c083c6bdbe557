import { Actors } from './actors.js';
import { CauseKind, EndKind } from './cause-kind.js';
import { actorsWith, MarkKind, type Marks } from './marks.js';
import { OriginKind } from './origins.js';
import { shareInOnePiece } from './pieces.js';
import { EffectKind, Posts } from './posts.js';
import type { ProcessIndex } from './process-index.js';

/**
 * The context of every actor, replayed over the whole recording. Forward: what the actor
 * last received before a call's origin, and what the actor that woke it had. Backward:
 * which reply directly preceded a response, and what an actor did until it answered a
 * request or woke the thread that did. Ownership: the actor read a request and answered it.
 */
export interface ThreadContext {
  /** Per client: OriginKind. */
  readonly origin: Uint8Array;
  /** Per client: CauseKind, its server or client number (-1 none), and ns since then. */
  readonly causeKind: Uint8Array;
  readonly cause: Int32Array;
  readonly gap: Float64Array;
  /** Per client: 1 where the cause is what its queue's order tells, not what the actor did. */
  readonly queued: Uint8Array;
  /** Per client: the message that brought the cause from another actor, -1 none; the gap is then from its taking. */
  readonly message: Int32Array;
  /** What was posted, by message. */
  readonly posts: Posts;
  /** The same for what a wake-up, or the creation of the thread, brought from another actor. */
  readonly wakeKind: Uint8Array;
  readonly wakeCause: Int32Array;
  readonly wakeGap: Float64Array;
  /** Per client: how many calls that wake-up had led to before. */
  readonly wakeUses: Uint16Array;
  /** Per client: the call that the actor had made just before, with nothing read or answered in between; -1 none. */
  readonly before: Int32Array;
  /** Per client: the server whose response directly followed its reply on the actor; -1 none. */
  readonly closes: Int32Array;
  /** Per client: ns from the reply to that response. */
  readonly closesGap: Float64Array;
  /** Per client: the message that brought the reply to the actor which wrote the response; -1 none. */
  readonly closesMessage: Int32Array;
  /** Per client: the server whose thread was woken, or whose response was written by who was woken, after its reply; -1 none. */
  readonly closesByWake: Int32Array;
  /** Per client: the server that owned the actor from request to response; -1 none. */
  readonly owner: Int32Array;
  /** Per server: CauseKind and subject of what its actor had last done before it wrote the response. */
  readonly lastKind: Uint8Array;
  readonly last: Int32Array;
  /** Per server: the message that had brought that; -1 none. */
  readonly lastMessage: Int32Array;
  /** Per client: EndKind and server of what the actor next answered, or whose thread it next woke; -1 none. */
  readonly endKind: Uint8Array;
  readonly end: Int32Array;
  /** Per server: how often a worker woke the thread that was to answer it. */
  readonly handBacks: Uint16Array;
  /** Per client: the server that the actor which had woken its actor next answered, or whose thread that woke; -1 none. */
  readonly lenderEnd: Int32Array;
  /** Share of servers whose response was written by the thread that read the request, 0..1. */
  readonly affinity: number;
  /** Share of servers that shared their actor with another open server, 0..1. */
  readonly interleaved: number;
}

/** Share of requests answered by the thread that read them, from which on threads mean something. */
export const STEADY = 0.95;

/** Where fewer requests than this share get their result in one piece, helpers take pieces of any. */
const MOSTLY_PIECES = 0.8;

/** Calls that are remembered for a thread that never answers anything. */
const MOST_REMEMBERED = 256;

/** Adds to the list of an actor. */
function remember(lists: (number[] | undefined)[], actor: number, client: number): void {
  const list = lists[actor];
  if (list === undefined) lists[actor] = [client];
  else if (list.length < MOST_REMEMBERED) list.push(client);
}

/** The replay of one space of actors. */
class Replay {
  readonly causeKind: Uint8Array;
  readonly cause: Int32Array;
  readonly gap: Float64Array;
  readonly message: Int32Array;
  readonly posts: Posts;
  readonly wakeKind: Uint8Array;
  readonly wakeCause: Int32Array;
  readonly wakeGap: Float64Array;
  readonly wakeUses: Uint16Array;
  readonly before: Int32Array;
  readonly closes: Int32Array;
  readonly closesGap: Float64Array;
  readonly closesMessage: Int32Array;
  readonly closesByWake: Int32Array;
  readonly owner: Int32Array;
  readonly lastKind: Uint8Array;
  readonly last: Int32Array;
  readonly lastMessage: Int32Array;
  readonly endKind: Uint8Array;
  readonly end: Int32Array;
  readonly handBacks: Uint16Array;
  readonly lenderEnd: Int32Array;
  /** Per client: the call before it that waits for the same end. */
  private readonly waiting: Int32Array;
  readonly shared: Uint8Array;
  private readonly actors: Actors;
  readonly answeredByReader: Uint8Array;

  constructor(
    private readonly index: ProcessIndex,
    readonly origin: Uint8Array,
    marks: Marks,
    readonly isAnsweredByReader: Uint8Array,
    /** Per actor: 1 for those that take tasks from others, and so hand nothing on to each other. */
    private readonly isHelper: Uint8Array,
  ) {
    const clients = index.clients.length;
    const none = () => new Int32Array(clients).fill(-1);
    const unknown = () => new Float64Array(clients).fill(Number.NaN);
    this.causeKind = new Uint8Array(clients);
    this.cause = none();
    this.gap = unknown();
    this.message = none();
    this.posts = new Posts(marks.messages);
    this.wakeKind = new Uint8Array(clients);
    this.wakeCause = none();
    this.wakeGap = unknown();
    this.wakeUses = new Uint16Array(clients);
    this.before = none();
    this.closes = none();
    this.closesGap = unknown();
    this.closesMessage = none();
    this.closesByWake = none();
    this.owner = none();
    this.lastKind = new Uint8Array(index.servers.length);
    this.last = new Int32Array(index.servers.length).fill(-1);
    this.lastMessage = new Int32Array(index.servers.length).fill(-1);
    this.endKind = new Uint8Array(clients);
    this.end = none();
    this.handBacks = new Uint16Array(index.servers.length);
    this.lenderEnd = none();
    this.waiting = none();
    this.shared = new Uint8Array(index.servers.length);
    this.answeredByReader = new Uint8Array(index.servers.length);
    this.actors = new Actors(marks.actors);
  }

  apply(kind: number, actor: number, subject: number, time: number): void {
    switch (kind) {
      case MarkKind.requestRead:
        this.readRequest(actor, subject, time);
        break;
      case MarkKind.responseWritten:
        this.writeResponse(actor, subject, time);
        break;
      case MarkKind.connected:
        if (this.origin[subject] === OriginKind.connect) this.makeCall(actor, subject, time);
        break;
      case MarkKind.leased:
        if (this.origin[subject] === OriginKind.lease) this.makeCall(actor, subject, time);
        break;
      case MarkKind.callSent:
        if (this.origin[subject] === OriginKind.send) this.makeCall(actor, subject, time);
        break;
      case MarkKind.replyRead:
        this.actors.set(actor, CauseKind.reply, subject, time);
        break;
      case MarkKind.woke:
        this.wake(actor, subject, time);
        break;
      case MarkKind.posted:
        this.posts.post(this.actors, actor, subject);
        break;
      case MarkKind.taken:
        this.posts.take(this.actors, actor, subject, time);
        break;
      default:
        this.actors.lend(actor, subject, time);
    }
  }

  private readRequest(actor: number, server: number, time: number): void {
    const { actors } = this;
    for (const other of [actors.taken[actor]!, actors.latest[actor]!]) {
      if (other < 0 || other === server || !(this.index.serverEnd[other]! > time)) continue;
      this.shared[other] = 1;
      this.shared[server] = 1;
    }
    const { serverEnd } = this.index;
    const latest = actors.latest[actor]!;
    // One of which no answer was seen would be open for ever.
    const isLater = latest < 0 || serverEnd[server]! > serverEnd[latest]!;
    if (isLater && Number.isFinite(serverEnd[server]!)) actors.latest[actor] = server;
    actors.taken[actor] = server;
    actors.set(actor, CauseKind.request, server, time);
  }

  private writeResponse(actor: number, server: number, time: number): void {
    const { actors } = this;
    const isLent = actors.lentKind[actor] !== CauseKind.none;
    if (isLent && actors.lentKind[actor] === CauseKind.reply) {
      const reply = actors.lentSubject[actor]!;
      if (this.closesByWake[reply] === -1) this.closesByWake[reply] = server;
    }
    this.lastKind[server] = actors.kind[actor]!;
    this.last[server] = actors.subject[actor]!;
    const message = actors.message[actor]!;
    this.lastMessage[server] = message;
    this.posts.leadTo(message, EffectKind.response, server);
    if (actors.kind[actor] === CauseKind.reply) {
      const reply = actors.subject[actor]!;
      if (this.closes[reply] === -1) {
        this.closes[reply] = server;
        this.closesGap[reply] =
          time - (message === -1 ? actors.time[actor]! : this.index.clientEnd[reply]!);
        this.closesMessage[reply] = message;
      }
    }
    // A loop that reads the requests of others in between works for them as well.
    const isOneOfMany = this.isAnsweredByReader[server] === 1 && this.shared[server] === 1;
    this.endPending(actor, EndKind.response, isOneOfMany ? -1 : server);
    if (actors.taken[actor] === server) {
      this.answeredByReader[server] = 1;
      actors.taken[actor] = -1;
    }
    actors.set(actor, CauseKind.response, server, time);
  }

  /** What the actor did since its last end was for `server`; -1: nobody knows for whom. */
  private endPending(actor: number, kind: number, server: number): void {
    const { actors } = this;
    const last = actors.pending[actor]!;
    for (let client = last; client !== -1 && server !== -1; client = this.waiting[client]!) {
      this.endKind[client] = kind === EndKind.wake && client !== last ? EndKind.earlierWake : kind;
      this.end[client] = server;
    }
    actors.pending[actor] = -1;
    for (const client of actors.returned[actor] ?? []) {
      if (this.closesByWake[client] === -1) this.closesByWake[client] = server;
    }
    actors.returned[actor] = undefined;
    for (const client of actors.dispatched[actor] ?? []) {
      if (this.lenderEnd[client] === -1) this.lenderEnd[client] = server;
    }
    actors.dispatched[actor] = undefined;
  }

  private makeCall(actor: number, client: number, time: number): void {
    const { actors } = this;
    this.causeKind[client] = actors.kind[actor]!;
    this.cause[client] = actors.subject[actor]!;
    this.gap[client] = time - actors.time[actor]!;
    this.message[client] = actors.message[actor]!;
    this.posts.leadTo(actors.message[actor]!, EffectKind.call, client);
    if (actors.lentKind[actor] !== CauseKind.none) {
      this.wakeKind[client] = actors.lentKind[actor]!;
      this.wakeCause[client] = actors.lentSubject[actor]!;
      this.wakeGap[client] = time - actors.lentTime[actor]!;
      this.wakeUses[client] = actors.lentUses[actor]!++;
    }
    const lender = actors.lentBy[actor]!;
    if (lender !== -1) remember(actors.dispatched, lender, client);
    this.before[client] = actors.sent[actor]!;
    actors.sent[actor] = client;
    this.owner[client] = actors.taken[actor]!;
    this.waiting[client] = actors.pending[actor]!;
    actors.pending[actor] = client;
  }

  /** A worker that wakes the thread which will answer a request has worked for that request. */
  private wake(actor: number, woken: number, time: number): void {
    const { actors } = this;
    const server = actors.taken[woken]!;
    const isOwner = server >= 0 && this.isAnsweredByReader[server] === 1;
    const own = actors.taken[actor]!;
    const isFree = own === -1 || this.isAnsweredByReader[own] === 0;
    const reply = actors.replyOf(actor);
    if (isOwner && isFree) {
      if (reply !== -1 && this.closesByWake[reply] === -1) this.closesByWake[reply] = server;
      this.handBacks[server]!++;
      this.endPending(actor, EndKind.wake, server);
      actors.lend(actor, woken, time);
      actors.lentKind[actor] = CauseKind.none;
      return;
    }
    if (this.isHelper[actor] === 1 && this.isHelper[woken] === 1) return;
    if (reply !== -1) remember(actors.returned, woken, reply);
    actors.lend(actor, woken, time);
  }
}

/** Per server: 1 where the thread that read the request wrote its response. */
function answeredByReader(index: ProcessIndex): { flags: Uint8Array; affinity: number } {
  const x = index.exchanges;
  const flags = new Uint8Array(index.servers.length);
  let answered = 0;
  let same = 0;
  for (let server = 0; server < flags.length; server++) {
    const row = index.servers[server]!;
    const writer = x.response_start_tid[row]!;
    if (writer === 0) continue;
    answered++;
    if (writer !== x.request_end_tid[row] && writer !== x.request_start_tid[row]) continue;
    flags[server] = 1;
    same++;
  }
  return { flags, affinity: answered === 0 ? 0 : same / answered };
}

/**
 * Replays the marks of one space of actors. Linear in the number of marks.
 *
 * @param origin per client: OriginKind, which of its marks counts as the making of the call
 */
export function replayMarks(index: ProcessIndex, marks: Marks, origin: Uint8Array): ThreadContext {
  const { flags, affinity } = answeredByReader(index);
  const run = (isHelper: Uint8Array) => {
    const replay = new Replay(index, origin, marks, flags, isHelper);
    for (let mark = 0; mark < marks.count; mark++) {
      replay.apply(marks.kind[mark]!, marks.actor[mark]!, marks.subject[mark]!, marks.time[mark]!);
    }
    return replay;
  };
  let replay = run(new Uint8Array(marks.actors));
  if (affinity >= STEADY && shareInOnePiece(replay.handBacks) < MOSTLY_PIECES) {
    // Helpers wake each other for the next task, which is any request's.
    const isReader = actorsWith(marks, [MarkKind.requestRead]);
    replay = run(isReader.map((reads) => 1 - reads));
  }
  const { owner, shared } = replay;
  for (let client = 0; client < owner.length; client++) {
    const server = owner[client]!;
    const isOwner = server >= 0 && shared[server] === 0 && replay.answeredByReader[server] === 1;
    if (!isOwner) owner[client] = -1;
  }
  const sharing = shared.reduce((sum, flag) => sum + flag, 0);
  return {
    origin,
    causeKind: replay.causeKind,
    cause: replay.cause,
    gap: replay.gap,
    queued: new Uint8Array(replay.gap.length),
    message: replay.message,
    posts: replay.posts,
    wakeKind: replay.wakeKind,
    wakeCause: replay.wakeCause,
    wakeGap: replay.wakeGap,
    wakeUses: replay.wakeUses,
    before: replay.before,
    closes: replay.closes,
    closesGap: replay.closesGap,
    closesMessage: replay.closesMessage,
    closesByWake: replay.closesByWake,
    owner,
    lastKind: replay.lastKind,
    last: replay.last,
    lastMessage: replay.lastMessage,
    endKind: replay.endKind,
    end: replay.end,
    handBacks: replay.handBacks,
    lenderEnd: replay.lenderEnd,
    affinity,
    interleaved: sharing / Math.max(1, index.servers.length),
  };
}
