import { describe, expect, it } from 'vitest';
import { readIdentity } from '../../src/http1/identity.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const SHORT = 'a3ce929d0e0e4736';

function identify(headers: Readonly<Record<string, string>>) {
  return readIdentity((name) => headers[name] ?? '');
}
const contextOf = (headers: Readonly<Record<string, string>>) => identify(headers).traceContext;

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
  });

  it.each(['', '****', 'two words', 'a\tb', 'caf\u00e9', 'x'.repeat(129)])(
    'takes %j for no request id',
    (id) => {
      expect(identify({ 'x-request-id': id }).requestId).toBe('');
    },
  );
});
