import { type ExchangeTable, Role } from '../../model/exchange.js';

/**
 * Most bytes between where the client's ciphertext begins and up to where the server had received
 * when it got the first plaintext: what a connection may hold on the way, and then some.
 */
const MOST_UNDER_WAY = 1 << 24;
/** The same without knowing that the ends are of one connection. */
const MOST_UNDER_WAY_ANYWHERE = 1 << 16;

/** Takes pairs of rows; {@link taken} marks rows that have theirs. */
export interface HopSink {
  readonly taken: Uint8Array;
  readonly isNear: (client: number, server: number) => boolean;
  join(client: number, server: number): void;
}

/** How far `sequence` lies behind `from`, right across the wrap at 2^32. */
function lead(sequence: number, from: number): number {
  return (sequence - from) | 0;
}

/**
 * May these be the two ends? A client's request begins where no byte of it stands before; the
 * server had received more than that when it got it. Its response the same way round.
 */
function fits(x: ExchangeTable, client: number, server: number, most: number): boolean {
  const request = lead(x.request_sequence[server]!, x.request_sequence[client]!);
  if (request <= 0 || request > most) return false;
  const sent = x.response_sequence[server]!;
  const received = x.response_sequence[client]!;
  return sent === 0 || received === 0 || (lead(received, sent) > 0 && lead(received, sent) <= most);
}

function inOrder(x: ExchangeTable, rows: readonly number[]): number[] {
  const first = x.request_sequence[rows[0] ?? 0] ?? 0;
  const at = (row: number) => lead(x.request_sequence[row]!, first);
  return [...rows].sort((a, b) => at(a) - at(b) || x.order[a]! - x.order[b]!);
}

/**
 * Joins the exchanges of one connection: a request that the server got belongs to the last one that
 * the client had begun to send by then. With several under way (pipelining) the last goes to the
 * last, and so on down: both ends keep the order.
 */
function joinConnection(
  x: ExchangeTable,
  clients: readonly number[],
  servers: readonly number[],
  sink: HopSink,
): void {
  const sent = inOrder(x, clients);
  let limit = sent.length;
  for (const server of inOrder(x, servers).reverse()) {
    for (let i = limit - 1; i >= 0; i--) {
      const client = sent[i]!;
      if (!fits(x, client, server, MOST_UNDER_WAY) || !sink.isNear(client, server)) continue;
      sink.join(client, server);
      limit = i;
      break;
    }
  }
}

interface Ends {
  readonly clients: number[];
  readonly servers: number[];
}

function groupByTuple(x: ExchangeTable, rows: readonly number[]): Map<string, Ends> {
  const groups = new Map<string, Ends>();
  for (const row of rows) {
    if (x.remote_port[row] === 0) continue;
    const isClient = x.role[row] === Role.client;
    const local = `${x.local_address[row]} ${x.local_port[row]}`;
    const remote = `${x.remote_address[row]} ${x.remote_port[row]}`;
    const key = isClient ? `${local} ${remote}` : `${remote} ${local}`;
    const ends = groups.get(key) ?? { clients: [], servers: [] };
    groups.set(key, ends);
    (isClient ? ends.clients : ends.servers).push(row);
  }
  return groups;
}

/** Where address translation hides that the ends are one connection: both positions must be near. */
function joinAnywhere(x: ExchangeTable, rows: readonly number[], sink: HopSink): void {
  const clients = new Map<number, number[]>();
  const bucketOf = (sequence: number) => (sequence >>> 0) >>> 16;
  for (const row of rows) {
    if (x.role[row] !== Role.client || x.response_sequence[row] === 0) continue;
    const bucket = bucketOf(x.request_sequence[row]!);
    const list = clients.get(bucket);
    if (list === undefined) clients.set(bucket, [row]);
    else list.push(row);
  }
  for (const server of rows) {
    if (x.role[server] !== Role.server || x.response_sequence[server] === 0) continue;
    const received = x.request_sequence[server]!;
    const near = [received, received - MOST_UNDER_WAY_ANYWHERE]
      .flatMap((sequence) => clients.get(bucketOf(sequence)) ?? [])
      .filter((row) => sink.taken[row] === 0 && sink.isNear(row, server))
      .filter((row) => fits(x, row, server, MOST_UNDER_WAY_ANYWHERE))
      .sort((a, b) => lead(x.request_sequence[b]!, x.request_sequence[a]!));
    if (near.length > 0) sink.join(near[0]!, server);
  }
}

/**
 * Joins the two ends of hops whose messages were encrypted, which have no position in common: what a
 * library encrypts and where that lies in the TCP stream only bound each other.
 *
 * @param rows rows of encrypted exchanges, both roles
 */
export function joinEncrypted(x: ExchangeTable, rows: readonly number[], sink: HopSink): void {
  for (const { clients, servers } of groupByTuple(x, rows).values()) {
    joinConnection(x, clients, servers, sink);
  }
  joinAnywhere(
    x,
    rows.filter((row) => sink.taken[row] === 0),
    sink,
  );
}
