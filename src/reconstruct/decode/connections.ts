import { recognizeStart } from '../../http1/start-line.js';
import type { Batch } from '../../model/batch.js';
import { EventKind } from '../../model/event.js';
import { Role } from '../../model/exchange.js';
import { type Flows, isPlaintext } from './plaintext.js';

/** The rows of one connection, sorted by what they are. */
export interface ConnectionRows extends Flows {
  /** Row that holds the most complete addresses; -1 none. */
  described: number;
  /** Row of connect(); -1 none. */
  connect: number;
  /** Row of the close; -1 none. */
  close: number;
  /** Last row that shows the end: a close, the peer's end, or an end-of-stream read; -1 none. */
  end: number;
}

/** The later of two rows that show the end. A row group does not keep them in order of time. */
function laterRow({ time_ns }: Batch, known: number, row: number): number {
  return known === -1 || time_ns[row]! >= time_ns[known]! ? row : known;
}

/** Row numbers ordered by connection, then capture order. */
function orderByConnection(events: Batch): Uint32Array {
  const { connection } = events;
  const halves = new Uint32Array(connection.buffer, connection.byteOffset, events.rows * 2);
  const order = new Uint32Array(events.rows);
  for (let row = 0; row < order.length; row++) order[row] = row;
  return order.sort(
    (a, b) => halves[a * 2 + 1]! - halves[b * 2 + 1]! || halves[a * 2]! - halves[b * 2]! || a - b,
  );
}

function place(events: Batch, row: number, rows: ConnectionRows): void {
  switch (events.kind[row]) {
    case EventKind.send:
      (isPlaintext(events, row) ? rows.plainSends : rows.sends).push(row);
      break;
    case EventKind.receive:
      (isPlaintext(events, row) ? rows.plainReceives : rows.receives).push(row);
      if (events.bytes[row] === 0) rows.end = laterRow(events, rows.end, row);
      break;
    case EventKind.connect:
      rows.connect = row;
      if (rows.described === -1) rows.described = row;
      break;
    case EventKind.close:
      rows.close = row;
      rows.end = laterRow(events, rows.end, row);
      if (rows.described === -1) rows.described = row;
      break;
    case EventKind.peerClosed:
      rows.end = laterRow(events, rows.end, row);
      break;
    case EventKind.connection:
    case EventKind.established:
      rows.described = row;
      break;
    default:
  }
}

/** Calls `visit` for every connection, in order of socket cookie. */
export function forEachConnection(
  events: Batch,
  visit: (rows: ConnectionRows, connection: bigint) => void,
): void {
  const order = orderByConnection(events);
  for (let from = 0; from < order.length; ) {
    const connection = events.connection[order[from]!]!;
    const rows: ConnectionRows = {
      sends: [],
      receives: [],
      plainSends: [],
      plainReceives: [],
      described: -1,
      connect: -1,
      close: -1,
      end: -1,
    };
    let to = from;
    while (to < order.length && events.connection[order[to]!] === connection) {
      place(events, order[to]!, rows);
      to++;
    }
    visit(rows, connection);
    from = to;
  }
}

/** Bytes that tell every start of a message from every other. */
const START_BYTES = 8;

/** The kind of message that a direction carries, from the first head captured in it. */
function firstKind(events: Batch, rows: readonly number[]) {
  const { offsets, data } = events.payload;
  const start = new Uint8Array(START_BYTES);
  let length = 0;
  for (const row of rows) {
    // A start may be spread over several short reads.
    const bytes = data.subarray(offsets[row]!, offsets[row + 1]!).subarray(0, START_BYTES - length);
    start.set(bytes, length);
    const found = recognizeStart(start, 0, length + bytes.length);
    if (found !== undefined && !found.partial) return found.kind;
    length = found === undefined ? 0 : length + bytes.length;
  }
  return undefined;
}

/** Which end of the connection this is, or undefined where no HTTP was seen. */
export function roleOf(events: Batch, rows: Pick<Flows, 'sends' | 'receives'>): Role | undefined {
  const sent = firstKind(events, rows.sends);
  if (sent !== undefined) return sent === 'request' ? Role.client : Role.server;
  const received = firstKind(events, rows.receives);
  if (received !== undefined) return received === 'request' ? Role.server : Role.client;
  return undefined;
}
