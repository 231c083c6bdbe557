import { CauseKind } from '../cause-kind.js';
import type { Kinds } from '../kinds.js';
import type { ProcessIndex } from '../process-index.js';
import { orderByTime } from '../time-order.js';

/** What may lead to calls: requests and replies that were read, by time. */
export interface Triggers {
  readonly time: Float64Array;
  /** Per trigger: CauseKind (request or reply), and its server or client. */
  readonly cause: Uint8Array;
  readonly subject: Int32Array;
  /** Per trigger: the thread that read it; 0 not known. */
  readonly thread: Uint32Array;
  /** Per trigger: its kind, requests by route, then replies by kind of call. */
  readonly kind: Uint32Array;
  readonly kinds: number;
}

/** Those that one thread has read. */
export function ofThread(triggers: Triggers, thread: number): Triggers {
  const own = Uint32Array.from(triggers.time.keys()).filter((at) => triggers.thread[at] === thread);
  return {
    time: Float64Array.from(own, (at) => triggers.time[at]!),
    cause: Uint8Array.from(own, (at) => triggers.cause[at]!),
    subject: Int32Array.from(own, (at) => triggers.subject[at]!),
    thread: Uint32Array.from(own, (at) => triggers.thread[at]!),
    kind: Uint32Array.from(own, (at) => triggers.kind[at]!),
    kinds: triggers.kinds,
  };
}

export function findTriggers(index: ProcessIndex, calls: Kinds, requests: Kinds): Triggers {
  const { exchanges: x, servers, clients } = index;
  const count = servers.length + clients.length;
  const all = new Float64Array(count);
  for (let i = 0; i < servers.length; i++) all[i] = x.request_end[servers[i]!]!;
  for (let i = 0; i < clients.length; i++) all[servers.length + i] = x.response_end[clients[i]!]!;
  const order = orderByTime(all).filter((i) => !Number.isNaN(all[i]!));
  const isRequest = (i: number) => i < servers.length;
  return {
    time: Float64Array.from(order, (i) => all[i]!),
    cause: Uint8Array.from(order, (i) => (isRequest(i) ? CauseKind.request : CauseKind.reply)),
    subject: Int32Array.from(order, (i) => (isRequest(i) ? i : i - servers.length)),
    thread: Uint32Array.from(order, (i) =>
      isRequest(i)
        ? x.request_end_tid[servers[i]!]!
        : x.response_end_tid[clients[i - servers.length]!]!,
    ),
    kind: Uint32Array.from(order, (i) =>
      isRequest(i) ? requests.of[i]! : requests.count + calls.of[i - servers.length]!,
    ),
    kinds: requests.count + calls.count,
  };
}
