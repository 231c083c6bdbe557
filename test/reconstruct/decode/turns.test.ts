import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Batch } from '../../../src/model/batch.js';
import { EventFlag, EventKind } from '../../../src/model/event.js';
import { Role } from '../../../src/model/exchange.js';
import { decodeEvents } from '../../../src/reconstruct/decode/decode.js';
import { batchOf, type Row } from '../../../src/recorder/rows.js';

const { turn, opaque, active, passive, total, datagram } = EventFlag;

interface Call {
  readonly send: boolean;
  readonly bytes: number;
  readonly name?: string;
  readonly flags?: number;
}

const ask = (name: string, bytes = 10): Call => ({ send: true, bytes, name, flags: turn });
const answer = (bytes: number, name = ''): Call => ({ send: false, bytes, name, flags: turn });

/** The rows of one connection, each call 10 ns after the one before. */
function connection(calls: readonly Call[], flags: number): Batch {
  const base = { pid: 100, tid: 100, connection: 7n };
  const next = { send: 1000, receive: 2000 };
  const rows: (Row & { bytes?: number })[] = [
    {
      ...base,
      timeNs: 0n,
      kind: EventKind.connection,
      flags,
      localAddress: '127.0.0.1',
      remoteAddress: '127.0.0.2',
      localPort: 1,
      remotePort: 2,
    },
  ];
  for (const [at, call] of calls.entries()) {
    const way = call.send ? 'send' : 'receive';
    rows.push({
      ...base,
      timeNs: BigInt(10 * (at + 1)),
      kind: EventKind[way],
      flags: opaque | (call.flags ?? 0),
      sequence: next[way],
      bytes: call.bytes,
      name: call.name ?? '',
    });
    next[way] += call.bytes;
  }
  return { ...batchOf(rows), bytes: Uint32Array.from(rows, ({ bytes = 0 }) => bytes) };
}

function read(calls: readonly Call[], flags: number = active) {
  const decoded = decodeEvents(connection(calls, flags), 0, 0n, () => 0);
  return { ...decoded, x: decoded.builder.build(() => true) };
}

describe('turns of other protocols', () => {
  it('are exchanges with sizes, times and the operation', () => {
    const { x } = read([
      ask('redis GET', 30),
      answer(12),
      ask('kafka Produce orders'),
      { send: true, bytes: 500, flags: total },
      answer(20),
    ]);
    expect(x.rows).toBe(2);
    expect(x.protocol).toEqual(['redis', 'redis']);
    expect(x.method).toEqual(['GET', 'Produce']);
    expect(x.target).toEqual(['', 'orders']);
    expect([...x.role]).toEqual([Role.client, Role.client]);
    expect([...x.request_bytes]).toEqual([30, 510]);
    expect([...x.response_bytes]).toEqual([12, 20]);
    expect([...x.request_start]).toEqual([10, 30]);
    expect([...x.request_end]).toEqual([10, 40]);
    expect([...x.response_end]).toEqual([20, 50]);
    expect([...x.request_sequence]).toEqual([1000, 1030]);
  });

  it('of a server that greets first begin with the first request', () => {
    const { x } = read([answer(80, 'mysql'), ask('mysql SELECT'), answer(5)]);
    expect(x.rows).toBe(1);
    expect([x.method[0], x.response_bytes[0]]).toEqual(['SELECT', 5]);
  });

  it('at the other end have the role of the server, whoever is known to have connected', () => {
    const mirrored = [
      { ...ask('postgresql SELECT'), send: false },
      { ...answer(9), send: true },
    ];
    expect([...read(mirrored, 0).x.role]).toEqual([Role.server]);
    const unnamed = [
      { ...ask(''), send: false },
      { ...answer(9), send: true },
    ];
    expect([...read(unnamed, passive).x.role]).toEqual([Role.server]);
  });

  it('of an unknown protocol count where the end that connected asks', () => {
    expect(read([ask(''), answer(3), ask(''), answer(4)]).x.protocol).toEqual([
      'unknown',
      'unknown',
    ]);
    expect(read([answer(3), ask('')]).opaqueConnections).toBe(1);
    expect(
      read([
        { send: true, bytes: 9 },
        { send: false, bytes: 9 },
      ]).opaqueConnections,
    ).toBe(1);
  });

  it('do not exist in protocols that take none', () => {
    for (const name of ['tls', 'ssh', 'http2', 'amqp', 'dbus', 'x11']) {
      const { x, opaqueConnections } = read([ask(name), answer(9, name), ask(''), answer(8)]);
      expect([x.rows, opaqueConnections]).toEqual([0, 1]);
    }
  });

  it('of datagrams pair in order though two questions went first', () => {
    const { x } = read(
      [ask('dns A a.b', 20), ask('dns AAAA a.b', 20), answer(40, 'dns'), answer(60, 'dns')],
      active | datagram,
    );
    expect(x.method).toEqual(['A', 'AAAA']);
    expect(x.target).toEqual(['a.b', 'a.b']);
    expect([...x.response_bytes]).toEqual([40, 60]);
  });

  it('never fail, and every exchange holds what its turn moved', () => {
    const call = fc.record({
      send: fc.boolean(),
      bytes: fc.integer({ min: 1, max: 5000 }),
      name: fc.constantFrom('', 'redis', 'redis GET', 'tls', 'x y z'),
      flags: fc.constantFrom(0, turn, total, EventFlag.peek),
    });
    fc.assert(
      fc.property(
        fc.array(call, { maxLength: 30 }),
        fc.constantFrom(0, active, passive),
        (calls, flags) => {
          const { x } = read(calls, flags);
          const moved = calls.reduce((sum, { bytes }) => sum + bytes, 0);
          const counted = [...x.request_bytes, ...x.response_bytes].reduce((sum, n) => sum + n, 0);
          expect(counted).toBeLessThanOrEqual(moved);
        },
      ),
    );
  });
});
