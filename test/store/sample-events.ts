import type { Batch } from '../../src/model/batch.js';
import { EVENT_COLUMNS } from '../../src/model/batch.js';
import type { BytesColumn } from '../../src/model/columns.js';
import { EventFlag, EventKind } from '../../src/model/event.js';
import type { SegmentHeader } from '../../src/model/segment.js';
import { emptyTable, takeRows } from '../../src/model/tables.js';

export const SAMPLE_START_NS = 1_790_000_000_123_456_789n;

export function sampleHeader(changes: Partial<SegmentHeader> = {}): SegmentHeader {
  return {
    formatVersion: 1,
    tool: 'aftertrace 0.1.0',
    host: 'shop-1',
    bootId: '0f8c2b1e-9a64-4d7e-8a43-2f6b5c1d7e90',
    kernel: '6.1.0-test',
    sequence: 1,
    recordingId: '5e0c9d2f',
    startNs: SAMPLE_START_NS.toString(),
    monotonicOffsetNs: '1789999000000000000',
    capture: 'socket',
    snaplen: 1024,
    redaction: 'headers',
    filters: '',
    ...changes,
  };
}

export function bytesColumn(values: readonly (string | Uint8Array)[]): BytesColumn {
  const parts = values.map((value) => Buffer.from(value));
  const offsets = new Int32Array(parts.length + 1);
  for (const [i, part] of parts.entries()) offsets[i + 1] = offsets[i]! + part.length;
  return { offsets, data: new Uint8Array(Buffer.concat(parts)) };
}

/** A small, fast, seeded generator (mulberry32): samples must not differ between runs. */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x = (x + Math.imul(x ^ (x >>> 7), x | 61)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

const AGENTS = ['Mozilla/5.0 (X11; Linux x86_64)', 'curl/8.5.0', 'python-requests/2.32'];

function requestHead(random: () => number): string {
  const hex = () =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
  const trace =
    random() < 0.5
      ? `traceparent: 00-${hex()}${hex()}${hex()}${hex()}-${hex()}${hex()}-01\r\n`
      : '';
  return (
    `GET /cart/${Math.floor(random() * 1e5)}/items?page=${Math.floor(random() * 9)} HTTP/1.1\r\n` +
    `Host: cart.shop.internal:8080\r\nUser-Agent: ${AGENTS[Math.floor(random() * 3)]}\r\n` +
    `Accept: application/json\r\n${trace}x-request-id: ${hex()}-${hex()}\r\nAuthorization: ${'*'.repeat(40)}\r\n\r\n`
  );
}

function responseHead(random: () => number): string {
  return (
    `HTTP/1.1 ${random() < 0.98 ? '200 OK' : '503 Service Unavailable'}\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${Math.floor(random() * 20_000)}\r\nDate: Mon, 23 Nov 2026 09:00:00 GMT\r\nConnection: keep-alive\r\n\r\n`
  );
}

/**
 * Events as a busy HTTP service makes them: a request received, calls sent and answered,
 * the response sent in a few writes; now and then a connection begins and ends.
 */
export function sampleBatch(rows: number, seed = 1, startNs = SAMPLE_START_NS): Batch {
  const random = randomNumbers(seed);
  const table = emptyTable(EVENT_COLUMNS, rows);
  const text: Record<'local' | 'remote' | 'name' | 'payload', string[]> = {
    local: [],
    remote: [],
    name: [],
    payload: [],
  };
  let elapsed = 0;
  for (let i = 0; i < rows; i++) {
    elapsed += Math.floor(random() * 40_000);
    const connection = Math.floor(random() * 200);
    const step = i % 8;
    const described = i % 101 === 0;
    const kind = described ? EventKind.connection : step % 2 ? EventKind.send : EventKind.receive;
    const head = !described && step < 4;
    const payload = head ? (step < 2 ? requestHead(random) : responseHead(random)) : '';
    table.time_ns[i] = startNs + BigInt(elapsed);
    table.kind[i] = kind;
    table.flags[i] = head ? EventFlag.head : 0;
    table.pid[i] = 1000 + (connection % 5);
    table.tid[i] = 1000 + (connection % 40);
    table.connection[i] = BigInt(0x10_0000 + connection);
    table.sequence[i] = described ? 0 : Math.floor(random() * 2 ** 32);
    table.peer_sequence[i] = described ? 0 : Math.floor(random() * 2 ** 32);
    table.bytes[i] = described ? 0 : payload.length + (head ? 0 : Math.floor(random() * 16_384));
    table.local_port[i] = described ? 8080 : 0;
    table.remote_port[i] = described ? 32_768 + Math.floor(random() * 28_000) : 0;
    table.netns[i] = described ? 4_026_531_840 : 0;
    table.cgroup[i] = described ? 2n ** 63n + 5n : 0n;
    text.local.push(described ? '10.1.0.7' : '');
    text.remote.push(described ? `10.1.0.${connection}` : '');
    text.name.push('');
    text.payload.push(payload);
  }
  return {
    ...table,
    local_address: bytesColumn(text.local),
    remote_address: bytesColumn(text.remote),
    name: bytesColumn(text.name),
    payload: bytesColumn(text.payload),
  };
}

/** Time of the last event of a sample batch. */
export function lastTime(batch: Pick<Batch, 'rows' | 'time_ns'>): bigint {
  return batch.time_ns[batch.rows - 1]!;
}

/** The rows by time, and where that is equal by what else tells them apart: a closed segment sorts them. */
export function inTimeOrder(batch: Batch): Batch {
  const { time_ns, connection, kind, sequence } = batch;
  const compare = (a: bigint | number, b: bigint | number) => (a < b ? -1 : a > b ? 1 : 0);
  const order = Uint32Array.from({ length: batch.rows }, (_, i) => i).sort(
    (a, b) =>
      compare(time_ns[a]!, time_ns[b]!) ||
      compare(connection[a]!, connection[b]!) ||
      compare(kind[a]!, kind[b]!) ||
      compare(sequence[a]!, sequence[b]!),
  );
  return takeRows(EVENT_COLUMNS, batch, order);
}
