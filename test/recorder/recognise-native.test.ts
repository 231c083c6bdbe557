// What the first bytes of a turn are called: protocol and operation, and never what was said with it.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recogniseNatively } from '../../src/recorder/native-source.js';

const bytes = (...parts: (string | readonly number[] | Buffer)[]) =>
  Buffer.concat(
    parts.map((part) =>
      typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part),
    ),
  );
const big32 = (value: number) => [
  value >>> 24,
  (value >>> 16) & 255,
  (value >>> 8) & 255,
  value & 255,
];
const big16 = (value: number) => [value >>> 8, value & 255];
const little32 = (value: number) => big32(value).reverse();

function name(data: Buffer, known = '', moved = data.length): string {
  return recogniseNatively(data, moved, known);
}

const query = (sql: string) => bytes('Q', big32(sql.length + 5), sql, [0]);
const command = (code: number, text: string) => bytes([text.length + 1, 0, 0, 0, code], text);
const question = (id: number, host: string, type: number) =>
  bytes(
    big16(id),
    [1, 0, 0, 1, 0, 0, 0, 0, 0, 0],
    ...host.split('.').flatMap((label) => [[label.length], label]),
    [0],
    big16(type),
    [0, 1],
  );
const produce = (topic: string) => {
  const body = bytes(
    big16(0),
    big16(7),
    big32(5),
    big16(2),
    'c1',
    big16(0xffff),
    big16(1),
    big32(30),
    big32(1),
    big16(topic.length),
    topic,
    'value-secret',
  );
  return bytes(big32(body.length), body);
};
const mongo = (verb: string, collection: string) => {
  const document = bytes([2], verb, [0], little32(collection.length + 1), collection, [0, 0]);
  const rest = bytes(little32(0), [0], little32(document.length + 4), document);
  return bytes(little32(rest.length + 16), little32(7), little32(0), little32(2013), rest);
};

describe('recogniser', () => {
  it.each([
    ['redis GET', bytes('*2\r\n$3\r\nget\r\n$9\r\nsecretkey\r\n')],
    ['redis SET', bytes('*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$6\r\nsecret\r\n')],
    ['redis AUTH', bytes('*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n')],
    ['postgresql SELECT', query("select secret from users where password = 'secret'")],
    ['postgresql INSERT', query('/* secret */ -- secret\n  insert into secret values (1)')],
    ['postgresql STARTUP', bytes(big32(23), big32(196608), 'user\0secret\0\0\0\0')],
    ['postgresql SSL', bytes(big32(8), big32(80877103))],
    ['postgresql UPDATE', bytes('P', big32(30), 's1\0', 'update secret set x=1\0', [0, 0])],
    ['mysql DELETE', command(3, 'delete from secret')],
    ['mongodb find', mongo('find', 'secret')],
    ['kafka Produce orders.v1', produce('orders.v1')],
    ['memcached get', bytes('get secret\r\n')],
    ['dns A example.com', bytes(big16(29), question(7, 'example.com', 1))],
    ['fastcgi', bytes([1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0])],
    ['tls', bytes([0x16, 3, 1, 2, 0, 1])],
    ['ssh', bytes('SSH-2.0-OpenSSH\r\n')],
    ['http2', bytes('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')],
    ['amqp', bytes('AMQP', [0, 0, 9, 1])],
    ['dbus', bytes([0], 'AUTH EXTERNAL 30\r\n')],
    ['x11', bytes('l', [0, 11, 0, 0, 0, 18, 0, 16, 0, 0, 0])],
  ])('calls it %s', (expected, data) => {
    expect(name(data)).toBe(expected);
  });

  it('names what only the connection so far explains', () => {
    expect(name(bytes('B', big32(40), 'secret'), 'postgresql')).toBe('postgresql EXECUTE');
    expect(name(bytes('p', big32(11), 'secret\0'), 'postgresql')).toBe('postgresql PASSWORD');
    expect(name(bytes('p', big32(11), 'secret\0'))).toBe('');
    expect(name(command(0x17, '\u0001\0\0\0secret'), 'mysql')).toBe('mysql EXECUTE');
    expect(name(bytes('+OK\r\n'), 'redis')).toBe('redis');
    expect(recogniseNatively(question(9, 'a.example.org', 28), 31, '', true)).toBe(
      'dns AAAA a.example.org',
    );
  });

  it('keeps names only where the protocol puts them', () => {
    for (const data of [
      bytes('secret\r\n'),
      bytes('*1\r\n$6\r\nsecret1\r\n'),
      query('secret'),
      bytes('GETsecret'),
      bytes([0xff], 'secret'),
    ]) {
      expect(name(data)).not.toContain('secret');
    }
    // A topic of bytes that no topic has is none.
    expect(name(produce('sec ret'))).toBe('kafka Produce');
  });

  it('reads nothing outside and never fails, whatever the bytes', () => {
    const protocols = [
      '',
      'redis',
      'postgresql',
      'mysql',
      'mongodb',
      'kafka',
      'memcached',
      'dns',
      'fastcgi',
      'tls',
    ];
    const starts = [
      query('select 1'),
      command(3, 'select 1'),
      mongo('find', 'x'),
      produce('t'),
      question(1, 'a.b', 1),
      bytes('*1\r\n$4\r\nPING\r\n'),
    ];
    const mutated = fc
      .tuple(fc.constantFrom(...starts), fc.nat(64), fc.uint8Array({ maxLength: 8 }), fc.nat(128))
      .map(([start, at, noise, cut]) => {
        const copy = Buffer.concat([start]);
        copy.set(noise.subarray(0, Math.max(0, copy.length - at)), Math.min(at, copy.length));
        return copy.subarray(0, cut);
      });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 128 }).map((data) => Buffer.from(data)),
          mutated,
        ),
        fc.nat(1 << 20),
        fc.constantFrom(...protocols),
        fc.boolean(),
        (data, more, known, datagram) => {
          const found = recogniseNatively(data, data.length + more, known, datagram);
          expect(found).toMatch(/^([a-z0-9]+( [ -~]+)?)?$/);
          expect(found.length).toBeLessThan(300);
        },
      ),
      { numRuns: 3000 },
    );
  });
});
