import type { CausalExchanges, ProcessIndex } from './process-index.js';

/** A goroutine's work may go on for this long after the response, ns: beyond, it is the process's own. */
const LINGERING_NS = 1e9;
/** Oldest age that can be told: what is as old may be older. */
const MOST_AGE = 0xffffffff;

/** Goroutines that start goroutines: followed this many steps up. */
export const MOST_STEPS = 6;

/** Which request's goroutine, task or async function, or a descendant of it, waits for each call. */
export interface GoroutineContext {
  readonly unit: 'goroutine' | 'task' | 'async-root';
  /** Per client: the server; -1 none. */
  readonly server: Int32Array;
  /** Per client: steps from the waiting goroutine up to the one that handles the request. */
  readonly steps: Uint8Array;
  /** Tasks and async roots that answer requests of several connections: what they call may be for any. */
  readonly shared: ReadonlySet<number>;
  /** Per client: 1 where it is known when that goroutine started what waits for the call, and so for which of its requests. */
  readonly isDated: Uint8Array;
}

/** Per goroutine: the requests it read, in order of time. */
function handledBy({ exchanges: x, servers }: ProcessIndex): Map<number, number[]> {
  const handled = new Map<number, number[]>();
  for (let server = 0; server < servers.length; server++) {
    const goroutine = x.request_goroutine[servers[server]!]!;
    if (goroutine === 0) continue;
    const list = handled.get(goroutine);
    if (list === undefined) handled.set(goroutine, [server]);
    else list.push(server);
  }
  return handled;
}

/** The last server of the list that began by `time`; -1 none. */
function lastBegun(list: readonly number[], start: Float64Array, time: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (start[list[middle]!]! <= time) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? -1 : list[low - 1]!;
}

/** How long before a call the goroutine told as creator had started what led to it, ns; 0 not known. */
function ageOf(x: CausalExchanges, row: number): number {
  const age = x.lease_tid[row] === 0 && x.creator[row] !== 0 ? x.lease_age[row]! : 0;
  return age === MOST_AGE ? 0 : age;
}

/**
 * A Go server reads a request and writes its response on one goroutine. The goroutine that
 * waits for a call is that one, or one that it started, or one further down. Where it is known when it was
 * started, the call belongs to the request that was read before that, not to a later one on the same connection.
 */
export function followGoroutines(index: ProcessIndex): GoroutineContext {
  const { exchanges: x, clients, serverStart, clientStart } = index;
  const server = new Int32Array(clients.length).fill(-1);
  const steps = new Uint8Array(clients.length);
  const isDated = new Uint8Array(clients.length);
  const shared = new Set<number>();
  const context = { unit: 'goroutine', server, steps, shared, isDated } as const;
  const handled = handledBy(index);
  if (handled.size === 0) return context;
  const creatorOf = new Map<number, number>();
  for (const row of clients) {
    if (x.creator[row] !== 0) creatorOf.set(x.caller[row]!, x.creator[row]!);
  }
  for (let client = 0; client < clients.length; client++) {
    const row = clients[client]!;
    let goroutine = x.caller[row] || x.request_goroutine[row]!;
    for (let step = 0; step <= MOST_STEPS && goroutine !== 0; step++) {
      const list = handled.get(goroutine);
      if (list !== undefined) {
        const age = step === 1 ? ageOf(x, row) : 0;
        server[client] = lastBegun(list, serverStart, clientStart[client]! - age);
        steps[client] = step;
        isDated[client] = age > 0 && server[client]! >= 0 ? 1 : 0;
        break;
      }
      goroutine =
        step === 0 && x.creator[row] !== 0 ? x.creator[row]! : (creatorOf.get(goroutine) ?? 0);
    }
  }
  return context;
}

/** Per client: the server whose work it is though that is answered, where a goroutine's date says so; -1 none. */
export function lingering(
  { serverEnd, clientStart }: ProcessIndex,
  { server, isDated }: GoroutineContext,
): Int32Array {
  return server.map((own, client) =>
    isDated[client] === 1 && clientStart[client]! - serverEnd[own]! <= LINGERING_NS ? own : -1,
  );
}
