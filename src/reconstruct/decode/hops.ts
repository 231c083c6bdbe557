import { type ExchangeTable, Role } from '../../model/exchange.js';
import { joinEncrypted } from './encrypted-hops.js';

/** How far a server may seem to begin before its client, or the reverse, across hosts, ns. */
const CLOCK_TOLERANCE_NS = 60e9;

/** Client and server exchanges that are the two ends of one hop, pair by pair. */
export interface Hops {
  readonly client: Uint32Array;
  readonly server: Uint32Array;
}

type Key = (exchanges: ExchangeTable, row: number) => string;

/** Both ends name the same 4-tuple and the same position in the request stream. */
const tupleKey: Key = (x, row) => {
  const local = `${x.local_address[row]} ${x.local_port[row]}`;
  const remote = `${x.remote_address[row]} ${x.remote_port[row]}`;
  const ends = x.role[row] === Role.client ? `${local} ${remote}` : `${remote} ${local}`;
  return `${ends} ${x.request_sequence[row]}`;
};

/** Address translation changes tuples, not sequence numbers: both streams' positions together. */
const sequenceKey: Key = (x, row) => `${x.request_sequence[row]} ${x.response_sequence[row]}`;

function startOf(x: ExchangeTable, row: number): number {
  const start = x.request_start[row]!;
  return Number.isNaN(start) ? x.response_start[row]! : start;
}

function apart(x: ExchangeTable, a: number, b: number): number {
  return Math.abs(startOf(x, a) - startOf(x, b));
}

function take(
  client: number,
  server: number,
  taken: Uint8Array,
  out: { client: number[]; server: number[] },
): void {
  taken[client] = 1;
  taken[server] = 1;
  out.client.push(client);
  out.server.push(server);
}

/** Index of the free server nearest in time, -1 if none is near enough. */
function nearest(x: ExchangeTable, client: number, servers: readonly number[], taken: Uint8Array) {
  let best = -1;
  let distance = CLOCK_TOLERANCE_NS;
  for (const server of servers) {
    const away = apart(x, server, client);
    if (taken[server] === 0 && away <= distance) {
      best = server;
      distance = away;
    }
  }
  return best;
}

function joinBy(
  x: ExchangeTable,
  key: Key,
  usable: (row: number) => boolean,
  taken: Uint8Array,
  out: { client: number[]; server: number[] },
): void {
  const servers = new Map<string, number[]>();
  for (let row = 0; row < x.rows; row++) {
    if (x.role[row] !== Role.server || taken[row] === 1 || !usable(row)) continue;
    const list = servers.get(key(x, row));
    if (list === undefined) servers.set(key(x, row), [row]);
    else list.push(row);
  }
  for (let row = 0; row < x.rows; row++) {
    if (x.role[row] !== Role.client || taken[row] === 1 || !usable(row)) continue;
    const server = nearest(x, row, servers.get(key(x, row)) ?? [], taken);
    if (server === -1) continue;
    take(row, server, taken, out);
  }
}

/**
 * Joins the two ends of every hop: the request that a client sent at TCP sequence number n
 * of a connection is the one that the server received at n. What is left, because address
 * translation showed the ends different tuples, joins by the sequence numbers of both
 * streams (2^-64 by chance). Encrypted ones join by what their positions allow. Reused tuples and wrapped numbers are told apart by time.
 */
export function joinHops(exchanges: ExchangeTable): Hops {
  const taken = new Uint8Array(exchanges.rows);
  const out = { client: [] as number[], server: [] as number[] };
  const { encrypted, remote_port, response_sequence } = exchanges;
  const isPlain = (row: number) => encrypted[row] === 0;
  joinBy(exchanges, tupleKey, (row) => isPlain(row) && remote_port[row] !== 0, taken, out);
  joinBy(exchanges, sequenceKey, (row) => isPlain(row) && response_sequence[row] !== 0, taken, out);
  joinEncrypted(
    exchanges,
    Array.from(exchanges.encrypted.keys()).filter((row) => !isPlain(row)),
    {
      taken,
      isNear: (client, server) => apart(exchanges, client, server) <= CLOCK_TOLERANCE_NS,
      join: (client, server) => take(client, server, taken, out),
    },
  );
  return { client: Uint32Array.from(out.client), server: Uint32Array.from(out.server) };
}
