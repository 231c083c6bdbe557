import { describe, expect, it } from 'vitest';
import { recognizeStart } from '../../src/http1/start-line.js';
import { bytesOf } from './scan.js';

const METHODS = ['GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'PATCH', 'OPTIONS', 'CONNECT', 'TRACE'];

describe('recognizeStart', () => {
  it.each(METHODS)('knows a %s request, whole and by every prefix', (method) => {
    const start = `${method} `;
    expect(recognizeStart(bytesOf(`${start}/ HTTP/1.1`))).toEqual({
      kind: 'request',
      partial: false,
    });
    for (let length = 1; length < start.length; length++) {
      const prefix = bytesOf(start.slice(0, length));
      expect(recognizeStart(prefix)).toMatchObject({ kind: 'request', partial: true });
    }
  });

  it('knows responses of HTTP/1 only', () => {
    const kindOf = (text: string) => recognizeStart(bytesOf(text));
    expect(kindOf('HTTP/1.1 200 OK')).toEqual({ kind: 'response', partial: false });
    expect(kindOf('HTTP/1.')).toEqual({ kind: 'response', partial: false });
    expect(kindOf('HTTP/')).toEqual({ kind: 'response', partial: true });
    expect(kindOf('HTTP/2 200')).toBeUndefined();
  });

  it.each(['', 'get / HTTP/1.1', 'GETX / HTTP/1.1', ' GET /', 'PRI * HTTP/2.0', '\x16\x03\x01'])(
    'takes %j for no start of a message',
    (text) => {
      expect(recognizeStart(bytesOf(text))).toBeUndefined();
    },
  );

  it('looks at the given range only', () => {
    const bytes = bytesOf('xxGET / HTTP/1.1');
    expect(recognizeStart(bytes, 2)).toEqual({ kind: 'request', partial: false });
    expect(recognizeStart(bytes, 2, 4)).toEqual({ kind: 'request', partial: true });
    expect(recognizeStart(bytes, 2, 2)).toBeUndefined();
    expect(recognizeStart(bytes, 99)).toBeUndefined();
  });
});
