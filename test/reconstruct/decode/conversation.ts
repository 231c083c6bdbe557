import { recognizeStart } from '../../../src/http1/start-line.js';
import type { Batch } from '../../../src/model/batch.js';
import { EventFlag, EventKind } from '../../../src/model/event.js';
import { batchOf, type Row } from '../../../src/recorder/rows.js';

/** One read or write of one end of a connection. */
export interface Transfer {
  readonly kind: typeof EventKind.send | typeof EventKind.receive;
  readonly bytes: Uint8Array;
  readonly timeNs?: number;
  readonly tid?: number;
}

const BYTES = new TextEncoder();

export function sent(text: string, timeNs?: number, tid?: number): Transfer {
  return transfer(EventKind.send, text, timeNs, tid);
}

export function received(text: string, timeNs?: number, tid?: number): Transfer {
  return transfer(EventKind.receive, text, timeNs, tid);
}

function transfer(kind: Transfer['kind'], text: string, timeNs?: number, tid?: number): Transfer {
  return {
    kind,
    bytes: BYTES.encode(text),
    ...(timeNs === undefined ? {} : { timeNs }),
    ...(tid === undefined ? {} : { tid }),
  };
}

export interface CaptureRule {
  readonly snaplen: number;
  readonly connection?: bigint;
  /** Sequence numbers of the first byte sent and received. */
  readonly sendFrom?: number;
  readonly receiveFrom?: number;
  readonly pid?: number;
  readonly closeError?: number;
  readonly localPort?: number;
  readonly remotePort?: number;
  readonly noClose?: boolean;
}

/** Per direction: how much of the message at hand may still be captured. */
class Budget {
  left = 0;

  capture(bytes: Uint8Array, snaplen: number): { captured: Uint8Array; flags: number } {
    let flags = 0;
    if (recognizeStart(bytes) !== undefined) {
      this.left = snaplen;
      flags |= EventFlag.head;
    }
    const captured = bytes.slice(0, this.left);
    if (this.left > 0 && captured.length < bytes.length) flags |= EventFlag.truncated;
    this.left -= captured.length;
    if (new TextDecoder().decode(bytes.slice(-4)) === '\r\n\r\n') this.left = 0;
    return { captured, flags };
  }
}

/** What the kernel would record of these transfers on one connection: its rule, in short. */
export function capture(transfers: readonly Transfer[], rule: CaptureRule): Batch {
  const connection = rule.connection ?? 1n;
  const pid = rule.pid ?? 100;
  const base = { pid, tid: pid, connection };
  const rows: (Row & { bytes?: number; payload?: Uint8Array; error?: number })[] = [
    {
      ...base,
      timeNs: 0n,
      kind: EventKind.connection,
      localAddress: '127.0.0.1',
      remoteAddress: '127.0.0.1',
      localPort: rule.localPort ?? 40000,
      remotePort: rule.remotePort ?? 8080,
    },
  ];
  const budgets = { [EventKind.send]: new Budget(), [EventKind.receive]: new Budget() };
  const at = {
    [EventKind.send]: rule.sendFrom ?? 1000,
    [EventKind.receive]: rule.receiveFrom ?? 5000,
  };
  transfers.forEach(({ kind, bytes, timeNs, tid }, i) => {
    const other = kind === EventKind.send ? EventKind.receive : EventKind.send;
    const { captured, flags } = budgets[kind].capture(bytes, rule.snaplen);
    rows.push({
      ...base,
      tid: tid ?? pid,
      timeNs: BigInt(timeNs ?? (i + 1) * 1000),
      kind,
      flags,
      sequence: at[kind] >>> 0,
      peerSequence: at[other] >>> 0,
      bytes: bytes.length,
      payload: captured,
    });
    at[kind] = (at[kind] + bytes.length) >>> 0;
  });
  const last = rows.at(-1)!.timeNs;
  if (rule.noClose !== true) {
    rows.push({
      ...base,
      timeNs: last + 1000n,
      kind: EventKind.close,
      error: rule.closeError ?? 0,
    });
  }
  const payloads = rows.map((row) => row.payload ?? new Uint8Array(0));
  const offsets = new Int32Array(rows.length + 1);
  payloads.forEach((payload, i) => {
    offsets[i + 1] = offsets[i]! + payload.length;
  });
  const data = new Uint8Array(offsets[rows.length]!);
  payloads.forEach((payload, i) => {
    data.set(payload, offsets[i]!);
  });
  return {
    ...batchOf(rows),
    bytes: Uint32Array.from(rows, (row) => row.bytes ?? 0),
    error: Uint16Array.from(rows, (row) => row.error ?? 0),
    payload: { offsets, data },
  };
}

/** Cuts a byte string at the given places. */
export function cutAt(text: string, places: readonly number[]): string[] {
  const sorted = [...new Set(places.filter((place) => place > 0 && place < text.length))].sort(
    (a, b) => a - b,
  );
  return [...sorted, text.length].map((end, i) => text.slice(i === 0 ? 0 : sorted[i - 1], end));
}
