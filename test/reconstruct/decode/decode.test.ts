import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Batch, EVENT_COLUMNS } from '../../../src/model/batch.js';
import { LossFlag, Role } from '../../../src/model/exchange.js';
import { concatTables, takeRows } from '../../../src/model/tables.js';
import { decodeEvents } from '../../../src/reconstruct/decode/decode.js';
import { joinHops } from '../../../src/reconstruct/decode/hops.js';
import { capture, cutAt, received, sent, type Transfer } from './conversation.js';

function decode(events: Batch) {
  const decoded = decodeEvents(events, 0, 0n, () => 0);
  return { ...decoded, exchanges: decoded.builder.build(() => true) };
}

const GET = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
const SNAP = { snaplen: 512 };

describe('decodeEvents', () => {
  it('reads one exchange at the client', () => {
    const { exchanges } = decode(capture([sent(GET, 10, 7), received(OK, 30, 8)], SNAP));
    expect(exchanges.rows).toBe(1);
    expect(exchanges.role[0]).toBe(Role.client);
    expect([exchanges.method[0], exchanges.target[0], exchanges.status[0]]).toEqual([
      'GET',
      '/a',
      200,
    ]);
    expect([exchanges.request_start[0], exchanges.response_end[0]]).toEqual([10, 30]);
    expect([exchanges.request_start_tid[0], exchanges.response_start_tid[0]]).toEqual([7, 8]);
    expect([exchanges.request_bytes[0], exchanges.response_bytes[0]]).toEqual([
      GET.length,
      OK.length,
    ]);
    expect(exchanges.loss_flags[0]).toBe(0);
  });

  it('keeps the hints of the calls that count', () => {
    const numbered = (events: Batch): Batch => {
      const rows = (from: number) => Uint32Array.from({ length: events.rows }, (_, i) => from + i);
      return {
        ...events,
        goroutine: rows(10),
        caller: rows(20),
        creator: rows(30),
        slice: rows(40),
        lease_tid: rows(50),
        lease_age: rows(60),
      };
    };
    const hintsOf = ({ exchanges: x }: ReturnType<typeof decode>) => ({
      lease: [x.lease_tid[0], x.lease_age[0]],
      goroutines: [x.request_goroutine[0], x.response_goroutine[0]],
      waiting: [x.caller[0], x.creator[0]],
      slices: [x.request_slice[0], x.response_slice[0]],
    });
    // Row 0 describes the connection; each transfer is a row.
    const client = capture([sent(GET), received('HTTP/1.1 '), received(OK.slice(9))], SNAP);
    expect(hintsOf(decode(numbered(client)))).toEqual({
      lease: [51, 61],
      goroutines: [11, 12],
      waiting: [21, 31],
      slices: [41, 42],
    });
    // Go's server reads the first byte in the background, on another goroutine.
    const server = capture([received('G'), received(GET.slice(1)), sent(OK)], SNAP);
    expect(hintsOf(decode(numbered(server)))).toEqual({
      lease: [0, 0],
      goroutines: [12, 13],
      // The creator is that of the asyncio task that answers.
      waiting: [0, 33],
      slices: [42, 43],
    });
  });

  it('joins a head split over reads, one byte first', () => {
    const { exchanges } = decode(
      capture(
        [received('G'), received('ET /go HTTP/1.1\r\nHo'), received('st: y\r\n\r\n'), sent(OK)],
        SNAP,
      ),
    );
    expect(exchanges.rows).toBe(1);
    expect(exchanges.role[0]).toBe(Role.server);
    expect([exchanges.target[0], exchanges.authority[0]]).toEqual(['/go', 'y']);
  });

  it('pairs pipelined requests first in, first out', () => {
    const two = GET + GET.replace('/a', '/b');
    const answers = OK + OK.replace('200 OK', '404 No');
    const { exchanges } = decode(capture([sent(two), received(answers)], SNAP));
    expect(exchanges.target).toEqual(['/a', '/b']);
    expect([...exchanges.status]).toEqual([200, 404]);
  });

  it('knows that HEAD, 204 and 304 have no body, and 1xx is not the answer', () => {
    const events = capture(
      [
        sent(GET.replace('GET', 'HEAD')),
        received('HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n'),
        sent(GET),
        received('HTTP/1.1 304 Not Modified\r\nContent-Length: 999\r\n\r\n'),
        sent('POST /p HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n'),
        received('HTTP/1.1 100 Continue\r\n\r\n'),
        sent('abc'),
        received('HTTP/1.1 204 No Content\r\n\r\n'),
        sent(GET),
        received(OK),
      ],
      SNAP,
    );
    const { exchanges } = decode(events);
    expect([...exchanges.status]).toEqual([200, 304, 204, 200]);
    expect(exchanges.method).toEqual(['HEAD', 'GET', 'POST', 'GET']);
    expect(exchanges.request_bytes[2]).toBe(62 - 4 + 0 + exchanges.request_bytes[2]! - 58);
  });

  it('follows chunked and close-delimited bodies that were not captured', () => {
    const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
    const events = capture(
      [
        sent(GET),
        received(chunked),
        received(`400\r\n${'x'.repeat(1024)}\r\n`),
        received('0\r\n\r\n'),
        sent(GET),
        received('HTTP/1.0 200 OK\r\n\r\n'),
        received('until the end'),
      ],
      { snaplen: 64 },
    );
    const { exchanges } = decode(events);
    expect([...exchanges.status]).toEqual([200, 200]);
    expect(exchanges.response_end[0]).toBe(4000);
    expect(exchanges.response_bytes[1]).toBe('HTTP/1.0 200 OK\r\n\r\nuntil the end'.length);
  });

  it('says so when no response was recorded, and when the connection broke', () => {
    const { exchanges } = decode(capture([sent(GET)], { ...SNAP, closeError: 104 }));
    expect(exchanges.status[0]).toBe(0);
    expect(exchanges.loss_flags[0]! & LossFlag.responseUnseen).not.toBe(0);
    expect(exchanges.loss_flags[0]! & LossFlag.reset).not.toBe(0);
    expect(exchanges.response_start[0]).toBeNaN();
  });

  it('does not give a response to the wrong request when one was lost', () => {
    const all = capture(
      [
        sent(GET),
        received(OK),
        sent(GET.replace('/a', '/b')),
        received(OK.replace('200 OK', '500 No')),
      ],
      SNAP,
    );
    const lost = takeRows(EVENT_COLUMNS, all, Uint32Array.from([0, 1, 3, 4, 5]));
    const { exchanges } = decode(lost);
    expect(exchanges.target).toEqual(['/a', '/b']);
    expect([...exchanges.status]).toEqual([0, 500]);
  });

  it('begins in the middle of an exchange', () => {
    const { exchanges } = decode(
      capture([received(OK), sent(GET), received(OK.replace('200 OK', '201 No'))], SNAP),
    );
    expect([...exchanges.status]).toEqual([200, 201]);
    expect(exchanges.target).toEqual(['', '/a']);
    expect(exchanges.loss_flags[0]! & LossFlag.startUnseen).not.toBe(0);
  });

  it('keeps an upgraded connection as one exchange', () => {
    const { exchanges } = decode(
      capture(
        [
          sent('GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'),
          received('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n'),
          sent('GET /not HTTP/1.1\r\n\r\n'),
          received('frames'),
        ],
        SNAP,
      ),
    );
    expect(exchanges.status[0]).toBe(101);
    expect(exchanges.response_end[0]).toBe(4000);
  });

  it('counts what is not HTTP as opaque', () => {
    const { exchanges, opaqueConnections, connections } = decode(
      capture([sent('*1\r\n$4\r\nPING\r\n'), received('+PONG\r\n')], SNAP),
    );
    expect([exchanges.rows, connections, opaqueConnections]).toEqual([0, 1, 1]);
  });

  it('survives wrapped sequence numbers and records out of order', () => {
    const wrap = { ...SNAP, sendFrom: 2 ** 32 - 10, receiveFrom: 2 ** 32 - 20 };
    const inOrder = capture([sent(GET.slice(0, 12)), sent(GET.slice(12)), received(OK)], wrap);
    const swapped = takeRows(EVENT_COLUMNS, inOrder, Uint32Array.from([0, 2, 1, 3, 4]));
    // The kernel captures by arrival; here both halves were captured in full.
    for (const events of [inOrder, swapped]) {
      const { exchanges } = decode(events);
      expect([exchanges.target[0], exchanges.status[0]]).toEqual(['/a', 200]);
    }
  });
});

