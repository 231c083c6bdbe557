import type { ExchangeTable } from '../../model/exchange.js';
import type { HostRecord } from '../../model/process.js';
import type { Reconstruction } from '../../model/reconstruction.js';

type Skew = Reconstruction['skews'][number];

interface Bounds {
  forth: number;
  back: number;
  hops: number;
}

/**
 * Clock difference between hosts, from the hops they share: nothing arrives before it
 * was sent. With f the least (server start - client start) and b the least (client
 * response - server response), the server's clock is ahead by (f - b) / 2, give or
 * take (f + b) / 2. (Cristian 1989; the minimum filter of NTP, RFC 5905.)
 *
 * @param peer per row: row of the other end, -1 none
 */
export function estimateSkews(
  exchanges: ExchangeTable,
  peer: Int32Array,
  hosts: readonly HostRecord[],
): Skew[] {
  const pairs = new Map<string, Bounds>();
  for (let client = 0; client < exchanges.rows; client++) {
    const server = peer[client]!;
    if (server === -1 || exchanges.role[client] !== 1) continue;
    if (exchanges.host[client] === exchanges.host[server]) continue;
    const forth = exchanges.request_start[server]! - exchanges.request_start[client]!;
    const back = exchanges.response_start[client]! - exchanges.response_start[server]!;
    if (Number.isNaN(forth) || Number.isNaN(back)) continue;
    const key = `${exchanges.host[client]} ${exchanges.host[server]}`;
    const bounds = pairs.get(key) ?? { forth: Infinity, back: Infinity, hops: 0 };
    bounds.forth = Math.min(bounds.forth, forth);
    bounds.back = Math.min(bounds.back, back);
    bounds.hops++;
    pairs.set(key, bounds);
  }
  return [...pairs]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, { forth, back, hops }]) => {
      const [from, to] = key.split(' ').map((host) => hosts[Number(host)]!.host);
      const offsetNs = Math.round((forth - back) / 2);
      const uncertaintyNs = Math.round(Math.abs(forth + back) / 2);
      return { from: from!, to: to!, offsetNs, uncertaintyNs, hops };
    });
}
