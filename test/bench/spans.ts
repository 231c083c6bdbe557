import { SPAN_COLUMNS, type SpanTable } from '../../src/model/span.js';
import { emptyTable } from '../../src/model/tables.js';

/** One span of a test; its id is its number. */
export interface Span {
  readonly role: 'client' | 'server';
  readonly service: string;
  /** One hex digit, repeated to the 16 of a hop key; left out where the target has none. */
  readonly key?: string;
  readonly parent?: number;
  readonly verdict?: string;
  readonly confidence?: number;
  readonly candidates?: number;
  readonly start?: number;
  readonly end?: number;
  /** First byte of the response; left out where there is none. */
  readonly firstByte?: number;
  readonly path?: string;
  readonly tid?: number;
  /** By default every service is a process. */
  readonly pid?: number;
  readonly peer?: string;
}

/** The hop key that a digit stands for. */
export function keyFrom(digit: string): string {
  return digit.repeat(16);
}

export function spansOf(list: readonly Span[]): SpanTable {
  const id = (row: number) => row.toString(16).padStart(16, '0');
  const services = [...new Set(list.map(({ service }) => service))];
  const u32 = (value: (span: Span) => number) => Uint32Array.from(list, value);
  return {
    ...emptyTable(SPAN_COLUMNS, list.length),
    span_id: list.map((_, row) => id(row)),
    parent_span_id: list.map(({ parent }) => (parent === undefined ? '' : id(parent))),
    parent_verdict: list.map(({ verdict }) => verdict ?? 'probable'),
    parent_confidence: Float64Array.from(list, ({ confidence }) => confidence ?? 0.95),
    candidates: Uint16Array.from(list, ({ candidates }) => candidates ?? 1),
    service: list.map(({ service }) => service),
    host: list.map(() => 'a'),
    role: list.map(({ role }) => role),
    pid: u32(({ pid, service }) => pid ?? services.indexOf(service) + 1),
    tid: u32(({ tid }) => tid ?? 1),
    peer: list.map(({ peer }) => peer ?? '10.0.0.2:80'),
    target: list.map(({ key, path = '/a' }) =>
      key === undefined ? path : `${path}?x=1&k=${keyFrom(key)}`,
    ),
    start_ns: BigInt64Array.from(list, ({ start }) => BigInt(start ?? 0)),
    first_byte_ns: BigInt64Array.from(list, ({ firstByte }) => BigInt(firstByte ?? 0)),
    end_ns: BigInt64Array.from(list, ({ end }) => BigInt(end ?? 100)),
  };
}