describe('joinHops', () => {
  const ports = { localPort: 40000, remotePort: 8080 };
  const client = () =>
    capture([sent(GET), received(OK), sent(GET), received(OK)], {
      ...SNAP,
      ...ports,
      connection: 1n,
    });
  const serverTransfers = [received(GET), sent(OK), received(GET), sent(OK)];
  const positions = { sendFrom: 5000, receiveFrom: 1000, connection: 2n };

  it('joins both ends by 4-tuple and sequence number', () => {
    const server = capture(serverTransfers, {
      ...SNAP,
      ...positions,
      localPort: 8080,
      remotePort: 40000,
    });
    const { exchanges } = decode(concatTables(EVENT_COLUMNS, [client(), server]));
    const hops = joinHops(exchanges);
    expect([...hops.client].map((row) => exchanges.order[row])).toEqual([0, 1]);
    expect([...hops.server].map((row) => exchanges.order[row])).toEqual([0, 1]);
  });

  it('joins through address translation', () => {
    const server = capture(serverTransfers, {
      ...SNAP,
      ...positions,
      localPort: 9999,
      remotePort: 123,
    });
    const { exchanges } = decode(concatTables(EVENT_COLUMNS, [client(), server]));
    expect(joinHops(exchanges).client).toHaveLength(2);
  });

  it('does not join other positions of the same connection', () => {
    const server = capture(serverTransfers, {
      ...SNAP,
      ...positions,
      receiveFrom: 77_000,
      sendFrom: 99_000,
      localPort: 8080,
      remotePort: 40000,
    });
    const { exchanges } = decode(concatTables(EVENT_COLUMNS, [client(), server]));
    expect(joinHops(exchanges).client).toHaveLength(0);
  });
});

