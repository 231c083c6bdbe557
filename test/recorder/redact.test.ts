import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Batch } from '../../src/model/batch.js';
import { marksIn } from '../../src/model/secret-mark.js';
import { Redactor } from '../../src/recorder/redact.js';
import { maskCommandLine, redactionPolicy } from '../../src/recorder/redaction-policy.js';
import { SipHash } from '../../src/recorder/sip-hash.js';
import {
  capture,
  cutAt,
  received,
  sent,
  type Transfer,
} from '../reconstruct/decode/conversation.js';

const TEXT = new TextDecoder('latin1');

function redact(batch: Batch, policy = redactionPolicy()): string {
  new Redactor(policy).apply(batch);
  return TEXT.decode(batch.payload.data);
}

function redactSent(text: string): string {
  return redact(capture([sent(text)], { snaplen: 4096 }));
}

const SECRET = 'hunter2SECRETvalue';

/** Every place a secret may stand in, as a request or response head. */
const CORPUS: readonly string[] = [
  `GET / HTTP/1.1\r\nAuthorization: Bearer ${SECRET}\r\n\r\n`,
  `GET / HTTP/1.1\r\nhost: a\r\nAUTHORIZATION:${SECRET}\r\nx: y\r\n\r\n`,
  `GET / HTTP/1.1\r\nProxy-Authorization: Basic ${SECRET}\r\n\r\n`,
  `GET / HTTP/1.1\r\nCookie: a=1; session=${SECRET}\r\n\r\n`,
  `HTTP/1.1 200 OK\r\nSet-Cookie: id=${SECRET}; Path=/\r\nContent-Length: 0\r\n\r\n`,
  `GET / HTTP/1.1\r\nX-Api-Key: ${SECRET}\r\n\r\n`,
  `GET / HTTP/1.1\r\nMy-Password-Header: ${SECRET}\r\n\r\n`,
  `GET / HTTP/1.1\r\nAuthorization: Bearer\r\n ${SECRET}\r\n\r\n`,
  `GET /a?access_token=${SECRET}&x=1 HTTP/1.1\r\n\r\n`,
  `GET /a?x=1&token=${SECRET} HTTP/1.1\r\n\r\n`,
  `GET /a?x=1;password=${SECRET} HTTP/1.1\r\n\r\n`,
  `GET /a?TOKEN=${SECRET} HTTP/1.1\r\n\r\n`,
  `GET /a?%74oken=${SECRET} HTTP/1.1\r\n\r\n`,
  `GET /a?token=x?${SECRET} HTTP/1.1\r\n\r\n`,
  `GET /a?X-Amz-Signature=${SECRET} HTTP/1.1\r\n\r\n`,
  `GET http://user:${SECRET}@example.org/ HTTP/1.1\r\n\r\n`,
  `GET / HTTP/1.1\r\nReferer: https://u:${SECRET}@x.org/p\r\n\r\n`,
  `GET / HTTP/1.1\r\nReferer: https://x.org/p?sid=${SECRET}\r\n\r\n`,
  `HTTP/1.1 302 Found\r\nLocation: /cb#access_token=${SECRET}\r\nContent-Length: 0\r\n\r\n`,
  `POST /login HTTP/1.1\r\nContent-Length: 40\r\n\r\nuser=a&pass=${SECRET}&and=some-more-x`,
  `POST /login HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n${SECRET}${SECRET.slice(0, 14)}\r\n0\r\n\r\n`,
  `HTTP/1.1 200 OK\r\n\r\n{"secret":"${SECRET}"}`,
];

const KEY = Uint8Array.from({ length: 16 }, (_, i) => i);

