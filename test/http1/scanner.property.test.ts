import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOf, type Piece, Scan } from './scan.js';

interface Sample {
  readonly text: string;
  /** Of the request that it answers; '' for a request. */
  readonly method: string;
}

/** Text that tempts a scanner: line ends, digits and what begins messages. */
const body = fc
  .array(
    fc.constantFrom('\r\n', '\n', '0\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n', 'HTTP/1.1 200 OK', 'a;'),
    { maxLength: 4 },
  )
  .map((words) => words.join(''));

const chunked = fc
  .record({
    parts: fc.array(body, { maxLength: 3 }),
    extension: fc.constantFrom('', ';a=b', ' '),
    trailer: fc.constantFrom('', 'T: 1\r\n'),
  })
  .map(({ parts, extension, trailer }) => {
    const chunks = parts
      .filter((part) => part !== '')
      .map((part) => `${part.length.toString(16)}${extension}\r\n${part}\r\n`);
    return `Transfer-Encoding: chunked\r\n\r\n${chunks.join('')}0\r\n${trailer}\r\n`;
  });
const sized = body.map((text) => `Content-Length: ${text.length}\r\n\r\n${text}`);

const request: fc.Arbitrary<Sample> = fc
  .tuple(fc.constantFrom('GET', 'POST', 'DELETE'), fc.oneof(chunked, sized, fc.constant('\r\n')))
  .map(([method, rest]) => ({ text: `${method} /t HTTP/1.1\r\nHost: h\r\n${rest}`, method: '' }));

const response: fc.Arbitrary<Sample> = fc.oneof(
  fc
    .oneof(chunked, sized)
    .map((rest) => ({ text: `HTTP/1.1 200 OK\r\nServer: s\r\n${rest}`, method: 'GET' })),
  fc
    .constantFrom('HTTP/1.1 304 N\r\nContent-Length: 5\r\n\r\n', 'HTTP/1.1 100 C\r\n\r\n')
    .map((text) => ({ text, method: 'GET' })),
  fc.constant({ text: 'HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n', method: 'HEAD' }),
);

const conversation = fc.oneof(
  fc.array(request, { minLength: 1, maxLength: 6 }),
  fc.array(response, { minLength: 1, maxLength: 6 }),
);
/** Where to cut, as shares of the whole. */
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 });

function cut(text: string, shares: readonly number[]): string[] {
  const places = shares.map((share) => Math.floor(share * text.length)).sort((a, b) => a - b);
  return [...places, text.length].map((end, i) => text.slice(i === 0 ? 0 : places[i - 1], end));
}

function expected(samples: readonly Sample[]): string[] {
  let at = 0;
  return samples.map(({ text }) => {
    const from = at;
    at += text.length;
    return `${from}..${at}`;
  });
}

describe('cutting a stream of messages', () => {
  it('anywhere gives the same messages', () => {
    fc.assert(
      fc.property(conversation, cuts, (samples, shares) => {
        const methods = samples.map(({ method }) => method);
        const text = samples.map((sample) => sample.text).join('');
        const whole = new Scan(methods).feed(text).close();
        const pieces = new Scan(methods).feed(...cut(text, shares)).close();
        expect(pieces.extents).toEqual(expected(samples));
        expect(pieces.heads).toEqual(whole.heads);
      }),
      { numRuns: 1000 },
    );
  });

  it('after every single byte gives the same messages', () => {
    fc.assert(
      fc.property(conversation, (samples) => {
        const scan = new Scan(samples.map(({ method }) => method));
        for (const { text } of samples) scan.feed(...text);
        expect(scan.close().extents).toEqual(expected(samples));
      }),
      { numRuns: 200 },
    );
  });
});

const fragment = fc.oneof(
  fc.constantFrom(
    'GET ',
    '/ HTTP/1.1\r\n',
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.1 101 \r\n',
    'Content-Length: 5\r\n',
    'Content-Length: 99999999\r\n',
    'Transfer-Encoding: chunked\r\n',
    '\r\n',
    '\r\n\r\n',
    'ffffffff\r\n',
    '0\r\n\r\n',
    '\0',
  ),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
);
const bytes = fc.array(fragment, { maxLength: 12 }).map((words) => words.join(''));
const piece: fc.Arbitrary<Piece> = fc.oneof(
  { weight: 5, arbitrary: bytes },
  {
    weight: 2,
    arbitrary: fc.record({
      captured: bytes,
      length: fc.oneof(fc.nat({ max: 200 }), fc.nat({ max: 2 ** 32 - 1 })),
    }),
  },
  { weight: 1, arbitrary: fc.record({ missing: fc.nat({ max: 2 ** 32 - 1 }) }) },
);

function sizeOf(item: Piece): number {
  if (typeof item === 'string' || item instanceof Uint8Array) return bytesOf(item).length;
  return 'missing' in item ? item.missing : item.length;
}

describe('hostile bytes', () => {
  // Scan throws where the scanner tells things out of order or goes back in the stream.
  it('never throw, and what is told keeps its order and lies within the stream', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const scan = new Scan(['GET', 'HEAD', '', 'CONNECT']).feed(...pieces).close();
        const total = pieces.reduce((sum, item) => sum + sizeOf(item), 0);
        for (const { start, end } of scan.handler.messages) {
          expect(start).toBeGreaterThanOrEqual(0);
          expect(end).toBeGreaterThan(start);
          expect(end).toBeLessThanOrEqual(total);
        }
        expect(scan.scanner.isInside).toBe(false);
      }),
      { numRuns: 3000 },
    );
  });

  it('take time in proportion to their number', () => {
    const size = 400_000;
    const worst = ['GET / HTTP/1.1\r\n\r\n', 'G', 'HTTP/1.1 200\r\n', '\r\n', 'GET \r\n\r\n'];
    for (const word of worst) {
      const started = performance.now();
      new Scan().feed(Buffer.alloc(size, word)).close();
      expect([word, performance.now() - started < 5000]).toEqual([word, true]);
    }
  });
});
