import type { Head } from '../../http1/head.js';
import type { Batch } from '../../model/batch.js';
import { EventFlag } from '../../model/event.js';
import { LossFlag, Role } from '../../model/exchange.js';
import type { ConnectionRows } from './connections.js';
import type { Message } from './messages.js';
import type { Pair } from './pairing.js';

/** Protocols whose requests and responses overlap: the recorder only says that they are spoken. */
const WITHOUT_TURNS = new Set(['tls', 'ssh', 'http2', 'amqp', 'dbus', 'x11']);

/** What a connection speaks whose protocol is not known. */
const UNKNOWN_PROTOCOL = 'unknown';

/** The exchanges of a connection that does not speak HTTP/1. */
export interface TurnExchanges {
  readonly protocol: string;
  readonly role: Role;
  readonly pairs: readonly Pair[];
}

/** Rows that went the same way without one of the other way between them. */
interface Turn {
  readonly isSend: boolean;
  readonly firstRow: number;
  lastRow: number;
  bytes: number;
  /** Protocol and operation as the recorder named them, '' if it did not. */
  name: string;
  /** The recording holds its first bytes. */
  readonly began: boolean;
}

const TEXT = new TextDecoder();

function nameAt({ name }: Batch, row: number): string {
  return TEXT.decode(name.data.subarray(name.offsets[row]!, name.offsets[row + 1]!));
}

/** Nanoseconds between the times of two rows, exact up to 2^53, without a BigInt per row. */
function clockOf({ time_ns, rows }: Batch, first: number): (row: number) => number {
  const halves = new Int32Array(time_ns.buffer, time_ns.byteOffset, rows * 2);
  const low = halves[first * 2]! >>> 0;
  const high = halves[first * 2 + 1]!;
  return (row) => (halves[row * 2 + 1]! - high) * 2 ** 32 + ((halves[row * 2]! >>> 0) - low);
}

/** Rows of both directions that moved bytes, in order of time. */
function rowsInTime(events: Batch, { sends, receives }: ConnectionRows): number[] {
  const rows = [...sends, ...receives].filter(
    (row) => events.bytes[row]! > 0 && (events.flags[row]! & EventFlag.peek) === 0,
  );
  const clock = clockOf(events, rows[0] ?? 0);
  return rows.sort((a, b) => clock(a) - clock(b) || a - b);
}

function splitTurns(events: Batch, rows: ConnectionRows): Turn[] {
  const sends = new Set(rows.sends);
  const turns: Turn[] = [];
  const isDatagram = isDatagramConnection(events, rows);
  for (const row of rowsInTime(events, rows)) {
    const isSend = sends.has(row);
    const began = (events.flags[row]! & EventFlag.turn) !== 0;
    let turn = turns.at(-1);
    if (turn === undefined || turn.isSend !== isSend || isDatagram) {
      turn = { isSend, firstRow: row, lastRow: row, bytes: 0, name: '', began };
      turns.push(turn);
    }
    turn.lastRow = row;
    turn.bytes += events.bytes[row]!;
    if (began && !turn.name.includes(' ')) turn.name = nameAt(events, row) || turn.name;
  }
  return turns;
}

function isDatagramConnection({ flags }: Batch, { described }: ConnectionRows): boolean {
  return described !== -1 && (flags[described]! & EventFlag.datagram) !== 0;
}

/**
 * Which end this is. An operation is named in requests only; where none is, the end that
 * connected asks, or at last the one that spoke first.
 */
function roleOfTurns(events: Batch, rows: ConnectionRows, turns: readonly Turn[]): Role {
  const request = turns.find(({ name }) => name.includes(' '));
  if (request !== undefined) return request.isSend ? Role.client : Role.server;
  const flags = rows.described === -1 ? 0 : events.flags[rows.described]!;
  if ((flags & EventFlag.active) !== 0 || rows.connect !== -1) return Role.client;
  if ((flags & EventFlag.passive) !== 0) return Role.server;
  return turns[0]!.isSend ? Role.client : Role.server;
}

function messageOf(turn: Turn, kind: Head['kind']): Message {
  const [, method = '', target = ''] = kind === 'request' ? turn.name.split(' ') : [];
  return {
    head: {
      kind,
      method,
      target,
      status: 0,
      authority: '',
      contentLength: -1,
      chunked: false,
      otherCoding: false,
      upgrade: false,
      traceContext: '',
      requestId: '',
      tokens: '',
      complete: true,
      malformed: false,
    },
    firstRow: turn.firstRow,
    lastRow: turn.lastRow,
    bytes: turn.bytes,
    ended: true,
    flags: turn.began ? 0 : LossFlag.startUnseen,
  };
}

/** Each request turn with the turn that follows; what comes before a request (greetings) is none's. */
function pairTurns(turns: readonly Turn[], isClient: boolean): Pair[] {
  const pairs: { request: Message; response: Message | undefined }[] = [];
  let open = 0;
  for (const turn of turns) {
    if (turn.isSend === isClient) {
      pairs.push({ request: messageOf(turn, 'request'), response: undefined });
    } else if (open < pairs.length) {
      pairs[open]!.response = messageOf(turn, 'response');
      open++;
    }
  }
  return pairs;
}

/**
 * Reads a connection as request and response in turn, for protocols that are not HTTP/1.
 * Undefined where it shows no turns: nothing of it was recorded as such, its protocol takes none,
 * or it is not known and both ends do not strictly alternate, the end that connected first.
 */
export function readTurns(events: Batch, rows: ConnectionRows): TurnExchanges | undefined {
  const turns = splitTurns(events, rows);
  const spoken = turns.find(({ name }) => name !== '')?.name.split(' ', 1)[0];
  if (!turns.some(({ began }) => began) || WITHOUT_TURNS.has(spoken ?? '')) return undefined;
  const role = roleOfTurns(events, rows, turns);
  const isClient = role === Role.client;
  if (spoken === undefined && !alternates(turns, isClient)) return undefined;
  const pairs = pairTurns(turns, isClient);
  return pairs.length === 0 ? undefined : { protocol: spoken ?? UNKNOWN_PROTOCOL, role, pairs };
}

/** Unknown bytes look like calls: the asking end began, and what it asked was answered. */
function alternates(turns: readonly Turn[], isClient: boolean): boolean {
  return turns.length >= 2 && turns[0]!.isSend === isClient && turns.every(({ began }) => began);
}