const body = fc.string({
  maxLength: 300,
  unit: fc.constantFrom('a', 'Z', ' ', '\r', '\n', '0', ':'),
});
const exchange = fc.record({
  path: fc.stringMatching(/^\/[a-z0-9]{1,12}$/),
  request: body,
  response: body,
  chunked: fc.boolean(),
  status: fc.constantFrom(200, 201, 404, 500),
});

function render(item: {
  path: string;
  request: string;
  response: string;
  chunked: boolean;
  status: number;
}): [string, string] {
  const request = `POST ${item.path} HTTP/1.1\r\nHost: h\r\nContent-Length: ${item.request.length}\r\n\r\n${item.request}`;
  const framed = item.chunked
    ? `Transfer-Encoding: chunked\r\n\r\n${item.response === '' ? '' : `${item.response.length.toString(16)}\r\n${item.response}\r\n`}0\r\n\r\n`
    : `Content-Length: ${item.response.length}\r\n\r\n${item.response}`;
  return [request, `HTTP/1.1 ${item.status} X\r\n${framed}`];
}

describe('decodeEvents, for any conversation', () => {
  it('finds the same exchanges wherever the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(exchange, { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat(900), { maxLength: 6 }),
        (items, places) => {
          const transfers: Transfer[] = items.flatMap((item) => {
            const [request, response] = render(item);
            return [
              ...cutAt(request, places).map((part) => sent(part)),
              ...cutAt(response, places).map((part) => received(part)),
            ];
          });
          const { exchanges } = decode(capture(transfers, { snaplen: 4096 }));
          expect(exchanges.target).toEqual(items.map(({ path }) => path));
          expect([...exchanges.status]).toEqual(items.map(({ status }) => status));
          expect([...exchanges.loss_flags]).toEqual(items.map(() => 0));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('never throws and never mixes requests up when records are lost', () => {
    fc.assert(
      fc.property(
        fc.array(exchange, { minLength: 2, maxLength: 8 }),
        fc.array(fc.nat(40), { maxLength: 5 }),
        (items, drops) => {
          const numbered = items.map((item, i) => ({ ...item, path: `/n${i}`, status: 200 + i }));
          const all = capture(
            numbered.flatMap((item) => {
              const [request, response] = render(item);
              return [sent(request), received(response)];
            }),
            { snaplen: 256 },
          );
          const kept = Uint32Array.from(
            Array.from({ length: all.rows }, (_, row) => row).filter(
              (row) => row === 0 || !drops.includes(row),
            ),
          );
          const { exchanges } = decode(takeRows(EVENT_COLUMNS, all, kept));
          for (let row = 0; row < exchanges.rows; row++) {
            const target = exchanges.target[row]!;
            const status = exchanges.status[row]!;
            if (target !== '' && status !== 0) expect(status).toBe(200 + Number(target.slice(2)));
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('never throws on any bytes', () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc
        .constantFrom(
          GET,
          OK,
          'HTTP/1.1 ',
          'GET ',
          'Transfer-Encoding: chunked\r\n\r\n',
          'ffffffffffffffff\r\n',
        )
        .map((text) => new TextEncoder().encode(text)),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), piece), { maxLength: 20 }), (pieces) => {
        const transfers = pieces.map(([isSend, bytes]) => ({
          ...(isSend ? sent('') : received('')),
          bytes,
        }));
        expect(() => decode(capture(transfers, SNAP))).not.toThrow();
      }),
      { numRuns: 1000 },
    );
  });
});
