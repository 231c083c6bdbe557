// Calls that languages rarely make: vectors with flags, several messages at once, part of what was offered, io_uring.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { EventFlag, EventKind } from '../../src/model/event.js';
import { CAPTURES, type Capture } from '../../src/model/segment.js';
import {
  describeLive,
  type Endpoint,
  endpoints,
  expectSameStream,
  freePort,
  ofKind,
  runProgram,
  settle,
  startLines,
  startRecording,
  stopPrograms,
} from './live.js';

const { send, receive } = EventKind;

describeLive('calls', () => {
  let directory = '';
  let program = '';
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'aftertrace-test-'));
    program = join(directory, 'calls');
    const source = join(import.meta.dirname, 'programs/calls.c');
    await runProgram('clang', ['-O1', '-o', program, source]);
  });
  afterEach(stopPrograms);
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  async function recordCalls(kind: string, capture: Capture) {
    const port = await freePort();
    const recording = startRecording({ ports: [port], capture });
    await runProgram(program, [String(port), kind]);
    await settle();
    const { client, server } = endpoints(await recording.finish(), port)[0]!;
    return { client, server: server!, stats: recording.source.stats() };
  }

  const moved = (end: Endpoint, kind: number) => ofKind(end, kind).filter(({ bytes }) => bytes > 0);

  /** Heads of the one exchange, at all four places. */
  function expectHeads(client: Endpoint, server: Endpoint, kind: string) {
    for (const calls of [moved(client, send), moved(server, receive)])
      expect(startLines(calls)).toEqual([`GET /${kind} HTTP/1.1`]);
    for (const calls of [moved(server, send), moved(client, receive)])
      expect(startLines(calls)).toEqual(['HTTP/1.1 200 OK']);
    expectSameStream(client, server);
    expectSameStream(server, client);
  }

  it.each(CAPTURES)('keeps heads in vectors (%s)', async (capture) => {
    const { client, server, stats } = await recordCalls('vectors', capture);
    expectHeads(client, server, 'vectors');
    expect(stats.dropped['payload-unreadable']).toBe(0);
  });

  it.each(CAPTURES)(
    'tells each message of one call, the first with its head (%s)',
    async (capture) => {
      const { client, server, stats } = await recordCalls('messages', capture);
      expectHeads(client, server, 'messages');
      expect(stats.dropped['payload-unreadable']).toBe(0);
      // The head, then the bodies, whose calls are summed.
      const head = moved(client, send)[0]!;
      expect(head.payload).toHaveLength(head.bytes);
      const bodies = moved(client, send).slice(1);
      expect(bodies.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(16);
      expect(bodies[0]!.flags & EventFlag.total).toBeTruthy();
    },
  );

  it('says which call hid the payload where counts of messages are not cleared', async () => {
    const { client, server, stats } = await recordCalls('messages-again', 'socket');
    expectSameStream(client, server);
    expect(moved(client, send)[0]!.flags & EventFlag.unreadable).toBeTruthy();
    expect(stats.unreadableCalls).toEqual({ recvmmsg: 2, sendmmsg: 3 });
    // Seen when the call is over, every message is known.
    const late = await recordCalls('messages-again', 'syscall');
    expectHeads(late.client, late.server, 'messages-again');
  });

  it.each(CAPTURES)('counts what a call took, not what it was offered (%s)', async (capture) => {
    const { client, server } = await recordCalls('partial', capture);
    expectHeads(client, server, 'partial');
    const [first] = moved(client, send);
    expect(first!.bytes).toBeLessThan(8 << 20);
    const peeked = ofKind(server, receive).find(({ flags }) => flags & EventFlag.peek)!;
    expect(peeked).toMatchObject({ bytes: 5, sequence: first!.sequence });
  });

  it.each([
    ['uring', 'io_uring_enter'],
    ['uring-worker', 'no system call'],
  ])('tells who moved how much by io_uring, and why not what (%s)', async (kind, call) => {
    const { client, server, stats } = await recordCalls(kind, 'socket');
    expectSameStream(client, server);
    expectSameStream(server, client);
    const [sent] = moved(client, send);
    expect(sent!.flags & EventFlag.unreadable).toBeTruthy();
    expect(sent!.pid).toBe(client.described.pid);
    expect(moved(client, receive)[0]!.flags & EventFlag.unreadable).toBeTruthy();
    expect(stats.unreadableCalls).toEqual({ [call]: 2 });
    // The other end uses system calls.
    expect(startLines(moved(server, receive))[0]).toBe(`GET /${kind} HTTP/1.1`);
  });

  it('knows of io_uring what its bytes amount to where only system calls are seen', async () => {
    const { client, server } = await recordCalls('uring', 'syscall');
    expectSameStream(client, server);
    expectSameStream(server, client);
    const [unseen, seen] = moved(client, send);
    expect(unseen!.flags & EventFlag.total).toBeTruthy();
    expect(unseen!.bytes).toBe(seen!.bytes);
  });
});
