import { EXCHANGE_COLUMNS, type ExchangeTable, Role } from '../../../src/model/exchange.js';
import type { ProcessRecord } from '../../../src/model/process.js';
import type { Verdict } from '../../../src/model/span.js';
import { emptyTable } from '../../../src/model/tables.js';
import type { Group } from '../../../src/reconstruct/assemble/parents.js';
import { type CauseTable, NO_ROW } from '../../../src/reconstruct/causality/cause-table.js';
import { type Rule, RuleNumber } from '../../../src/reconstruct/causality/claims.js';
import { EvidenceTexts } from '../../../src/reconstruct/causality/explain.js';

/** What a test says of an exchange; the rest is made up. */
export interface Exchange {
  readonly role: Role;
  readonly host?: number;
  readonly process?: number;
  /** Number of the connection: both ends of a hop have the same. */
  readonly hop: number;
  readonly start?: number;
  readonly responseStart?: number;
  readonly end?: number;
  readonly status?: number;
  readonly method?: string;
  readonly target?: string;
  readonly context?: string;
  readonly flags?: number;
  /** Address of the server and of the client. */
  readonly server?: string;
  readonly client?: string;
  readonly sequence?: number;
  readonly responseSequence?: number;
}

export const client = (hop: number, facts: Partial<Exchange> = {}): Exchange => ({
  role: Role.client,
  hop,
  ...facts,
});
export const server = (hop: number, facts: Partial<Exchange> = {}): Exchange => ({
  role: Role.server,
  hop,
  ...facts,
});

/** The exchange table of hand-made exchanges; both ends of hop n meet on port 40000 + n. */
export function exchangesOf(rows: readonly Exchange[]): ExchangeTable {
  const u32 = (value: (row: Exchange) => number) => Uint32Array.from(rows, value);
  const f64 = (value: (row: Exchange) => number) => Float64Array.from(rows, value);
  const isClient = ({ role }: Exchange) => role === Role.client;
  const serverOf = (row: Exchange) => row.server ?? '10.0.0.2';
  const clientOf = (row: Exchange) => row.client ?? '10.0.0.1';
  const clientPort = ({ hop }: Exchange) => 40_000 + hop;
  return {
    ...emptyTable(EXCHANGE_COLUMNS, rows.length),
    host: Uint16Array.from(rows, ({ host }) => host ?? 0),
    process: u32(({ process }) => process ?? 0),
    connection: BigUint64Array.from(rows, (row) => BigInt(row.hop * 2 + row.role + 1)),
    role: Uint8Array.from(rows, ({ role }) => role),
    request_sequence: u32(({ hop, sequence }) => sequence ?? 1000 + hop),
    response_sequence: u32(({ hop, responseSequence }) => responseSequence ?? 9000 + hop),
    local_address: rows.map((row) => (isClient(row) ? clientOf(row) : serverOf(row))),
    local_port: Uint16Array.from(rows, (row) => (isClient(row) ? clientPort(row) : 80)),
    remote_address: rows.map((row) => (isClient(row) ? serverOf(row) : clientOf(row))),
    remote_port: Uint16Array.from(rows, (row) => (isClient(row) ? 80 : clientPort(row))),
    connect_time: f64(() => Number.NaN),
    request_start: f64(({ start }) => start ?? 0),
    request_end: f64(({ start }) => start ?? 0),
    response_start: f64(({ responseStart, end }) => responseStart ?? end ?? 10),
    response_end: f64(({ end }) => end ?? 10),
    request_start_tid: u32(() => 7),
    response_start_tid: u32(() => 7),
    request_bytes: f64(() => 100),
    response_bytes: f64(() => 200),
    status: Uint16Array.from(rows, ({ status }) => status ?? 200),
    method: rows.map(({ method }) => method ?? 'GET'),
    target: rows.map(({ target, hop }) => target ?? `/${hop}`),
    trace_context: rows.map(({ context }) => context ?? ''),
    loss_flags: u32(({ flags }) => flags ?? 0),
  };
}

export interface Cause {
  readonly client: number;
  /** Row of the candidate; left out where there is none. */
  readonly parent?: number;
  readonly rank?: number;
  readonly verdict: Verdict;
  readonly confidence?: number;
  readonly candidates?: number;
  readonly method?: Rule;
}

/** In the order of VerdictCode. */
const VERDICTS: readonly Verdict[] = ['root', 'certain', 'probable', 'unknown'];

/** A weight of three nats for each candidate of which a rule is told. */
export function causesOf(rows: readonly Cause[]): CauseTable {
  const offsets = new Int32Array(rows.length + 1);
  const data = rows.flatMap(({ method }, i) => {
    const item = method === undefined ? [] : [RuleNumber[method], 0, 300 & 0xff, 300 >> 8];
    offsets[i + 1] = offsets[i]! + item.length;
    return item;
  });
  return {
    rows: rows.length,
    client_row: Uint32Array.from(rows, (row) => row.client),
    parent_row: Uint32Array.from(rows, ({ parent }) => parent ?? NO_ROW),
    rank: Uint16Array.from(rows, ({ rank }) => rank ?? 0),
    verdict: Uint8Array.from(rows, ({ verdict }) => VERDICTS.indexOf(verdict)),
    confidence: Float64Array.from(rows, ({ confidence }) => confidence ?? Number.NaN),
    candidates: Uint16Array.from(rows, ({ candidates }) => candidates ?? 1),
    evidence: { offsets, data: Uint8Array.from(data) },
    gap: new Float64Array(rows.length).fill(2000),
    wake_gap: new Float64Array(rows.length).fill(Number.NaN),
    identity: rows.map(() => ''),
    token: rows.map(() => ''),
  };
}

export function groupOf(base: number, rows: readonly Cause[]): Group {
  const causes = causesOf(rows);
  return { base, causes, texts: new EvidenceTexts(causes) };
}

export function processOf(service: string, pid: number, host = 0): ProcessRecord {
  return {
    host,
    pid,
    from: -Infinity,
    to: Infinity,
    name: service,
    executable: '',
    command: [],
    cgroup: '',
    parentPid: 1,
    service,
  };
}
