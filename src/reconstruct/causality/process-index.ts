import { type ExchangeTable, Role } from '../../model/exchange.js';
import { orderByTime } from './time-order.js';

/** The columns of exchanges that causality reads: the others are left on the disk. */
export const CAUSAL_COLUMNS = [
  'process',
  'role',
  'connection',
  'remote_address',
  'remote_port',
  'connect_time',
  'connect_tid',
  'request_start',
  'request_end',
  'response_start',
  'response_end',
  'request_start_tid',
  'request_end_tid',
  'response_start_tid',
  'response_end_tid',
  'lease_tid',
  'lease_age',
  'request_goroutine',
  'response_goroutine',
  'caller',
  'creator',
  'request_slice',
  'response_slice',
  'status',
  'method',
  'target',
  'trace_context',
  'request_id',
  'tokens',
] as const;
export type CausalExchanges = Pick<ExchangeTable, 'rows' | (typeof CAUSAL_COLUMNS)[number]>;

/**
 * What one process did with HTTP, in time order. Servers are the exchanges it
 * answered, clients the calls it made; both are numbered by start time, and every
 * rule speaks of them by these numbers.
 */
export interface ProcessIndex {
  readonly exchanges: CausalExchanges;
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

/** Times by row, `missing` where the row's is not known. */
function timesOf(rows: Uint32Array, times: Float64Array, missing: number): Float64Array {
  const out = new Float64Array(rows.length);
  for (let i = 0; i < out.length; i++) {
    const time = times[rows[i]!]!;
    out[i] = Number.isNaN(time) ? missing : time;
  }
  return out;
}

/** Indexes the rows of one process. @param rows its rows in `exchanges`, in rising order */
export function indexProcess(exchanges: CausalExchanges, rows: Uint32Array): ProcessIndex {
  const { role, request_start: start, response_end: end } = exchanges;
  const order = orderByTime(timesOf(rows, start, Number.NaN));
  const servers = new Uint32Array(rows.length);
  const clients = new Uint32Array(rows.length);
  let serverCount = 0;
  let clientCount = 0;
  for (let i = 0; i < order.length; i++) {
    const row = rows[order[i]!]!;
    if (Number.isNaN(start[row]!)) continue;
    if (role[row] === Role.server) servers[serverCount++] = row;
    else if (role[row] === Role.client) clients[clientCount++] = row;
  }
  const ownServers = servers.slice(0, serverCount);
  const ownClients = clients.slice(0, clientCount);
  return {
    exchanges,
    servers: ownServers,
    clients: ownClients,
    serverStart: timesOf(ownServers, start, Number.NaN),
    serverEnd: timesOf(ownServers, end, Infinity),
    clientStart: timesOf(ownClients, start, Number.NaN),
    clientEnd: timesOf(ownClients, end, Infinity),
  };
}
