import { type ExchangeTable, Role } from '../../model/exchange.js';

/**
 * What one process did with HTTP, in time order. Servers are the exchanges it
 * answered, clients the calls it made; both are numbered by start time, and every
 * rule speaks of them by these numbers.
 */
export interface ProcessIndex {
  readonly exchanges: ExchangeTable;
  /** Row of each server exchange in `exchanges`, by request_start. */
  readonly servers: Uint32Array;
  /** Row of each client exchange in `exchanges`, by request_start. */
  readonly clients: Uint32Array;
  /** Per server: when it began, and when its response ended (Infinity if never seen). */
  readonly serverStart: Float64Array;
  readonly serverEnd: Float64Array;
  readonly clientStart: Float64Array;
  /** Per client: last byte of the reply; Infinity if it was never seen. */
  readonly clientEnd: Float64Array;
  /** Every thread's marks, thread by thread, in time order. */
  readonly marks: Marks;
}

/** Moments at which a thread touched an exchange. */
export const MarkKind = {
  /** A request was read: subject is a server. */
  requestRead: 0,
  /** The response's first byte was written: subject is a server. */
  responseWritten: 1,
  /** A call's connection was opened: subject is a client. */
  connected: 2,
  /** A call's first byte was written: subject is a client. */
  callSent: 3,
  /** Bytes of a reply were read: subject is a client. */
  replyRead: 4,
} as const;

/** Marks as columns, sorted by thread, then time. */
export interface Marks {
  readonly count: number;
  readonly tid: Uint32Array;
  readonly time: Float64Array;
  readonly kind: Uint8Array;
  /** Server or client number, by kind. */
  readonly subject: Uint32Array;
}

class MarkCollector {
  private readonly tids: number[] = [];
  private readonly times: number[] = [];
  private readonly kinds: number[] = [];
  private readonly subjects: number[] = [];

  add(kind: number, subject: number, tid: number, time: number): void {
    if (tid === 0 || Number.isNaN(time)) return;
    this.tids.push(tid);
    this.times.push(time);
    this.kinds.push(kind);
    this.subjects.push(subject);
  }

  sorted(): Marks {
    const { tids, times, kinds, subjects } = this;
    const order = Uint32Array.from(tids.keys()).sort(
      (a, b) => tids[a]! - tids[b]! || times[a]! - times[b]! || kinds[a]! - kinds[b]! || a - b,
    );
    return {
      count: order.length,
      tid: order.map((i) => tids[i]!),
      time: Float64Array.from(order, (i) => times[i]!),
      kind: Uint8Array.from(order, (i) => kinds[i]!),
      subject: order.map((i) => subjects[i]!),
    };
  }
}

function addServerMarks(marks: MarkCollector, x: ExchangeTable, row: number, server: number): void {
  marks.add(MarkKind.requestRead, server, x.request_start_tid[row]!, x.request_start[row]!);
  if (x.request_end[row]! > x.request_start[row]!) {
    marks.add(MarkKind.requestRead, server, x.request_end_tid[row]!, x.request_end[row]!);
  }
  marks.add(MarkKind.responseWritten, server, x.response_start_tid[row]!, x.response_start[row]!);
}

function addClientMarks(marks: MarkCollector, x: ExchangeTable, row: number, client: number): void {
  marks.add(MarkKind.connected, client, x.connect_tid[row]!, x.connect_time[row]!);
  marks.add(MarkKind.callSent, client, x.request_start_tid[row]!, x.request_start[row]!);
  marks.add(MarkKind.replyRead, client, x.response_start_tid[row]!, x.response_start[row]!);
  if (x.response_end[row]! > x.response_start[row]!) {
    marks.add(MarkKind.replyRead, client, x.response_end_tid[row]!, x.response_end[row]!);
  }
}

function endOf(x: ExchangeTable, row: number): number {
  const end = x.response_end[row]!;
  return Number.isNaN(end) ? Infinity : end;
}

/** Indexes the rows of one process. @param rows its rows in `exchanges`, any order */
export function indexProcess(exchanges: ExchangeTable, rows: Uint32Array): ProcessIndex {
  const start = exchanges.request_start;
  const ordered = rows
    .filter((row) => !Number.isNaN(start[row]!))
    .sort((a, b) => start[a]! - start[b]! || a - b);
  const servers = ordered.filter((row) => exchanges.role[row] === Role.server);
  const clients = ordered.filter((row) => exchanges.role[row] === Role.client);
  const marks = new MarkCollector();
  servers.forEach((row, server) => {
    addServerMarks(marks, exchanges, row, server);
  });
  clients.forEach((row, client) => {
    addClientMarks(marks, exchanges, row, client);
  });
  return {
    exchanges,
    servers,
    clients,
    serverStart: Float64Array.from(servers, (row) => start[row]!),
    serverEnd: Float64Array.from(servers, (row) => endOf(exchanges, row)),
    clientStart: Float64Array.from(clients, (row) => start[row]!),
    clientEnd: Float64Array.from(clients, (row) => endOf(exchanges, row)),
    marks: marks.sorted(),
  };
}
