import { describe, expect, it } from 'vitest';
import { type Head, parseHead, requestFraming, responseFraming } from '../../src/http1/head.js';
import { bytesOf } from './scan.js';

function parse(...lines: readonly string[]): Head {
  return parseHead(bytesOf(`${lines.join('\r\n')}\r\n\r\n`), true);
}
const request = (...headers: readonly string[]) => parse('POST /p HTTP/1.1', ...headers);
const response = (status: number, ...headers: readonly string[]) =>
  parse(`HTTP/1.1 ${status} Text`, ...headers);

describe('parseHead', () => {
  it('reads a request', () => {
    expect(parse('GET /a?b=c HTTP/1.1', 'Host: shop:80', 'X-Request-ID: r1')).toMatchObject({
      kind: 'request',
      method: 'GET',
      target: '/a?b=c',
      status: 0,
      authority: 'shop:80',
      requestId: 'r1',
      contentLength: -1,
      chunked: false,
      upgrade: false,
      complete: true,
      malformed: false,
    });
  });

  it('reads a response, with and without a reason', () => {
    for (const line of ['HTTP/1.1 404 Not Found', 'HTTP/1.1 404 ', 'HTTP/1.0 404']) {
      expect(parse(line)).toMatchObject({ kind: 'response', status: 404, malformed: false });
    }
  });

  it('takes bare line feeds, odd spaces and any case of names', () => {
    const text = 'GET / HTTP/1.1\nhOsT :\t x \nCONTENT-LENGTH:7\n\n';
    const head = parseHead(bytesOf(text), true);
    expect(head).toMatchObject({ authority: 'x', contentLength: 7, malformed: false });
  });

  it('joins folded lines', () => {
    const folded = request('X-Long: a', '\tb', 'Content-Length:', ' 12');
    expect(folded).toMatchObject({ contentLength: 12, malformed: false });
  });

  it.each([
    ['no version', ['GET /']],
    ['a space in the target', ['GET /a b HTTP/1.1']],
    ['another protocol', ['GET / RTSP/1.0']],
    ['a status of letters', ['HTTP/1.1 abc']],
    ['a status of four digits', ['HTTP/1.1 2000 OK']],
    ['a status below 100', ['HTTP/1.1 099 No']],
    ['a header without colon', ['GET / HTTP/1.1', 'Host']],
    ['a header without name', ['GET / HTTP/1.1', ': x']],
  ])('marks %s as malformed', (_what, lines) => {
    expect(parse(...lines).malformed).toBe(true);
  });

  it('does not believe the last line of a cut head', () => {
    const cut = 'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 12';
    const head = parseHead(bytesOf(cut), false);
    expect(head).toMatchObject({ authority: 'x', contentLength: -1, complete: false });
    expect(parseHead(bytesOf(cut), true).contentLength).toBe(12);
  });

  it('keeps what there is of a cut start line', () => {
    expect(parseHead(bytesOf('GET /lon'), false)).toMatchObject({ method: 'GET', target: '/lon' });
    expect(parseHead(bytesOf('HTTP/1.1 50'), false).status).toBe(0);
    expect(parseHead(new Uint8Array(0), false).malformed).toBe(true);
  });

  it('is not misled by names that objects have of themselves', () => {
    const head = request('__proto__: x', 'constructor: y', 'toString: z', 'Host: h');
    expect(head).toMatchObject({ authority: 'h', malformed: false });
  });

  it('bounds what it keeps', () => {
    const long = 'x'.repeat(100_000);
    const head = parse(`GET /${long} HTTP/1.1`, `Host: ${long}`);
    expect(head.target).toHaveLength(8192);
    expect(head.authority).toHaveLength(255);
    const many = Array.from({ length: 1000 }, (_, i) => `X-${i}: 1`);
    expect(request(...many, 'Host: late').authority).toBe('');
  });
});

