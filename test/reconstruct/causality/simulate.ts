import { EventKind } from '../../../src/model/event.js';
import { EXCHANGE_COLUMNS, type ExchangeTable, Role } from '../../../src/model/exchange.js';
import { emptyTable } from '../../../src/model/tables.js';
import type { ProcessHints } from '../../../src/reconstruct/causality/process-hints.js';

/** A seeded generator of numbers in [0, 1) (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export interface Row {
  role: number;
  /** Truth: number of the server exchange that caused this call; -1 none; own number for a server. */
  truth: number;
  requestStart: number;
  requestTid: number;
  responseStart: number;
  responseTid: number;
  target: string;
  connectTime?: number;
  connectTid?: number;
  traceContext?: string;
  tokens?: string;
  /** The thread that took the call's connection, this long before it was sent, ns. */
  leaseTid?: number;
  leaseAge?: number;
  /** Server: the goroutine that read the request. Client: the one that waits for the reply, and who started that. */
  goroutine?: number;
  creator?: number;
}

/** Builds the exchange table of one process, and the truth by row. */
export function tableOf(rows: readonly Row[]): { exchanges: ExchangeTable; rows: Uint32Array } {
  const column = (value: (row: Row) => number) => Float64Array.from(rows, value);
  const tids = (value: (row: Row) => number) => Uint32Array.from(rows, value);
  const exchanges: ExchangeTable = {
    ...emptyTable(EXCHANGE_COLUMNS, rows.length),
    role: Uint8Array.from(rows, (row) => row.role),
    connection: BigUint64Array.from(rows, (_, i) => BigInt(i + 1)),
    remote_address: rows.map(() => '127.0.0.1'),
    remote_port: Uint16Array.from(rows, (row) => (row.role === Role.client ? 9000 : 50000)),
    method: rows.map(() => 'GET'),
    target: rows.map((row) => row.target),
    trace_context: rows.map((row) => row.traceContext ?? ''),
    tokens: rows.map((row) => row.tokens ?? ''),
    lease_tid: tids((row) => row.leaseTid ?? 0),
    lease_age: tids((row) => row.leaseAge ?? 0),
    request_goroutine: tids((row) => (row.role === Role.server ? (row.goroutine ?? 0) : 0)),
    caller: tids((row) => (row.role === Role.client ? (row.goroutine ?? 0) : 0)),
    creator: tids((row) => row.creator ?? 0),
    connect_time: column((row) => row.connectTime ?? Number.NaN),
    connect_tid: tids((row) => row.connectTid ?? 0),
    request_start: column((row) => row.requestStart),
    request_end: column((row) => row.requestStart),
    response_start: column((row) => row.responseStart),
    response_end: column((row) => row.responseStart),
    request_start_tid: tids((row) => row.requestTid),
    request_end_tid: tids((row) => row.requestTid),
    response_start_tid: tids((row) => row.responseTid),
    response_end_tid: tids((row) => row.responseTid),
  };
  return { exchanges, rows: Uint32Array.from(rows.keys()) };
}

interface Timed {
  at: number;
  run: (now: number) => void;
}

/** A single thread that runs what is due in time order, each piece taking a little time. */
class Loop {
  private readonly queue: Timed[] = [];
  private now = 0;

  at(time: number, run: (now: number) => void): void {
    this.queue.push({ at: time, run });
  }

  run(): void {
    while (this.queue.length > 0) {
      let next = 0;
      for (let i = 1; i < this.queue.length; i++) {
        if (this.queue[i]!.at < this.queue[next]!.at) next = i;
      }
      const [item] = this.queue.splice(next, 1);
      this.now = Math.max(this.now + 20_000, item!.at);
      item!.run(this.now);
    }
  }
}

export interface LoopProgram {
  readonly requests: number;
  /** Mean time between requests, ns. */
  readonly every: number;
  /** Time between reading the request and the first call, ns; 0 calls at once. */
  readonly deferred: (random: () => number) => number;
  readonly seed: number;
}

const MS = 1e6;

/**
 * An event loop whose handler makes two calls in parallel and then a third, and answers
 * when that returns; replies take 2 to 5 ms.
 */
export function eventLoop(program: LoopProgram): Row[] {
  const random = seeded(program.seed);
  const loop = new Loop();
  const rows: Row[] = [];
  let arrival = 0;
  for (let request = 0; request < program.requests; request++) {
    arrival += -Math.log(1 - random()) * program.every;
    loop.at(arrival, (now) => handle(loop, rows, program, random, now));
  }
  loop.run();
  return rows;
}

function handle(
  loop: Loop,
  rows: Row[],
  program: LoopProgram,
  random: () => number,
  now: number,
): void {
  const truth = rows.length;
  const server: Row = {
    role: Role.server,
    truth,
    requestStart: now,
    requestTid: 1,
    responseStart: Number.NaN,
    responseTid: 1,
    target: '/page/1',
  };
  rows.push(server);
  const call = (at: number, target: string, then: (now: number) => void) => {
    const client: Row = {
      role: Role.client,
      truth,
      requestStart: at,
      requestTid: 1,
      responseStart: Number.NaN,
      responseTid: 1,
      target,
    };
    rows.push(client);
    loop.at(at + (2 + 3 * random()) * MS, (replied) => {
      client.responseStart = replied;
      then(replied + 5_000);
    });
  };
  const start = (at: number) => {
    let open = 2;
    const joined = (replied: number) => {
      open--;
      if (open > 0) return;
      call(replied, '/third', (last) => {
        server.responseStart = last;
      });
    };
    call(at + 5_000, '/first', joined);
    call(at + 8_000, '/second', joined);
  };
  const wait = program.deferred(random);
  if (wait === 0) start(now);
  else loop.at(now + wait, start);
}