describe('Redactor', () => {
  it.each(CORPUS.map((text) => [text]))('masks the secret in %j', (text) => {
    expect(redactSent(text)).not.toContain(SECRET);
  });

  it('keeps lengths, and everything that is no secret', () => {
    const text = `GET /cart/7?user=9&token=abc HTTP/1.1\r\nHost: shop\r\nCookie: a=b\r\ntraceparent: 00-1-2-01\r\n\r\n`;
    const masked = redactSent(text);
    expect(masked).toHaveLength(text.length);
    expect(masked).toBe(
      'GET /cart/7?user=9&token=*** HTTP/1.1\r\nHost: shop\r\nCookie: ***\r\ntraceparent: 00-1-2-01\r\n\r\n',
    );
  });

  it('masks what the user names as well', () => {
    const text = `GET /?colour=${SECRET} HTTP/1.1\r\nX-Patient: ${SECRET}\r\n\r\n`;
    const policy = redactionPolicy(['X-Patient'], ['colour']);
    expect(redact(capture([sent(text)], { snaplen: 4096 }), policy)).not.toContain(SECRET);
  });

  it('still sees the second of two pipelined requests', () => {
    const two = `POST /a HTTP/1.1\r\nContent-Length: 4\r\n\r\nbodyGET /b?key=${SECRET} HTTP/1.1\r\n\r\n`;
    const masked = redactSent(two);
    expect(masked).toContain('GET /b?key=*');
    expect(masked).not.toContain(SECRET);
    expect(masked).not.toContain('body');
  });

  it('sees the response after one to HEAD, whose length announced no bytes', () => {
    const transfers = [
      sent('HEAD / HTTP/1.1\r\n\r\n'),
      received('HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n'),
      sent('GET / HTTP/1.1\r\n\r\n'),
      received('HTTP/1.1 404 Gone\r\nContent-Length: 0\r\n\r\n'),
    ];
    expect(redact(capture(transfers, { snaplen: 4096 }))).toContain('HTTP/1.1 404 Gone');
  });

  it('masks the rest of a line whose middle was lost', () => {
    const batch = capture(
      [sent('GET / HTTP/1.1\r\nAuthorization: '), sent('lost'), sent(`${SECRET}\r\n\r\n`)],
      { snaplen: 4096 },
    );
    const redactor = new Redactor(redactionPolicy());
    // The second record never arrives: its row is skipped as a lost one would be.
    const lossy: Batch = { ...batch, kind: batch.kind.map((kind, row) => (row === 2 ? 0 : kind)) };
    redactor.apply(lossy);
    expect(TEXT.decode(batch.payload.data)).not.toContain(SECRET);
  });

  it('lets no secret through, wherever the bytes are cut', () => {
    const messages = fc.array(fc.constantFrom(...CORPUS.slice(0, -1)), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(
        messages,
        fc.array(fc.nat(400), { maxLength: 8 }),
        fc.constantFrom(32, 200, 4096),
        fc.constantFrom(undefined, KEY),
        (texts, places, snaplen, key) => {
          const transfers: Transfer[] = texts.flatMap((text) =>
            cutAt(text, places).map((part) => sent(part)),
          );
          const batch = capture(transfers, { snaplen });
          const masked = redact(batch, redactionPolicy([], [], key));
          // A cut may leave pieces of the secret: none of five bytes or more may survive.
          for (let at = 0; at + 5 <= SECRET.length; at++) {
            expect(masked).not.toContain(SECRET.slice(at, at + 5));
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('never throws on any bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 10 }), (parts) => {
        const batch = capture(
          parts.map((bytes) => ({ ...sent(''), bytes })),
          { snaplen: 4096 },
        );
        expect(() => redact(batch)).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });
});

describe('marks of secrets', () => {
  const marked = (text: string, key = KEY, cuts: readonly number[] = []): string => {
    const transfers = cutAt(text, cuts).map((part) => sent(part));
    return redact(capture(transfers, { snaplen: 4096 }), redactionPolicy([], [], key));
  };
  const marksOf = (masked: string) =>
    masked.split(/\r\n|[:=?&]| HTTP/).flatMap((value) => marksIn(value.trim()));

  it('are equal for equal secrets, wherever they stand, and no others', () => {
    const heads = [
      `GET / HTTP/1.1\r\nAuthorization: Bearer ${SECRET}\r\n\r\n`,
      `GET / HTTP/1.1\r\nCookie: theme=dark; sid=${SECRET};lang=en\r\n\r\n`,
      `GET / HTTP/1.1\r\nX-Api-Key: ${SECRET}\r\n\r\n`,
      `GET /a?x=1&token=${SECRET}&y=2 HTTP/1.1\r\n\r\n`,
      `HTTP/1.1 200 OK\r\nSet-Cookie: id=${SECRET}; Path=/\r\n\r\n`,
    ];
    const marks = heads.map((head) => marksOf(marked(head)));
    expect(new Set(marks.flat()).size).toBe(1);
    expect(marks.every((found) => found.length === 1)).toBe(true);
    expect(marksOf(marked(heads[0]!.replace(SECRET, `${SECRET}2`)))).not.toEqual(marks[0]);
  });

  it('keep lengths, and all but the marks masked', () => {
    const text = `GET /a?token=${SECRET} HTTP/1.1\r\nCookie: a=1; s=${SECRET}\r\nHost: shop\r\n\r\n`;
    const masked = marked(text);
    expect(masked.replaceAll(/(?<=\*)[\w-]{8}(?=[\s*])/g, '*'.repeat(8))).toBe(redactSent(text));
  });

  it('depend on the key, and on every byte', () => {
    const text = `GET / HTTP/1.1\r\nAuthorization: ${SECRET}\r\n\r\n`;
    const others = KEY.map((byte) => byte ^ 1);
    expect(marked(text, others)).not.toBe(marked(text));
    const changes = [...SECRET].map((_, at) => {
      const changed = [...SECRET].map((letter, i) => (i === at ? '.' : letter)).join('');
      return marksOf(marked(text.replace(SECRET, changed)))[0];
    });
    expect(new Set([...changes, marksOf(marked(text))[0]]).size).toBe(SECRET.length + 1);
  });

  it('are the same wherever a secret is cut, or absent', () => {
    const text = `GET / HTTP/1.1\r\nCookie: a=1; sid=${SECRET}; b=2\r\nHost: a\r\n\r\n`;
    const [whole] = marksOf(marked(text));
    const found = Array.from({ length: text.length - 1 }, (_, i) =>
      marksOf(marked(text, KEY, [i + 1])),
    );
    expect(new Set(found.flat())).toEqual(new Set([whole]));
    // Only where fewer bytes of its end than a mark needs are in one record.
    expect(found.filter((marks) => marks.length === 0)).toHaveLength(9);
  });

  it('are not made of secrets too short for them, or whose beginning was lost', () => {
    expect(marksOf(marked('GET / HTTP/1.1\r\nX-Auth: 12345678\r\n\r\n'))).toEqual([]);
    const batch = capture(
      [sent('GET / HTTP/1.1\r\nX-Auth: ab'), sent('c'), sent(`${SECRET}\r\n\r\n`)],
      {
        snaplen: 4096,
      },
    );
    const lossy: Batch = { ...batch, kind: batch.kind.map((kind, row) => (row === 2 ? 0 : kind)) };
    expect(marksOf(redact(lossy, redactionPolicy([], [], KEY)))).toEqual([]);
  });

  it('are SipHash-2-4', () => {
    // The example in the paper's appendix A: key 00..0f, input 00..0e.
    const hash = new SipHash(KEY);
    for (let byte = 0; byte < 15; byte++) hash.add(byte);
    expect(hash.finish()).toBe(0xa129ca6149be45e5n);
  });
});

describe('maskCommandLine', () => {
  it.each([
    [['app', '--password', SECRET]],
    [['app', `--db-password=${SECRET}`]],
    [['app', `API_KEY=${SECRET}`]],
    [['app', `postgres://user:${SECRET}@db/x`]],
    [['curl', '-H', `Authorization: Bearer ${SECRET}`]],
    [['app', '--auth-token', SECRET, 'x']],
  ])('masks %j', (args) => {
    expect(maskCommandLine(args).join(' ')).not.toContain(SECRET);
  });

  it('leaves the rest alone', () => {
    const args = ['node', '--max-old-space-size=64', 'shop.js', '8080', '--keyboard', 'de'];
    expect(maskCommandLine(args)).toEqual(args);
  });
});
