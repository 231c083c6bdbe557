import { EventKind } from '../../model/event.js';
import type { ProcessHints } from './process-hints.js';
import type { ProcessIndex } from './process-index.js';
import { orderByTime } from './time-order.js';

/** Moments at which an actor touched an exchange, or another actor. */
export const MarkKind = {
  /** A request was read: subject is a server. */
  requestRead: 0,
  /** The response's first byte was written: subject is a server. */
  responseWritten: 1,
  /** A call's connection was opened: subject is a client. */
  connected: 2,
  /** A call's connection was taken from a pool: subject is a client. */
  leased: 3,
  /** A call's first byte was written: subject is a client. */
  callSent: 4,
  /** Bytes of a reply were read: subject is a client. */
  replyRead: 5,
  /** Another thread was woken: subject is its actor number. */
  woke: 6,
  /** A thread was created: subject is its actor number. */
  created: 7,
  /** A message was posted to a thread: subject is its number. */
  posted: 8,
  /** It was taken up there. */
  taken: 9,
} as const;

/**
 * Marks as columns, in order of time. Actors are threads, or whatever else runs one thing
 * at a time: goroutines, time slices of a Go scheduler. They are numbered from 0.
 */
export interface Marks {
  readonly count: number;
  readonly actors: number;
  readonly actor: Uint32Array;
  readonly time: Float64Array;
  readonly kind: Uint8Array;
  readonly subject: Uint32Array;
  /** How many messages were posted and taken; they are numbered from 0. */
  readonly messages: number;
}

class MarkCollector {
  private count = 0;
  messages = 0;
  private readonly numbers = new Map<number, number>();
  private lastId = 0;
  private lastActor = 0;
  private readonly actors: Uint32Array;
  private readonly times: Float64Array;
  private readonly kinds: Uint8Array;
  private readonly subjects: Uint32Array;

  constructor(most: number) {
    this.actors = new Uint32Array(most);
    this.times = new Float64Array(most);
    this.kinds = new Uint8Array(most);
    this.subjects = new Uint32Array(most);
  }

  actorOf(id: number): number {
    if (id === this.lastId) return this.lastActor;
    let actor = this.numbers.get(id);
    if (actor === undefined) {
      actor = this.numbers.size;
      this.numbers.set(id, actor);
    }
    this.lastId = id;
    this.lastActor = actor;
    return actor;
  }

  /** Nothing is marked where the actor (0) or the time (NaN) is not known. */
  add(kind: number, subject: number, id: number, time: number): void {
    if (id === 0 || Number.isNaN(time)) return;
    const at = this.count++;
    this.actors[at] = this.actorOf(id);
    this.times[at] = time;
    this.kinds[at] = kind;
    this.subjects[at] = subject;
  }

  /** @param age ns from the posting to the taking */
  addMessage(poster: number, taker: number, time: number, age: number): void {
    this.add(MarkKind.posted, this.messages, poster, time - age);
    this.add(MarkKind.taken, this.messages++, taker, time);
  }

  /** Marks of one moment keep the order in which they were added. */
  sorted(): Marks {
    const order = orderByTime(this.times.subarray(0, this.count));
    const { actors, times, kinds, subjects } = this;
    const time = new Float64Array(this.count);
    const kind = new Uint8Array(this.count);
    for (let i = 0; i < order.length; i++) {
      time[i] = times[order[i]!]!;
      kind[i] = kinds[order[i]!]!;
    }
    return {
      count: this.count,
      actors: this.numbers.size,
      actor: order.map((i) => actors[i]!),
      time,
      kind,
      subject: order.map((i) => subjects[i]!),
      messages: this.messages,
    };
  }
}

/** Per actor: 1 where it has a mark of one of these kinds. */
export function actorsWith(marks: Marks, wanted: readonly number[]): Uint8Array {
  const found = new Uint8Array(marks.actors);
  for (let mark = 0; mark < marks.count; mark++) {
    if (wanted.includes(marks.kind[mark]!)) found[marks.actor[mark]!] = 1;
  }
  return found;
}

/** The marks of every thread, with the wake-ups, the messages and the creation of threads between them. */
export function threadMarks(index: ProcessIndex, hints: ProcessHints): Marks {
  const { exchanges: x, servers, clients } = index;
  const marks = new MarkCollector(3 * servers.length + 5 * clients.length + 2 * hints.count);
  for (let server = 0; server < servers.length; server++) {
    const row = servers[server]!;
    const start = x.request_start[row]!;
    marks.add(MarkKind.requestRead, server, x.request_start_tid[row]!, start);
    if (x.request_end[row]! > start) {
      marks.add(MarkKind.requestRead, server, x.request_end_tid[row]!, x.request_end[row]!);
    }
  }
  for (let server = 0; server < servers.length; server++) {
    const row = servers[server]!;
    const tid = x.response_start_tid[row]!;
    marks.add(MarkKind.responseWritten, server, tid, x.response_start[row]!);
  }
  for (let client = 0; client < clients.length; client++) {
    const row = clients[client]!;
    const start = x.request_start[row]!;
    marks.add(MarkKind.connected, client, x.connect_tid[row]!, x.connect_time[row]!);
    marks.add(MarkKind.leased, client, x.lease_tid[row]!, start - x.lease_age[row]!);
    marks.add(MarkKind.callSent, client, x.request_start_tid[row]!, start);
  }
  for (let client = 0; client < clients.length; client++) {
    const row = clients[client]!;
    const start = x.response_start[row]!;
    marks.add(MarkKind.replyRead, client, x.response_start_tid[row]!, start);
    if (x.response_end[row]! > start) {
      marks.add(MarkKind.replyRead, client, x.response_end_tid[row]!, x.response_end[row]!);
    }
  }
  for (let i = 0; i < hints.count; i++) {
    const kind = hints.kind[i];
    if (kind === EventKind.loop || hints.other[i] === 0) continue;
    if (kind === EventKind.post) {
      marks.addMessage(hints.other[i]!, hints.tid[i]!, hints.time[i]!, hints.age[i]!);
      continue;
    }
    const other = marks.actorOf(hints.other[i]!);
    const mark = kind === EventKind.wake ? MarkKind.woke : MarkKind.created;
    marks.add(mark, other, hints.tid[i]!, hints.time[i]!);
  }
  return marks.sorted();
}
