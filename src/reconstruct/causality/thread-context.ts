import { MarkKind, type Marks, type ProcessIndex } from './process-index.js';

/** What a thread had last done when it sent a call. */
export const CauseKind = {
  /** Nothing known: the thread had read nothing yet. */
  none: 0,
  /** It had read a request: cause is that server. */
  request: 1,
  /** It had read a reply: cause is that client, whose parent the call shares. */
  reply: 2,
  /** It had written a response: cause is that server, already answered. */
  response: 3,
} as const;

/**
 * The context of every thread, replayed over the whole recording. Forward: what the
 * thread last received before it sent (for the first call on a connection: before it
 * connected). Backward: which reply directly preceded a response. Ownership: the
 * thread read a request and answered it, and had no other request in between.
 */
export interface ThreadContext {
  /** Per client: CauseKind, its server or client number (-1 none), and ns since then. */
  readonly causeKind: Uint8Array;
  readonly cause: Int32Array;
  readonly gap: Float64Array;
  /** Per client: 1 where the cause was taken when the connection was opened. */
  readonly atConnect: Uint8Array;
  /** Per client: the call that the thread had sent just before, with nothing read or answered in between; -1 none. */
  readonly before: Int32Array;
  /** Per client: the server whose response directly followed its reply on the thread; -1 none. */
  readonly closes: Int32Array;
  /** Per client: ns from the reply to that response. */
  readonly closesGap: Float64Array;
  /** Per client: the server that owned the sending thread from request to response; -1 none. */
  readonly owner: Int32Array;
  /** Share of servers whose response was written by the thread that read the request, 0..1. */
  readonly affinity: number;
  /** Share of servers that shared their thread with another open server, 0..1. */
  readonly interleaved: number;
}

interface ThreadState {
  kind: number;
  subject: number;
  time: number;
  /** The call sent since the thread last read or answered something; -1 none. */
  sent: number;
  /** The server this thread read and has not answered; -1 none. */
  taken: number;
}

interface Replay {
  readonly index: ProcessIndex;
  readonly connectCause: Int32Array;
  readonly connectKind: Uint8Array;
  readonly connectGap: Float64Array;
  readonly provisionalOwner: Int32Array;
  readonly shared: Uint8Array;
  readonly answeredByReader: Uint8Array;
  readonly context: {
    -readonly [K in keyof Omit<ThreadContext, 'affinity' | 'interleaved'>]: ThreadContext[K];
  };
}

function newReplay(index: ProcessIndex): Replay {
  const clients = index.clients.length;
  const servers = index.servers.length;
  const none = () => new Int32Array(clients).fill(-1);
  return {
    index,
    connectCause: none(),
    connectKind: new Uint8Array(clients),
    connectGap: new Float64Array(clients).fill(Number.NaN),
    provisionalOwner: none(),
    shared: new Uint8Array(servers),
    answeredByReader: new Uint8Array(servers),
    context: {
      causeKind: new Uint8Array(clients),
      cause: none(),
      gap: new Float64Array(clients).fill(Number.NaN),
      atConnect: new Uint8Array(clients),
      before: none(),
      closes: none(),
      closesGap: new Float64Array(clients).fill(Number.NaN),
      owner: none(),
    },
  };
}

function setContext(state: ThreadState, kind: number, subject: number, time: number): void {
  state.kind = kind;
  state.subject = subject;
  state.time = time;
  state.sent = -1;
}

function readRequest(replay: Replay, state: ThreadState, server: number, time: number): void {
  const { taken } = state;
  if (taken >= 0 && taken !== server && replay.index.serverEnd[taken]! > time) {
    replay.shared[taken] = 1;
    replay.shared[server] = 1;
  }
  state.taken = server;
}

function writeResponse(replay: Replay, state: ThreadState, server: number, time: number): void {
  const { context } = replay;
  if (state.kind === CauseKind.reply && context.closes[state.subject] === -1) {
    context.closes[state.subject] = server;
    context.closesGap[state.subject] = time - state.time;
  }
  if (state.taken === server) {
    replay.answeredByReader[server] = 1;
    state.taken = -1;
  }
}

function sendCall(replay: Replay, state: ThreadState, client: number, time: number): void {
  const { context } = replay;
  context.causeKind[client] = state.kind;
  context.cause[client] = state.subject;
  context.gap[client] = time - state.time;
  context.before[client] = state.sent;
  state.sent = client;
  replay.provisionalOwner[client] = state.taken;
}

function replayThread(replay: Replay, marks: Marks, from: number, to: number): void {
  const state: ThreadState = {
    kind: CauseKind.none,
    subject: -1,
    time: Number.NaN,
    sent: -1,
    taken: -1,
  };
  for (let mark = from; mark < to; mark++) {
    const subject = marks.subject[mark]!;
    const time = marks.time[mark]!;
    switch (marks.kind[mark]) {
      case MarkKind.requestRead:
        readRequest(replay, state, subject, time);
        setContext(state, CauseKind.request, subject, time);
        break;
      case MarkKind.responseWritten:
        writeResponse(replay, state, subject, time);
        setContext(state, CauseKind.response, subject, time);
        break;
      case MarkKind.connected:
        replay.connectKind[subject] = state.kind;
        replay.connectCause[subject] = state.subject;
        replay.connectGap[subject] = time - state.time;
        break;
      case MarkKind.callSent:
        sendCall(replay, state, subject, time);
        break;
      default:
        setContext(state, CauseKind.reply, subject, time);
    }
  }
}

/**
 * The first call on a connection belongs to what its thread did when it connected, not
 * to what the thread that found the socket writable did last. Two threads may be
 * involved, so this waits until all are replayed.
 */
function inheritConnects(replay: Replay): void {
  const { context } = replay;
  for (let client = 0; client < context.cause.length; client++) {
    if (replay.connectKind[client] === CauseKind.none) continue;
    context.atConnect[client] = 1;
    context.causeKind[client] = replay.connectKind[client]!;
    context.cause[client] = replay.connectCause[client]!;
    context.gap[client] = replay.connectGap[client]!;
  }
}

/** Share of answered requests whose response was written by the thread that read them. */
function threadAffinity(index: ProcessIndex): number {
  const x = index.exchanges;
  let answered = 0;
  let same = 0;
  for (const row of index.servers) {
    const writer = x.response_start_tid[row]!;
    if (writer === 0) continue;
    answered++;
    if (writer === x.request_end_tid[row] || writer === x.request_start_tid[row]) same++;
  }
  return answered === 0 ? 0 : same / answered;
}

/** Replays every thread's marks. Linear in the number of marks. */
export function replayThreads(index: ProcessIndex): ThreadContext {
  const replay = newReplay(index);
  const { marks } = index;
  for (let from = 0; from < marks.count; ) {
    let to = from + 1;
    while (to < marks.count && marks.tid[to] === marks.tid[from]) to++;
    replayThread(replay, marks, from, to);
    from = to;
  }
  inheritConnects(replay);
  const { context, shared, answeredByReader } = replay;
  for (let client = 0; client < index.clients.length; client++) {
    const server = replay.provisionalOwner[client]!;
    const isOwner = server >= 0 && shared[server] === 0 && answeredByReader[server] === 1;
    context.owner[client] = isOwner ? server : -1;
  }
  const sharing = shared.reduce((sum, flag) => sum + flag, 0);
  return {
    ...context,
    affinity: threadAffinity(index),
    interleaved: sharing / Math.max(1, index.servers.length),
  };
}
