import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Batch } from '../../src/model/batch.js';
import { EventFlag, EventKind } from '../../src/model/event.js';
import { redactNatively } from '../../src/recorder/native-source.js';
import { Redactor } from '../../src/recorder/redact.js';
import { redactionPolicy } from '../../src/recorder/redaction-policy.js';
import { batchOf } from '../../src/recorder/rows.js';
import { describeLive } from '../bpf/live.js';

/** Pieces whose every order and cut means something to the rules, and some that mean nothing. */
const PIECES = [
  ...['GET ', 'POST ', 'HTTP/1.1 200 OK', 'HTTP/1.1 204 No', 'HTTP/1.1 100 C', 'HEAD /x', 'G', 'H'],
  ...['\r\n', '\r\n\r\n', '\n', '\n\n', '\r', ' ', '\t', ':', ': ', '/', '//', '://', ' HTTP/1.1'],
  ...[
    '?',
    '&',
    ';',
    '#',
    '=',
    '%',
    '@',
    'token',
    'k',
    'id',
    'user:hunter2',
    'correct horse',
    '0123456789',
    'aPi_Key',
    'Pass',
  ],
  ...['Authorization', 'cookie', 'X-My-SECRET-x', 'Referer', 'Location', 'Host', 'x'.repeat(40)],
  ...['Content-Length: ', 'Content-Length: 5', '7', '99999999999999999999', 'chunked'],
  ...[
    'Transfer-Encoding: ',
    'https://a:b@c/d?token=e&f=g',
    'body',
    '\u00c0\u00e9',
    '\u00a0x',
    '\u0000',
  ],
];

const KEY = Uint8Array.from({ length: 16 }, (_, i) => 0xf0 + i);

interface Record {
  readonly text: string;
  readonly kind: number;
  readonly connection: number;
  /** Bytes moved beyond those that were captured. */
  readonly uncaptured: number;
  /** Bytes of the stream lost before this record. */
  readonly lost: number;
  readonly isPeek: boolean;
}

const record: fc.Arbitrary<Record> = fc.record({
  text: fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }).map((parts) => parts.join('')),
  kind: fc.constantFrom(
    ...[EventKind.send, EventKind.send, EventKind.receive, EventKind.receive],
    ...[EventKind.close, EventKind.connection],
  ),
  connection: fc.nat(1),
  uncaptured: fc.constantFrom(0, 0, 0, 1, 7, 5000),
  lost: fc.constantFrom(0, 0, 0, 0, 3),
  isPeek: fc.constantFrom(false, false, false, true),
});

function toBatch(records: readonly Record[]): Batch {
  const next = new Map<string, number>();
  const payloads = records.map(({ text }) => Buffer.from(text, 'latin1'));
  const bytes = new Uint32Array(records.length);
  const rows = records.map(({ kind, connection, uncaptured, lost, isPeek }, i) => {
    const stream = `${connection} ${kind}`;
    const from = (next.get(stream) ?? 2 ** 32 - 50) + lost;
    bytes[i] = payloads[i]!.length + uncaptured;
    if (!isPeek) next.set(stream, from + bytes[i]!);
    const flags = isPeek ? EventFlag.peek : 0;
    return {
      timeNs: BigInt(i),
      kind,
      flags,
      connection: BigInt(connection),
      sequence: from % 2 ** 32,
    };
  });
  const offsets = new Int32Array(records.length + 1);
  for (const [i, payload] of payloads.entries()) offsets[i + 1] = offsets[i]! + payload.length;
  const data = Uint8Array.from(Buffer.concat(payloads));
  return { ...batchOf(rows), bytes, payload: { offsets, data } };
}

describeLive('the redaction of the addon', () => {
  it.each([
    ['masks', undefined],
    ['marks', KEY],
  ])('%s byte for byte what that of TypeScript does', (_, key) => {
    const policy = redactionPolicy(['X-\u00c9tat'], ['id'], key);
    fc.assert(
      fc.property(fc.array(fc.array(record, { maxLength: 20 }), { maxLength: 3 }), (batches) => {
        const ours = batches.map(toBatch);
        const theirs = batches.map(toBatch);
        const redactor = new Redactor(policy);
        for (const batch of ours) redactor.apply(batch);
        redactNatively(policy, theirs);
        const text = ({ payload }: Batch) => Buffer.from(payload.data).toString('latin1');
        expect(theirs.map(text)).toEqual(ours.map(text));
      }),
      { numRuns: 3000 },
    );
  });
});