/** Threads that each take a request, make two calls one after the other, and answer. */
export function threadPool(threads: number, requests: number, seed: number): Row[] {
  const random = seeded(seed);
  const rows: Row[] = [];
  const free = new Float64Array(threads);
  for (let request = 0; request < requests; request++) {
    let thread = 0;
    for (let i = 1; i < threads; i++) if (free[i]! < free[thread]!) thread = i;
    let now = free[thread]! + random() * MS;
    const truth = rows.length;
    const server: Row = {
      role: Role.server,
      truth,
      requestStart: now,
      requestTid: 10 + thread,
      responseStart: Number.NaN,
      responseTid: 10 + thread,
      target: '/work',
    };
    rows.push(server);
    for (const target of ['/a', '/b']) {
      now += 50_000 + random() * MS;
      const replied = now + (2 + 3 * random()) * MS;
      rows.push({
        role: Role.client,
        truth,
        requestStart: now,
        requestTid: 10 + thread,
        responseStart: replied,
        responseTid: 10 + thread,
        target,
      });
      now = replied;
    }
    now += 50_000 + random() * MS;
    server.responseStart = now;
    free[thread] = now;
  }
  return rows;
}

/** The same work on threads that change at every step, as in Go: the thread says nothing. */
export function anyThread(rows: readonly Row[], threads: number, seed: number): Row[] {
  const random = seeded(seed);
  const pick = () => 100 + Math.floor(random() * threads);
  return rows.map((row) => ({ ...row, requestTid: pick(), responseTid: pick() }));
}

/** The same, with a health check of its own timer every `every` ns, which belongs to no request. */
export function withHealthChecks(rows: readonly Row[], every: number): Row[] {
  const end = rows.reduce((last, row) => Math.max(last, row.requestStart), 0);
  const checks = Array.from({ length: Math.floor(end / every) }, (_, i): Row => {
    const at = (i + 0.5) * every;
    return {
      role: Role.client,
      truth: -1,
      requestStart: at,
      requestTid: 1,
      responseStart: at + 2 * MS,
      responseTid: 1,
      target: '/health',
    };
  });
  return [...rows, ...checks];
}

const IO_THREAD = 1;

/** The same calls, written and read by one thread for the threads that take the connections. */
export function leased(rows: readonly Row[]): Row[] {
  return rows.map((row) =>
    row.role === Role.server
      ? row
      : {
          ...row,
          requestTid: IO_THREAD,
          responseTid: IO_THREAD,
          leaseTid: row.requestTid,
          leaseAge: 40_000,
        },
  );
}

/** The same work as Go does it: on any thread, each request on a goroutine, its second call on one more. */
export function onGoroutines(rows: readonly Row[], seed: number): Row[] {
  const ids = new Map<number, number>();
  const idOf = (request: number) =>
    ids.get(request) ?? ids.set(request, 1000 + ids.size).size + 999;
  return anyThread(rows, 12, seed).map((row, i) => {
    const handler = idOf(row.truth);
    if (row.role === Role.server || row.target === '/a') return { ...row, goroutine: handler };
    return { ...row, goroutine: 1_000_000 + i, creator: handler };
  });
}

const READERS = 64;
const FIRST_READER = 500;

/**
 * The same work behind a queue that is never empty: readers take the requests long before a
 * worker does, and no worker has to be woken.
 *
 * @param handBack true: the worker wakes the reader at the end, and that one answers;
 *   false: the worker answers
 */
export function queued(
  rows: readonly Row[],
  handBack: boolean,
  seed: number,
): { rows: Row[]; hints: ProcessHints } {
  const random = seeded(seed);
  const readers = new Map<number, number>();
  const wakes: { time: number; tid: number; other: number }[] = [];
  const out = rows.map((row): Row => {
    if (row.role !== Role.server) return row;
    const reader = FIRST_READER + (readers.size % READERS);
    readers.set(row.truth, reader);
    const requestStart = row.requestStart - (10 + 10 * random()) * MS;
    const responseTid = handBack ? reader : row.responseTid;
    if (handBack) {
      wakes.push({ time: row.responseStart - 30_000, tid: row.requestTid, other: reader });
    }
    return { ...row, requestStart, requestTid: reader, responseTid };
  });
  wakes.sort((a, b) => a.time - b.time);
  const hints = {
    count: wakes.length,
    kind: new Uint8Array(wakes.length).fill(EventKind.wake),
    time: Float64Array.from(wakes, ({ time }) => time),
    tid: Uint32Array.from(wakes, ({ tid }) => tid),
    other: Uint32Array.from(wakes, ({ other }) => other),
    age: new Float64Array(wakes.length),
  };
  return { rows: leased(out), hints };
}
