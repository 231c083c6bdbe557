import { describe, expect, it } from 'vitest';
import { Scan } from './scan.js';

const GET = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n';
const HEAD_OF_100 = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n';
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
const METHODS = ['GET', 'GET', 'GET'];

describe('bytes that passed but were not captured', () => {
  it('count towards a body of known length', () => {
    const end = HEAD_OF_100.length + 100;
    const scan = new Scan(METHODS).feed(
      { captured: `${HEAD_OF_100}first`, length: HEAD_OF_100.length + 40 },
      { captured: '', length: 60 },
      OK,
    );
    expect(scan.close().extents).toEqual([`0..${end}`, `${end}..${end + OK.length}`]);
  });

  it('beyond the body hide the message that begins in them, not the one after', () => {
    const end = HEAD_OF_100.length + 100;
    const scan = new Scan(METHODS).feed({ captured: HEAD_OF_100, length: end + 50 }, OK).close();
    expect(scan.extents).toEqual([`0..${end}`, `${end + 50}..${end + 50 + OK.length}`]);
  });

  it('cut a head: what was captured of it is told, and the body is of unknown length', () => {
    const cut = HEAD_OF_100.slice(0, 30);
    const scan = new Scan(METHODS).feed({ captured: cut, length: 140 }, OK).close();
    expect(scan.extents).toEqual(['0..~140', `140..${140 + OK.length}`]);
    expect(scan.heads[0]).toMatchObject({ status: 200, complete: false, contentLength: -1 });
  });

  it('within a chunk are passed over, and the chunks after it are followed', () => {
    const rest = '\r\n0\r\n\r\n';
    const start = `${CHUNKED}64\r\n`;
    const end = start.length + 100 + rest.length;
    const scan = new Scan(METHODS).feed({ captured: start, length: start.length + 100 }, rest, OK);
    expect(scan.close().extents).toEqual([`0..${end}`, `${end}..${end + OK.length}`]);
  });

  it.each([
    ['beyond a chunk', `${CHUNKED}5\r\n`, 50],
    ['in a chunk size', `${CHUNKED}5`, 50],
    ['in a trailer', `${CHUNKED}0\r\nTrailer: x`, 50],
  ])('%s leave the end open until a message begins', (_what, captured, more) => {
    const length = captured.length + more;
    const scan = new Scan(METHODS).feed({ captured, length }, 'not a start', OK).close();
    const end = length + 'not a start'.length;
    expect(scan.extents).toEqual([`0..~${end}`, `${end}..${end + OK.length}`]);
  });

  it('are no message by themselves', () => {
    const scan = new Scan().feed({ captured: '', length: 100 }, GET).close();
    expect(scan.extents).toEqual([`100..${100 + GET.length}`]);
  });

  it('never make more captured than passed', () => {
    const scan = new Scan().feed({ captured: `${GET}${GET}`, length: GET.length }, GET).close();
    expect(scan.extents).toEqual([`0..${GET.length}`, `${GET.length}..${2 * GET.length}`]);
  });
});

describe('bytes that are missing', () => {
  it('between messages only move the position', () => {
    const scan = new Scan().feed(GET, { missing: 10 }, GET).close();
    expect(scan.extents).toEqual(['0..28', '38..66']);
  });

  it('in a body leave its end open until a message begins', () => {
    const scan = new Scan(METHODS).feed(`${HEAD_OF_100}abc`, { missing: 20 }, 'tail', OK).close();
    const end = HEAD_OF_100.length + 27;
    expect(scan.extents).toEqual([`0..~${end}`, `${end}..${end + OK.length}`]);
  });

  it('in a head end it, as incomplete', () => {
    const scan = new Scan().feed('GET /a HTTP/1.1\r\nHo', { missing: 5 }, GET).close();
    expect(scan.heads.map(({ complete }) => complete)).toEqual([false, true]);
    expect(scan.extents).toEqual(['0..~24', '24..52']);
  });

  it('of a close-delimited body change nothing', () => {
    const scan = new Scan(['GET']).feed('HTTP/1.1 200 OK\r\n\r\n', { missing: 5 }, OK).close();
    expect(scan.extents).toEqual([`0..~${24 + OK.length}`]);
  });

  it('right after a first byte that may begin a message leave nothing behind', () => {
    const scan = new Scan().feed('G', { missing: 30 }, GET).close();
    expect([scan.extents, scan.handler.abandoned]).toEqual([['31..59'], 1]);
  });
});