describe('Content-Length', () => {
  it.each([
    ['one', ['7'], 7],
    ['the same twice', ['7', '7'], 7],
    ['the same twice in a list', ['7, 7'], 7],
    ['two that differ', ['7', '8'], -2],
    ['a list that differs', ['7, 8'], -2],
    ['a sign', ['+7'], -2],
    ['hex', ['0x7'], -2],
    ['nothing', [''], -2],
    ['more than a double holds', ['99999999999999999999'], -2],
    ['none', [], -1],
  ])('with %s', (_what, values, expected) => {
    const head = request(...values.map((value) => `Content-Length: ${value}`));
    expect(head.contentLength).toBe(expected);
  });
});

describe('requestFraming', () => {
  it('is told by Transfer-Encoding, then Content-Length, else there is no body', () => {
    expect(requestFraming(request())).toEqual({ kind: 'none' });
    expect(requestFraming(request('Content-Length: 0'))).toEqual({ kind: 'none' });
    expect(requestFraming(request('Content-Length: 7'))).toEqual({ kind: 'length', bytes: 7 });
    const both = request('Content-Length: 7', 'Transfer-Encoding: gzip, Chunked');
    expect(requestFraming(both)).toEqual({ kind: 'chunked' });
  });

  it('is unknown where lengths conflict, chunked is not last, or the head is cut', () => {
    const conflict = request('Content-Length: 7', 'Content-Length: 8');
    expect(requestFraming(conflict)).toEqual({ kind: 'unknown' });
    expect(requestFraming(request('Transfer-Encoding: chunked, gzip'))).toEqual({
      kind: 'unknown',
    });
    const cut = parseHead(bytesOf('POST /p HTTP/1.1\r\nContent-Length: 7\r\nX'), false);
    expect(requestFraming(cut)).toEqual({ kind: 'unknown' });
  });
});

describe('responseFraming', () => {
  it.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
    ['POST', 100],
    ['GET', 103],
  ])('to %s with status %i has no body, whatever its headers say', (method, status) => {
    const head = response(status, 'Content-Length: 9', 'Transfer-Encoding: chunked');
    expect(responseFraming(head, method)).toEqual({ kind: 'none' });
  });

  it('becomes a tunnel after 101, and after 2xx to CONNECT', () => {
    expect(responseFraming(response(101, 'Upgrade: websocket'), 'GET')).toEqual({ kind: 'tunnel' });
    expect(responseFraming(response(200), 'CONNECT')).toEqual({ kind: 'tunnel' });
    const refused = response(502, 'Content-Length: 3');
    expect(responseFraming(refused, 'CONNECT')).toEqual({ kind: 'length', bytes: 3 });
  });

  it('is told by Transfer-Encoding, then Content-Length, else by the end of the connection', () => {
    const framing = (...headers: string[]) => responseFraming(response(200, ...headers), 'GET');
    expect(framing('Content-Length: 7', 'Transfer-Encoding: chunked')).toEqual({ kind: 'chunked' });
    expect(framing('Content-Length: 7')).toEqual({ kind: 'length', bytes: 7 });
    expect(framing('Content-Length: 0')).toEqual({ kind: 'none' });
    expect(framing()).toEqual({ kind: 'until-close' });
    expect(framing('Content-Length: 7', 'Content-Length: 8')).toEqual({ kind: 'unknown' });
    // RFC 9112, 6.3: a coding other than chunked overrides the length as well.
    expect(framing('Transfer-Encoding: gzip')).toEqual({ kind: 'until-close' });
    expect(framing('Transfer-Encoding: gzip', 'Content-Length: 7')).toEqual({
      kind: 'until-close',
    });
  });

  it('is unknown where the head is cut, unless the status alone tells', () => {
    const cut = (line: string) => parseHead(bytesOf(`${line}\r\nContent-Length: 7\r\nX`), false);
    expect(responseFraming(cut('HTTP/1.1 200 OK'), 'GET')).toEqual({ kind: 'unknown' });
    expect(responseFraming(cut('HTTP/1.1 204 No'), 'GET')).toEqual({ kind: 'none' });
    expect(responseFraming(cut('HTTP/1.1 200 OK'), 'HEAD')).toEqual({ kind: 'none' });
  });
});
