import { describe, expect, it } from 'vitest';
import { Scan } from './scan.js';

const GET = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n';
const post = (header: string, body: string) => `POST /p HTTP/1.1\r\n${header}\r\n\r\n${body}`;
const response = (status: string, header = '', body = '') =>
  `HTTP/1.1 ${status}\r\n${header}${header === '' ? '' : '\r\n'}\r\n${body}`;
const OK = response('200 OK', 'Content-Length: 5', 'hello');

/** Extents of messages that follow each other without a gap. */
function adjacent(...texts: readonly string[]): string[] {
  let at = 0;
  return texts.map((text) => {
    const from = at;
    at += text.length;
    return `${from}..${at}`;
  });
}

/** What is found when all of it comes in one record. */
function extents(texts: readonly string[], methods: readonly string[] = []): string[] {
  return new Scan(methods).feed(texts.join('')).close().extents;
}

describe('a message ends', () => {
  it('with its head where it has no body', () => {
    expect(extents([GET, GET])).toEqual(adjacent(GET, GET));
  });

  it('after Content-Length bytes, even if they look like a message', () => {
    const inner = post(`Content-Length: ${GET.length}`, GET);
    expect(extents([inner, GET])).toEqual(adjacent(inner, GET));
  });

  it('after the last chunk, whatever extensions and trailers say', () => {
    const chunks = [
      '5;name=value;quoted="a;b"\r\nhello\r\n',
      'A \r\n0\r\n\r\nGET /\r\n',
      '000;last\r\nTrailer: 1\r\nOther: 2\r\n\r\n',
    ];
    const chunked = post('Transfer-Encoding: chunked', chunks.join(''));
    expect(extents([chunked, GET])).toEqual(adjacent(chunked, GET));
  });

  it('after chunks of nothing but the last one', () => {
    const empty = post('Transfer-Encoding: chunked', '0\r\n\r\n');
    expect(extents([empty, GET])).toEqual(adjacent(empty, GET));
  });

  it('with its head where the answer is to HEAD, or is 204, 304 or 1xx', () => {
    const length = 'Content-Length: 999';
    const answers = [
      response('200 OK', length),
      response('204 No Content', length),
      response('304 Not Modified', 'Transfer-Encoding: chunked'),
      response('100 Continue'),
      OK,
    ];
    const methods = ['HEAD', 'GET', 'GET', 'POST', 'POST'];
    expect(extents(answers, methods)).toEqual(adjacent(...answers));
  });

  it('with the connection where nothing else tells, even if what follows looks like a message', () => {
    const open = response('200 OK', 'Connection: close', `body\r\n${OK}`);
    const scan = new Scan(['GET']).feed(open);
    expect(scan.extents).toEqual(['0..?']);
    expect(scan.scanner.isInside).toBe(false);
    expect(scan.feed(OK).close().extents).toEqual([`0..~${open.length + OK.length}`]);
  });

  it('with the connection after an upgrade', () => {
    const upgrade = response('101 Switching Protocols', 'Upgrade: websocket', '\x81\x05');
    const scan = new Scan(['GET']).feed(upgrade, OK).close();
    expect(scan.extents).toEqual([`0..~${upgrade.length + OK.length}`]);
    const connect = response('200 Connection established');
    expect(new Scan(['CONNECT']).feed(connect, GET).close().extents).toHaveLength(1);
  });

  it('where the next record begins a message, if its lengths conflict', () => {
    const odd = response('200 OK', 'Content-Length: 5\r\nContent-Length: 6', 'hello');
    const scan = new Scan(['GET', 'GET']).feed(odd, OK).close();
    expect(scan.extents).toEqual([`0..~${odd.length}`, `${odd.length}..${odd.length + OK.length}`]);
  });

  it('where the next record begins a message, if a chunk size is none', () => {
    for (const size of ['xyz\r\n', '-1\r\n', '\r\n', '\n', ';ext\r\n', '123456789\r\n']) {
      const odd = post('Transfer-Encoding: chunked', `${size}what follows\r\n\r\n`);
      const scan = new Scan().feed(odd, GET).close();
      expect([size, ...scan.extents]).toEqual([
        size,
        `0..~${odd.length}`,
        `${odd.length}..${odd.length + GET.length}`,
      ]);
    }
  });

  it('nowhere, if the connection ends inside of it', () => {
    const cut = post('Content-Length: 10', 'abc');
    const scan = new Scan().feed(cut);
    expect(scan.scanner.isInside).toBe(true);
    expect(scan.close().extents).toEqual([`0..~${cut.length}`]);
    expect(scan.scanner.isInside).toBe(false);
  });
});

describe('MessageScanner', () => {
  it('follows pipelined messages within one record', () => {
    const all = [GET, post('Content-Length: 3', 'abc'), GET];
    const scan = new Scan().feed(all.join('')).close();
    expect(scan.extents).toEqual(adjacent(...all));
    expect(scan.heads.map(({ method }) => method)).toEqual(['GET', 'POST', 'GET']);
  });

  it('passes over line ends between messages', () => {
    expect(extents(['\r\n\n', GET, '\r\n', GET])).toEqual(['3..31', '33..61']);
  });

  it('takes bare line feeds for line ends', () => {
    const bare = GET.replaceAll('\r', '');
    expect(extents([bare, bare])).toEqual(adjacent(bare, bare));
  });

  it('does not tell of what is not HTTP', () => {
    const scan = new Scan().feed('\x16\x03\x01 TLS', 'SSH-2.0', GET).close();
    expect(scan.extents).toEqual(['14..42']);
    expect(scan.handler.abandoned).toBe(0);
  });

  it('abandons what began like a message and then was none', () => {
    const scan = new Scan().feed('P', 'ING\r\n\r\n');
    expect([scan.extents, scan.handler.abandoned]).toEqual([[], 1]);
    expect(scan.feed(GET).close().extents).toEqual(['8..36']);
  });

  it('waits for the rest of a head that comes in pieces', () => {
    const scan = new Scan().feed('G', 'ET /a HT', 'TP/1.1\r\n\r');
    expect([scan.extents, scan.scanner.isInside]).toEqual([[], true]);
    expect(scan.feed('\n').extents).toEqual(['0..19']);
  });

  it('bounds a head without end, and goes on with the next message', () => {
    const endless = `GET / HTTP/1.1\r\nX: ${'x'.repeat(40_000)}`;
    const scan = new Scan().feed(endless, GET).close();
    expect(scan.extents).toEqual([
      `0..~${endless.length}`,
      `${endless.length}..${endless.length + GET.length}`,
    ]);
    expect(scan.heads.map(({ complete }) => complete)).toEqual([false, true]);
  });
});
