import { describe, expect, it } from 'vitest';
import { readIdentity } from '../../src/http1/identity.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const SHORT = 'a3ce929d0e0e4736';

type Headers = Readonly<Record<string, string | readonly string[]>>;

function identify(headers: Headers) {
  return readIdentity((name) => [headers[name] ?? []].flat());
}
const contextOf = (headers: Headers) => identify(headers).traceContext;

describe('traceparent', () => {
  it('gives trace and parent id, in lower case', () => {
    expect(contextOf({ traceparent: `00-${TRACE}-${SPAN}-01` })).toBe(`w3c:${TRACE}:${SPAN}`);
    const loud = `00-${TRACE}-${SPAN}-00`.toUpperCase();
    expect(contextOf({ traceparent: loud })).toBe(`w3c:${TRACE}:${SPAN}`);
  });

  it('of a later version may have more fields', () => {
    expect(contextOf({ traceparent: `cc-${TRACE}-${SPAN}-01-more` })).toBe(`w3c:${TRACE}:${SPAN}`);
  });

  it.each([
    ['an all-zero trace id', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['an all-zero parent id', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['a short trace id', `00-${SHORT}-${SPAN}-01`],
    ['no flags', `00-${TRACE}-${SPAN}`],
    ['what is no hex', `00-${TRACE.replace('4', 'g')}-${SPAN}-01`],
    ['something glued to its end', `00-${TRACE}-${SPAN}-01x`],
    ['something glued to its front', `x00-${TRACE}-${SPAN}-01`],
    ['a masked value', '*'.repeat(55)],
    ['nothing', ''],
  ])('with %s identifies nothing', (_what, traceparent) => {
    expect(contextOf({ traceparent })).toBe('');
  });
});

describe('B3', () => {
  it.each([
    ['two ids', `${TRACE}-${SPAN}`],
    ['the sampling decision', `${TRACE}-${SPAN}-1`],
    ['a parent', `${TRACE}-${SPAN}-1-05e3ac9a4f6e3b90`],
  ])('in one header, with %s', (_what, b3) => {
    expect(contextOf({ b3 })).toBe(`b3:${TRACE}:${SPAN}`);
  });

  it('in several headers', () => {
    const headers = { 'x-b3-traceid': TRACE.toUpperCase(), 'x-b3-spanid': SPAN };
    expect(contextOf(headers)).toBe(`b3:${TRACE}:${SPAN}`);
  });

  it('with 64 bits of trace id is filled up to 128, so that both forms compare equal', () => {
    const full = `b3:${SHORT.padStart(32, '0')}:${SPAN}`;
    expect(contextOf({ b3: `${SHORT}-${SPAN}` })).toBe(full);
    expect(contextOf({ 'x-b3-traceid': SHORT, 'x-b3-spanid': SPAN })).toBe(full);
  });

  it('in one header is preferred, and several are read where it says only "do not sample"', () => {
    const several = { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN };
    expect(contextOf({ ...several, b3: `${SHORT}-${SPAN}` })).toContain(SHORT.padStart(32, '0'));
    expect(contextOf({ ...several, b3: '0' })).toBe(`b3:${TRACE}:${SPAN}`);
  });

  it.each([
    [{ b3: '0' }],
    [{ b3: `${TRACE}${SPAN}` }],
    [{ b3: `${TRACE}-${SPAN}x` }],
    [{ b3: `${'0'.repeat(32)}-${SPAN}` }],
    [{ 'x-b3-traceid': TRACE }],
    [{ 'x-b3-traceid': TRACE, 'x-b3-spanid': 'zz' }],
    [{ 'x-b3-traceid': `${TRACE}0`, 'x-b3-spanid': SPAN }],
  ])('of the form %j identifies nothing', (headers) => {
    expect(contextOf(headers)).toBe('');
  });
});

describe('uber-trace-id', () => {
  it('is read with leading zeros left out, and percent-encoded', () => {
    const full = `jaeger:${'ab'.padStart(32, '0')}:${'c'.padStart(16, '0')}`;
    expect(contextOf({ 'uber-trace-id': 'ab:c:0:1' })).toBe(full);
    expect(contextOf({ 'uber-trace-id': 'AB%3Ac%3a0%3A1' })).toBe(full);
    expect(contextOf({ 'uber-trace-id': '0:c:0:1' })).toBe('');
    expect(contextOf({ 'uber-trace-id': 'ab:c:1' })).toBe('');
  });
});

describe('x-datadog-trace-id', () => {
  it('is a decimal, and compares equal with what is written in hex', () => {
    const headers = { 'x-datadog-trace-id': '11803532876627986230', 'x-datadog-parent-id': '255' };
    const trace = 'a3ce929d0e0e4736'.padStart(32, '0');
    expect(contextOf(headers)).toBe(`datadog:${trace}:${'ff'.padStart(16, '0')}`);
  });

  it.each(['', '0', '-1', '18446744073709551616', '12a', '****'])(
    'of the value %j identifies nothing',
    (id) => {
      expect(contextOf({ 'x-datadog-trace-id': id, 'x-datadog-parent-id': '1' })).toBe('');
    },
  );
});

describe('x-amzn-trace-id', () => {
  it('gives root and parent, whatever their order', () => {
    const root = `1-${TRACE.slice(0, 8)}-${TRACE.slice(8)}`;
    const full = `xray:${TRACE}:${SPAN}`;
    expect(contextOf({ 'x-amzn-trace-id': `Root=${root};Parent=${SPAN};Sampled=1` })).toBe(full);
    expect(contextOf({ 'x-amzn-trace-id': `Parent=${SPAN}; Root=${root}` })).toBe(full);
    expect(
      contextOf({ 'x-amzn-trace-id': `Self=1-67891234-12456789abcdef012345678;Root=${root}` }),
    ).toBe(`xray:${TRACE}:`);
  });

  it.each([
    '',
    `Root=2-${TRACE}`,
    `Root=1-${TRACE}`,
    `Parent=${SPAN}`,
    `XRoot=1-${TRACE.slice(0, 8)}-${TRACE.slice(8)}`,
  ])('of the value %j identifies nothing', (value) => {
    expect(contextOf({ 'x-amzn-trace-id': value })).toBe('');
  });
});

describe('x-cloud-trace-context', () => {
  it('gives the trace, and the span where there is one', () => {
    const span = 'ff'.padStart(16, '0');
    expect(contextOf({ 'x-cloud-trace-context': `${TRACE}/255;o=1` })).toBe(
      `cloud:${TRACE}:${span}`,
    );
    expect(contextOf({ 'x-cloud-trace-context': TRACE })).toBe(`cloud:${TRACE}:`);
  });

  it.each(['', SHORT, `${'0'.repeat(32)}/1`, `${TRACE}/x`])(
    'of the value %j identifies nothing',
    (value) => {
      expect(contextOf({ 'x-cloud-trace-context': value })).toBe('');
    },
  );
});

describe('a header that comes twice', () => {
  it('counts where both say the same, and not where they contradict each other', () => {
    const one = `00-${TRACE}-${SPAN}-01`;
    const other = `00-${TRACE.replace('4', '5')}-${SPAN}-01`;
    expect(contextOf({ traceparent: [one, one] })).toBe(`w3c:${TRACE}:${SPAN}`);
    expect(contextOf({ traceparent: [one, other] })).toBe('');
    expect(identify({ 'x-request-id': ['a', 'b'], 'x-correlation-id': 'c' }).requestId).toBe('c');
  });
});

describe('readIdentity', () => {
  it('keeps every kind of context, W3C first', () => {
    const traceparent = `00-${TRACE}-${SPAN}-01`;
    const text = contextOf({ b3: `${SHORT}-${SPAN}`, traceparent, 'uber-trace-id': 'ab:c:0:1' });
    expect(text.split(' ').map((context) => context.split(':')[0])).toEqual([
      'w3c',
      'b3',
      'jaeger',
    ]);
  });

  it('takes the request id, or else the correlation id', () => {
    expect(identify({ 'x-request-id': 'r-1', 'x-correlation-id': 'c' }).requestId).toBe('r-1');
    expect(identify({ 'x-correlation-id': 'c' }).requestId).toBe('c');
    expect(identify({ 'request-id': 'd' }).requestId).toBe('d');
  });

  it.each(['', '****', 'two words', 'a\tb', 'caf\u00e9', 'x'.repeat(129)])(
    'takes %j for no request id',
    (id) => {
      expect(identify({ 'x-request-id': id }).requestId).toBe('');
    },
  );
});
