import { type Batch, EVENT_COLUMNS } from '../model/batch.js';
import type { BytesColumn } from '../model/columns.js';
import { emptyTable } from '../model/tables.js';

/** One row made in user space; columns left out are 0 or empty. */
export interface Row {
  readonly timeNs: bigint;
  readonly kind: number;
  readonly flags?: number;
  readonly pid?: number;
  readonly tid?: number;
  readonly connection?: bigint;
  readonly sequence?: number;
  readonly peerSequence?: number;
  readonly localPort?: number;
  readonly remotePort?: number;
  readonly netns?: number;
  readonly cgroup?: bigint;
  readonly parent?: number;
  readonly count?: bigint;
  readonly peer?: bigint;
  readonly localAddress?: string;
  readonly remoteAddress?: string;
  readonly name?: string;
  readonly detail?: string;
}

const TEXT = new TextEncoder();

function textColumn(values: readonly string[]): BytesColumn {
  const parts = values.map((value) => TEXT.encode(value));
  const offsets = new Int32Array(parts.length + 1);
  for (const [i, part] of parts.entries()) offsets[i + 1] = offsets[i]! + part.length;
  const data = new Uint8Array(offsets[parts.length]!);
  for (const [i, part] of parts.entries()) data.set(part, offsets[i]!);
  return { offsets, data };
}

/** A batch from rows made in user space: descriptions, losses, clocks. Not for the hot path. */
export function batchOf(rows: readonly Row[]): Batch {
  const u16 = (value: (row: Row) => number | undefined) =>
    Uint16Array.from(rows, (row) => value(row) ?? 0);
  const u32 = (value: (row: Row) => number | undefined) =>
    Uint32Array.from(rows, (row) => value(row) ?? 0);
  const u64 = (value: (row: Row) => bigint | undefined) =>
    BigUint64Array.from(rows, (row) => value(row) ?? 0n);
  const text = (value: (row: Row) => string | undefined) =>
    textColumn(rows.map((row) => value(row) ?? ''));
  return {
    ...emptyTable(EVENT_COLUMNS, rows.length),
    time_ns: BigInt64Array.from(rows, (row) => row.timeNs),
    kind: Uint8Array.from(rows, (row) => row.kind),
    flags: u16((row) => row.flags),
    pid: u32((row) => row.pid),
    tid: u32((row) => row.tid),
    connection: u64((row) => row.connection),
    sequence: u32((row) => row.sequence),
    peer_sequence: u32((row) => row.peerSequence),
    local_port: u16((row) => row.localPort),
    remote_port: u16((row) => row.remotePort),
    netns: u32((row) => row.netns),
    peer: u64((row) => row.peer),
    cgroup: u64((row) => row.cgroup),
    parent: u32((row) => row.parent),
    count: u64((row) => row.count),
    local_address: text((row) => row.localAddress),
    remote_address: text((row) => row.remoteAddress),
    name: text((row) => row.name),
    detail: text((row) => row.detail),
  };
}
