import type { ProcessIndex } from './process-index.js';
import { howMany } from './time-order.js';

/** When and where a call was decided on. */
export const OriginKind = {
  /** Where its first byte was written. */
  send: 0,
  /** Where its connection was opened: another thread may find the socket writable later. */
  connect: 1,
  /**
   * Where its pooled connection was taken, or the task was given of which it is a part: another thread may write the
   * request.
   */
  lease: 2,
} as const;

export const ORIGIN_KINDS = 3;

/** Leases count where at least this share of them was taken by another thread than sent the call. */
const LEAST_LENT = 0.02;

/**
 * A receive that finds the socket empty is a lease where threads take connections for other
 * threads to write on (Java's HttpClient). Elsewhere it is an event loop that reads until
 * nothing is left, and says nothing. Tasks of pools are always another thread's.
 */
function hasLeases({ exchanges: x, clients }: ProcessIndex): boolean {
  let leases = 0;
  let lent = 0;
  for (const row of clients) {
    if (x.lease_tid[row] === 0) continue;
    leases++;
    if (x.lease_tid[row] !== x.request_start_tid[row]) lent++;
  }
  return leases > 0 && lent / leases >= LEAST_LENT;
}

/** When a call's connection was taken from a pool, or its task was given, ns. */
function leaseTime({ exchanges: x }: ProcessIndex, row: number): number {
  return x.request_start[row]! - x.lease_age[row]!;
}

/** Per thread: when it had read its requests, ns, in order. */
function readingsOf({ exchanges: x, servers }: ProcessIndex): Map<number, Float64Array> {
  const readings = new Map<number, number[]>();
  for (const row of servers) {
    const thread = x.request_end_tid[row]!;
    const own = readings.get(thread);
    if (own === undefined) readings.set(thread, [x.request_end[row]!]);
    else own.push(x.request_end[row]!);
  }
  return new Map([...readings].map(([thread, own]) => [thread, Float64Array.from(own).sort()]));
}

/** Per client: OriginKind, the earliest that is known. */
export function originKinds(index: ProcessIndex): Uint8Array {
  const { exchanges: x, clients } = index;
  const leases = hasLeases(index);
  const readings = leases ? readingsOf(index) : new Map<number, Float64Array>();
  // A task that has read a request itself, as those of gunicorn's threads do, works for that one.
  const hasReadSince = (row: number) => {
    const times = readings.get(x.request_start_tid[row]!);
    if (times === undefined) return false;
    return howMany(times, x.request_start[row]!) > howMany(times, leaseTime(index, row));
  };
  const kinds = new Uint8Array(clients.length);
  for (let client = 0; client < kinds.length; client++) {
    const row = clients[client]!;
    const isConnected = x.connect_tid[row] !== 0 && !Number.isNaN(x.connect_time[row]!);
    const isLeased = leases && x.lease_tid[row] !== 0 && !hasReadSince(row);
    // What was decided before there was a connection is a task, which opened it.
    if (isLeased && !(isConnected && x.connect_time[row]! <= leaseTime(index, row))) {
      kinds[client] = OriginKind.lease;
    } else if (isConnected) kinds[client] = OriginKind.connect;
  }
  return kinds;
}

/** When a call was decided on, ns: where its connection was opened, else where it was sent. */
export function originTime(index: ProcessIndex, origin: Uint8Array, client: number): number {
  return origin[client] === OriginKind.connect
    ? index.exchanges.connect_time[index.clients[client]!]!
    : index.clientStart[client]!;
}
