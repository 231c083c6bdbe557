import { EXCHANGE_COLUMNS, type ExchangeTable, Role } from '../../src/model/exchange.js';
import { emptyTable } from '../../src/model/tables.js';

/** Seeded numbers in [0, 1) (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const MS = 1e6;

/** How a process handles its requests: what the thread ids of its exchanges say. */
export type Threads =
  /** A thread per connection: each reads a request, calls, and answers. */
  | 'own'
  /** One thread for all: a call leaves right after what was read before it. */
  | 'loop'
  /** Spans of another tracer: no thread is known. */
  | 'none';

export interface Traffic {
  readonly exchanges: ExchangeTable;
  /** By row: the row of the request that caused the call; -1 for requests. */
  readonly truth: Int32Array;
}

/**
 * Requests of one process, a few at a time, on two routes: two calls one after the other, or
 * the first of them alone (every third request).
 *
 * @param requests how many; each makes 8/3 exchanges on average
 * @param users requests under way at once
 */
export function makeTraffic(
  process: number,
  requests: number,
  users: number,
  threads: Threads,
): Traffic {
  const random = seeded(process + 1);
  const most = requests * 3;
  const table = {
    role: new Uint8Array(most),
    tid: new Uint32Array(most),
    start: new Float64Array(most),
    end: new Float64Array(most),
    truth: new Int32Array(most),
  };
  const targets: string[] = [];
  const clocks = Float64Array.from({ length: users }, () => random() * 5 * MS);
  let rows = 0;
  const add = (role: number, tid: number, start: number, target: string, cause: number) => {
    table.role[rows] = role;
    table.tid[rows] = tid;
    table.start[rows] = start;
    table.truth[rows] = cause;
    targets.push(target);
    return rows++;
  };
  for (let request = 0; request < requests; request++) {
    const user = request % users;
    const tid = threads === 'none' ? 0 : threads === 'loop' ? 1 : user + 1;
    const calls = request % 3 === 0 ? 1 : 2;
    let now = clocks[user]! + random() * 4 * MS;
    const server = add(Role.server, tid, now, calls === 1 ? '/one' : '/two', -1);
    for (let call = 0; call < calls; call++) {
      // An event loop calls before it reads anything else; a thread or a stranger takes its time.
      now += threads === 'loop' ? 1 : (0.05 + 0.3 * random()) * MS;
      const client = add(Role.client, tid, now, call === 0 ? '/stock' : '/price', server);
      now += (2 + 3 * random()) * MS;
      table.end[client] = now;
    }
    now += threads === 'loop' ? 1 : (0.05 + 0.1 * random()) * MS;
    table.end[server] = now;
    clocks[user] = now;
  }
  return {
    exchanges: exchangesOf(process, rows, table, targets),
    truth: table.truth.slice(0, rows),
  };
}

function exchangesOf(
  process: number,
  rows: number,
  table: { role: Uint8Array; tid: Uint32Array; start: Float64Array; end: Float64Array },
  targets: string[],
): ExchangeTable {
  const start = table.start.slice(0, rows);
  const end = table.end.slice(0, rows);
  const tid = table.tid.slice(0, rows);
  return {
    ...emptyTable(EXCHANGE_COLUMNS, rows),
    process: new Uint32Array(rows).fill(process),
    role: table.role.slice(0, rows),
    // A connection of its own for each: pools would only say which calls share one.
    connection: BigUint64Array.from({ length: rows }, (_, row) => BigInt(row + 1)),
    local_address: targets.map(() => '127.0.0.1'),
    remote_address: targets.map(() => '127.0.0.1'),
    remote_port: Uint16Array.from(targets, (target) => (target === '/stock' ? 9001 : 9002)),
    connect_time: new Float64Array(rows).fill(Number.NaN),
    status: new Uint16Array(rows).fill(200),
    method: targets.map(() => 'GET'),
    target: targets,
    request_start: start,
    request_end: start,
    response_start: end,
    response_end: end,
    request_start_tid: tid,
    request_end_tid: tid,
    response_start_tid: tid,
    response_end_tid: tid,
  };
}
