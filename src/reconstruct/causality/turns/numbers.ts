import { EventKind } from '../../../model/event.js';
import type { ProcessHints } from '../process-hints.js';
import type { ProcessIndex } from '../process-index.js';

/** Turns between the last of one thread and the first of the next: further than any rule looks. */
const APART = 64;

/** Numbers the turns of a process's event loops: of one thread one after another, of two threads far apart. */
export class TurnNumbers {
  private readonly times = new Map<number, Float64Array>();
  private readonly first = new Map<number, number>();
  readonly count: number;

  constructor(hints: ProcessHints) {
    const lists = new Map<number, number[]>();
    for (let i = 0; i < hints.count; i++) {
      if (hints.kind[i] !== EventKind.loop) continue;
      const list = lists.get(hints.tid[i]!);
      if (list === undefined) lists.set(hints.tid[i]!, [hints.time[i]!]);
      else list.push(hints.time[i]!);
    }
    let next = 0;
    for (const [tid, list] of lists) {
      this.times.set(tid, Float64Array.from(list));
      this.first.set(tid, next);
      next += list.length + 1 + APART;
    }
    this.count = next;
  }

  /** The turn that a thread was in at a time; -1 where its turns were not recorded. */
  of(tid: number, time: number): number {
    const times = this.times.get(tid);
    if (times === undefined || Number.isNaN(time)) return -1;
    let low = 0;
    let high = times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle]! <= time) low = middle + 1;
      else high = middle;
    }
    return this.first.get(tid)! + low;
  }
}

/** What an event loop read (causes) or wrote (effects), in order of time. */
export interface TurnEvents {
  readonly count: number;
  readonly time: Float64Array;
  readonly turn: Int32Array;
  /** 1: of a server; 0: of a client. */
  readonly isServer: Uint8Array;
  /** Server or client. */
  readonly subject: Int32Array;
}

/** Per effect: how many requests of its route a response could be the answer to; 1 for calls. */
export function openRequests(
  { exchanges: x, servers }: ProcessIndex,
  writes: TurnEvents,
  routes: Uint32Array,
): Float64Array {
  const begun = new Map<number, number[]>();
  const answered = new Map<number, number[]>();
  const add = (lists: Map<number, number[]>, route: number, time: number) => {
    if (Number.isNaN(time)) return;
    const list = lists.get(route);
    if (list === undefined) lists.set(route, [time]);
    else list.push(time);
  };
  servers.forEach((row, server) => {
    add(begun, routes[server]!, x.request_start[row]!);
    add(answered, routes[server]!, x.response_start[row]!);
  });
  for (const list of [...begun.values(), ...answered.values()]) list.sort((a, b) => a - b);
  const countBefore = (list: readonly number[] | undefined, time: number) => {
    let low = 0;
    let high = list?.length ?? 0;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (list![middle]! < time) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return Float64Array.from({ length: writes.count }, (_, at) => {
    if (writes.isServer[at] === 0) return 1;
    const route = routes[writes.subject[at]!]!;
    const time = writes.time[at]!;
    return Math.max(
      1,
      countBefore(begun.get(route), time) - countBefore(answered.get(route), time),
    );
  });
}

interface Moment {
  readonly time: number;
  readonly turn: number;
  readonly isServer: number;
  readonly subject: number;
}

function ordered(moments: Moment[]): TurnEvents {
  moments.sort((a, b) => a.turn - b.turn || a.time - b.time);
  return {
    count: moments.length,
    time: Float64Array.from(moments, ({ time }) => time),
    turn: Int32Array.from(moments, ({ turn }) => turn),
    isServer: Uint8Array.from(moments, ({ isServer }) => isServer),
    subject: Int32Array.from(moments, ({ subject }) => subject),
  };
}

/** Requests and replies as they were read: what may cause something. By turn, then time. */
export function readEvents({ exchanges: x, servers, clients }: ProcessIndex, turns: TurnNumbers) {
  const moments: Moment[] = [];
  servers.forEach((row, subject) => {
    const time = x.request_end[row]!;
    const turn = turns.of(x.request_end_tid[row]!, time);
    if (turn >= 0) moments.push({ time, turn, isServer: 1, subject });
  });
  clients.forEach((row, subject) => {
    const time = x.response_end[row]!;
    const turn = turns.of(x.response_end_tid[row]!, time);
    if (turn >= 0) moments.push({ time, turn, isServer: 0, subject });
  });
  return ordered(moments);
}

/** Calls, as they were sent or their connection was opened, and responses as their first bytes were written: what is to be explained. By turn, then time. */
export function writeEvents({ exchanges: x, servers, clients }: ProcessIndex, turns: TurnNumbers) {
  const moments: Moment[] = [];
  const add = (time: number, tid: number, isServer: number, subject: number) => {
    const turn = turns.of(tid, time);
    if (turn >= 0) moments.push({ time, turn, isServer, subject });
  };
  servers.forEach((row, subject) => {
    add(x.response_start[row]!, x.response_start_tid[row]!, 1, subject);
  });
  clients.forEach((row, subject) => {
    // A call that opens its connection was decided on there: what follows waits for the handshake.
    if (
      !Number.isNaN(x.connect_time[row]!) &&
      turns.of(x.connect_tid[row]!, x.connect_time[row]!) >= 0
    ) {
      add(x.connect_time[row]!, x.connect_tid[row]!, 0, subject);
    } else add(x.request_start[row]!, x.request_start_tid[row]!, 0, subject);
  });
  return ordered(moments);
}
