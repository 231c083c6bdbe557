import { EXCHANGE_COLUMNS, type ExchangeTable, LossFlag, Role } from '../model/exchange.js';
import { spanId } from '../model/ids.js';
import { IMPORT_CONTEXT, type SourceTable } from '../model/imported.js';
import { emptyTable } from '../model/tables.js';
import { addressesOf, mix32 } from './identity.js';
import { contentId, type PlacedExchange, placeExchanges } from './order.js';
import type { DraftExchange } from './trace.js';

/** Exchanges in their final order, and what their rows are made from. */
export interface Import {
  readonly rows: number;
  /** Names the import: a hash of its exchanges. */
  readonly bootId: string;
  /** UTC epoch ns. */
  readonly baseNs: bigint;
  readonly services: readonly string[];
  /** The rows [from, to) as tables. */
  build(from: number, to: number): { exchanges: ExchangeTable; sources: SourceTable };
}

const SERVER_PORT = 80;
const FIRST_CALLER_PORT = 1024;

function indexOf(names: Iterable<string>): Map<string, number> {
  return new Map([...new Set(names)].sort().map((name, index) => [name, index]));
}

/** Per row: number of the request that the file states as its cause or, of a request, its own; 0 none. */
function numberCauses(placed: readonly PlacedExchange[]): number[] {
  const numbers = new Map(placed.map(({ draft }, row) => [draft, row + 1]));
  return placed.map(({ draft }, row) => {
    if (draft.role === 'server') return row + 1;
    return draft.cause === undefined ? 0 : numbers.get(draft.cause)!;
  });
}

/**
 * Makes the exchange table of spans. Numbers and addresses are made up: a call has a
 * connection of its own, with the same 4-tuple and sequence number at both ends.
 *
 * @param keepParents states each call's request as an in-band identity; without it the
 *   table depends on times, services, operations and hops alone
 */
export function orderExchanges(drafts: readonly DraftExchange[], keepParents: boolean): Import {
  const placed = placeExchanges(drafts);
  const causes = keepParents ? numberCauses(placed) : placed.map(() => 0);
  const services = indexOf(drafts.map(({ service }) => service));
  const peers = indexOf(drafts.map(({ span }) => span.request.peer));
  const bootId = contentId(placed, causes);
  const baseNs = placed[0]?.draft.span.startNs ?? 0n;
  const addresses = addressesOf(bootId);
  const endpoint = (draft: DraftExchange) => addresses.service(services.get(draft.service)!);
  const remote = (draft: DraftExchange) => {
    if (draft.peer !== undefined) return endpoint(draft.peer);
    return draft.role === 'client' ? addresses.peer(peers.get(draft.span.request.peer)!) : '::';
  };
  const callerPort = (call: number) => FIRST_CALLER_PORT + (mix32(call) % 64_000);
  const port = ({ draft, call }: PlacedExchange, role: DraftExchange['role']) => {
    if (draft.role !== role && draft.peer === undefined) return 0;
    return role === 'server' ? SERVER_PORT : callerPort(call);
  };
  const authority = (draft: DraftExchange) => {
    if (draft.role === 'server') return draft.service;
    return draft.peer?.service ?? draft.span.request.peer;
  };
  const after = (ns: bigint | undefined) => (ns === undefined ? Number.NaN : Number(ns - baseNs));
  const roleNumber = ({ role }: DraftExchange) => Role[role];
  const connection = ({ draft, call }: PlacedExchange) =>
    BigInt(mix32(call)) * 2n + BigInt(roleNumber(draft)) + 1n;
  const other = (role: DraftExchange['role']) => (role === 'server' ? 'client' : 'server');

  const exchangesOf = (part: readonly PlacedExchange[], from: number): ExchangeTable => {
    const u32 = (value: (row: PlacedExchange) => number) => Uint32Array.from(part, value);
    const texts = (value: (draft: DraftExchange) => string) =>
      part.map(({ draft }) => value(draft));
    const starts = Float64Array.from(part, ({ draft }) => after(draft.span.startNs));
    const ends = Float64Array.from(part, ({ draft }) => after(draft.span.endNs));
    return {
      ...emptyTable(EXCHANGE_COLUMNS, part.length),
      process: u32(({ draft }) => services.get(draft.service)!),
      connection: BigUint64Array.from(part, connection),
      role: Uint8Array.from(part, ({ draft }) => roleNumber(draft)),
      request_sequence: u32(({ call }) => mix32(call)),
      local_address: texts(endpoint),
      local_port: Uint16Array.from(part, (row) => port(row, row.draft.role)),
      remote_address: texts(remote),
      remote_port: Uint16Array.from(part, (row) => port(row, other(row.draft.role))),
      connect_time: new Float64Array(part.length).fill(Number.NaN),
      request_start: starts,
      request_end: starts,
      response_start: ends,
      response_end: ends,
      status: Uint16Array.from(part, ({ draft }) =>
        draft.span.endNs === undefined ? 0 : draft.span.request.status,
      ),
      method: texts(({ span }) => span.request.method),
      target: texts(({ span }) => span.request.target),
      authority: texts(authority),
      trace_context: part.map((_, i) =>
        causes[from + i] === 0 ? '' : `${IMPORT_CONTEXT}:${causes[from + i]}`,
      ),
      loss_flags: u32(({ draft }) =>
        draft.span.endNs === undefined ? LossFlag.responseUnseen : 0,
      ),
    };
  };
  const sourcesOf = (part: readonly PlacedExchange[]): SourceTable => ({
    rows: part.length,
    span_id: part.map((row) =>
      spanId(bootId, connection(row), roleNumber(row.draft), mix32(row.call), 0),
    ),
    source_trace_id: part.map(({ draft }) => draft.span.traceId),
    source_span_id: part.map(({ draft }) => draft.span.spanId),
  });
  return {
    rows: placed.length,
    bootId,
    baseNs,
    services: [...services.keys()],
    build: (from, to) => {
      const part = placed.slice(from, to);
      return { exchanges: exchangesOf(part, from), sources: sourcesOf(part) };
    },
  };
}
