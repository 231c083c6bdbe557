import { join } from 'node:path';
import { expect, it } from 'vitest';
import { recognizeStart } from '../../src/http1/start-line.js';
import { type LlhttpCase, type Reported, readLlhttpCases } from './llhttp-cases.js';
import { Scan } from './scan.js';
import { unpackShared } from './shared-data.js';

const { directory, suite } = unpackShared('llhttp-9.4.2-fixtures.tar.gz');

function scan(item: LlhttpCase, pieces: readonly Uint8Array[] = [item.input]): Scan {
  const methods = item.messages.map(() => (item.skipBody ? 'HEAD' : ''));
  return new Scan(methods).feed(...pieces).close();
}

function bytewise({ input }: LlhttpCase): Uint8Array[] {
  return Array.from(input, (byte) => Uint8Array.of(byte));
}

/**
 * What both should say of a message. llhttp stops where a connection becomes a tunnel and
 * reports what came before as whole; of bodies without known end it reports none.
 */
function describeReported(item: LlhttpCase, message: Reported): string {
  const head = message.headEnd === -1 ? '' : `${message.method}${message.status || ''}`;
  const isTunnel = item.error.includes('CONNECT/Upgrade');
  const end = message.end === -1 || isTunnel ? '' : ` to ${message.end}`;
  return `${message.start}${end} ${head} ${message.headEnd === -1 ? '' : message.target}`;
}

function describeOwn(item: LlhttpCase, own: Scan, i: number): string {
  const { start, end, inferred, head } = own.handler.messages[i]!;
  const reported = item.messages[i]!;
  const told = describeReported(item, reported);
  // Where llhttp gave up within a message, what it would have said of its end is not known.
  const isCompared = told.includes(' to ') || (item.error === '' && !inferred);
  const kind = reported.headEnd === -1 ? '' : `${head.method}${head.status || ''}`;
  return `${start}${isCompared ? ` to ${inferred ? '~' : ''}${end}` : ''} ${kind} ${reported.headEnd === -1 ? '' : head.target}`;
}

suite('the cases of llhttp', () => {
  const cases = directory === '' ? [] : readLlhttpCases(join(directory, 'test'));
  // Methods and protocols that the kernel does not recognise are none of aftertrace's business.
  const isKnown = ({ input }: LlhttpCase) => {
    const at = input.findIndex((byte) => byte !== 10 && byte !== 13);
    return recognizeStart(input, at)?.partial === false;
  };
  // A request without the body that it announces exists only by order of llhttp's caller.
  const isOrdered = (item: LlhttpCase) => item.skipBody && item.kind === 'request';
  // CONNECT with a length: llhttp takes the body for the tunnel's first bytes.
  const isConnectWithBody = (item: LlhttpCase) =>
    Buffer.from(item.input).toString().startsWith('CONNECT');
  const strict = cases.filter((item) => !item.lenient && !isOrdered(item));

  it('are all read', () => {
    expect(cases.filter(({ kind }) => kind === 'request')).toHaveLength(166);
    expect(cases.filter(({ kind }) => kind === 'response')).toHaveLength(85);
    expect(strict.filter(isKnown).length).toBeGreaterThan(180);
  });

  it('give the same messages, as far as llhttp went', () => {
    for (const item of strict.filter(isKnown).filter((one) => !isConnectWithBody(one))) {
      const own = scan(item);
      const count = own.handler.messages.length;
      expect([item.name, count >= item.messages.length]).toEqual([item.name, true]);
      if (item.error === '') expect([item.name, count]).toEqual([item.name, item.messages.length]);
      for (const [i, message] of item.messages.entries()) {
        expect(`${item.name}: ${describeOwn(item, own, i)}`).toBe(
          `${item.name}: ${describeReported(item, message)}`,
        );
      }
    }
  });

  it('give nothing where they are not HTTP/1 as the kernel knows it', () => {
    const others = cases.filter((item) => !isKnown(item));
    expect(others.length).toBeGreaterThan(20);
    for (const item of others) expect([item.name, scan(item).extents]).toEqual([item.name, []]);
  });

  it('give the same messages byte by byte, where llhttp finds no fault', () => {
    for (const item of strict.filter(({ error }) => error === '').filter(isKnown)) {
      const whole = scan(item);
      const pieces = scan(item, bytewise(item));
      expect([item.name, pieces.extents]).toEqual([item.name, whole.extents]);
      expect(pieces.heads).toEqual(whole.heads);
    }
  });

  it('never break the scanner, whatever faults they have', () => {
    for (const item of cases) {
      for (const pieces of [[item.input], bytewise(item)]) {
        for (const { end } of scan(item, pieces).handler.messages) {
          expect(end).toBeLessThanOrEqual(item.input.length);
        }
      }
    }
  });
});
