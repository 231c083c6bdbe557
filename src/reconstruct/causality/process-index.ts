import { type ExchangeTable, Role } from '../../model/exchange.js';
import { orderByTime } from './time-order.js';

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
}

function endOf(x: ExchangeTable, row: number): number {
  const end = x.response_end[row]!;
  return Number.isNaN(end) ? Infinity : end;
}

/** Indexes the rows of one process. @param rows its rows in `exchanges`, any order */
export function indexProcess(exchanges: ExchangeTable, rows: Uint32Array): ProcessIndex {
  const start = exchanges.request_start;
  const known = rows.filter((row) => !Number.isNaN(start[row]!)).sort();
  const order = orderByTime(Float64Array.from(known, (row) => start[row]!));
  const ordered = order.map((i) => known[i]!);
  const servers = ordered.filter((row) => exchanges.role[row] === Role.server);
  const clients = ordered.filter((row) => exchanges.role[row] === Role.client);
  return {
    exchanges,
    servers,
    clients,
    serverStart: Float64Array.from(servers, (row) => start[row]!),
    serverEnd: Float64Array.from(servers, (row) => endOf(exchanges, row)),
    clientStart: Float64Array.from(clients, (row) => start[row]!),
    clientEnd: Float64Array.from(clients, (row) => endOf(exchanges, row)),
  };
}
