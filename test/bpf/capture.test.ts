// The two ways to see sends and receives, at once, on the same traffic: they tell the same.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { programsOf } from '../../bench/recorder/programs.js';
import { EventFlag, EventKind } from '../../src/model/event.js';
import { CAPTURES, type Capture } from '../../src/model/segment.js';
import type { CaptureOptions } from '../../src/recorder/source.js';
import { NGINX, NODE_SERVER, PYTHON_SERVER } from './http-servers.js';
import {
  describeLive,
  freePort,
  hasTool,
  type LiveEvent,
  runProgram,
  settle,
  startProgram,
  startRecording,
  startServer,
  stopPrograms,
} from './live.js';

/** What both told while `traffic` ran; nothing may be lost. */
async function recordBoth(
  options: Partial<CaptureOptions>,
  traffic: () => Promise<unknown>,
): Promise<Record<Capture, LiveEvent[]>> {
  const recordings = CAPTURES.map((capture) => startRecording({ ...options, capture }));
  await traffic();
  await settle();
  const [socket, syscall] = [await recordings[0]!.finish(), await recordings[1]!.finish()];
  for (const { source } of recordings) {
    const lost = Object.entries(source.stats().dropped).filter(([, count]) => count > 0);
    expect(lost).toEqual([]);
  }
  return { socket, syscall };
}

/** Of one direction: every byte with what was kept of it, however it was cut into records. */
function streamOf(events: readonly LiveEvent[], kind: number) {
  const calls = events.filter((event) => event.kind === kind && event.bytes > 0);
  const heads = calls.filter(({ flags }) => flags & EventFlag.head);
  return {
    first: calls[0]?.sequence,
    bytes: calls.reduce((sum, { bytes }) => sum + bytes, 0),
    heads: heads.map(({ sequence, payload }) => [sequence, payload]),
    turns: calls
      .filter(({ flags }) => flags & EventFlag.turn)
      .map(({ name, bytes }) => [name, bytes]),
    unreadable: calls.some(({ flags }) => flags & EventFlag.unreadable),
  };
}

/** All that was told of each TCP connection, without times. */
function connectionsOf(events: readonly LiveEvent[]) {
  const ids = new Set(events.map(({ connection }) => connection));
  ids.delete(0n);
  return [...ids].sort().map((id) => {
    const own = events.filter(({ connection }) => connection === id);
    const described = own.filter(({ kind }) => kind === EventKind.connection);
    return {
      id,
      described: described.map(({ pid, flags, localPort, remotePort, sequence, peerSequence }) => [
        ...[pid, flags, localPort, remotePort, sequence, peerSequence],
      ]),
      sent: streamOf(own, EventKind.send),
      received: streamOf(own, EventKind.receive),
      ends: own.filter(({ kind, bytes }) => kind === EventKind.receive && bytes === 0).length,
      life: own
        .filter(({ kind }) => kind > EventKind.connection && kind <= EventKind.close)
        .map(({ kind, error }) => [kind, error]),
    };
  });
}

const REQUESTS = 10;

function curl(port: number, ...more: string[]): Promise<string> {
  const urls = Array.from({ length: REQUESTS }, (_, i) => `http://127.0.0.1:${port}/item-${i}`);
  return runProgram('curl', ['-sS', '--noproxy', '*', ...more, ...urls]);
}

describeLive('capture', () => {
  let directory = '';
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'aftertrace-test-'));
  });
  afterEach(stopPrograms);
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it.each([
    ['auto', 'socket', ['on_receive', 'on_send']],
    ['socket', 'socket', ['on_receive', 'on_send']],
    ['syscall', 'syscall', ['on_io']],
  ] as const)('loads for %s only what it needs', async (asked, got, programs) => {
    const recording = startRecording({ capture: asked });
    const names = [...programsOf(process.pid).values()].map(({ name }) => name);
    await recording.finish();
    expect(recording.source.info.capture).toBe(got);
    const ofCalls = names.filter((name) => ['on_io', 'on_receive', 'on_send'].includes(name));
    expect(ofCalls.sort()).toEqual(programs);
  });

  it('tells the same of curl to Node and to Python', async () => {
    const node = await freePort();
    const python = await freePort();
    await startProgram('node', ['-e', NODE_SERVER(node)]);
    await startProgram('python3', ['-c', PYTHON_SERVER(python)]);
    const { socket, syscall } = await recordBoth({ ports: [node, python] }, async () => {
      await curl(node, '-d', 'x'.repeat(100_000));
      await curl(python);
    });
    const told = connectionsOf(syscall);
    expect(told).toEqual(connectionsOf(socket));
    expect(told.filter(({ sent }) => sent.heads.length === REQUESTS).length).toBeGreaterThan(2);
  });

  it.runIf(hasTool('nginx'))('tells the same of nginx before Node', async () => {
    const port = await freePort();
    const upstream = await freePort();
    const config = join(directory, 'nginx.conf');
    writeFileSync(config, NGINX(port, upstream, directory));
    await startProgram('node', ['-e', NODE_SERVER(upstream)]);
    await startServer('nginx', ['-c', config], port);
    const { socket, syscall } = await recordBoth({ ports: [port, upstream] }, () => curl(port));
    const told = connectionsOf(syscall);
    expect(told).toEqual(connectionsOf(socket));
    expect(told).toHaveLength(4);
    for (const { sent } of told) expect(sent.heads).toHaveLength(REQUESTS);
  });

  it('tells the same of a Unix connection, whatever it goes by', async () => {
    const { socket, syscall } = await recordBoth({ names: ['aftertrace-both'] }, () =>
      runProgram('python3', [
        '-c',
        `
import os, socket
open('/proc/self/comm', 'w').write('aftertrace-both')
listener = socket.socket(socket.AF_UNIX); listener.bind('\\0aftertrace-%d' % os.getpid()); listener.listen()
client = socket.socket(socket.AF_UNIX); client.connect(listener.getsockname())
server, _ = listener.accept()
for i in range(5):
    client.sendall(b'GET /%d HTTP/1.1\\r\\n\\r\\n' % i); server.recv(4096)
    server.sendmsg([b'HTTP/1.1 200 OK\\r\\n', b'Content-Length: 2\\r\\n\\r\\nok']); client.recv(4096)
client.close(); server.recv(1)`,
      ]),
    );
    const told = (events: LiveEvent[]) =>
      connectionsOf(events)
        .map(({ id, ...rest }) => JSON.stringify(rest))
        .sort();
    expect(told(syscall)).toEqual(told(socket));
    expect(told(syscall)).toHaveLength(2);
    for (const events of [socket, syscall]) {
      const ends = events.filter(({ kind }) => kind === EventKind.connection);
      // It was accepted when its ends were described: each names the other.
      expect(ends.map(({ peer }) => peer)).toEqual(
        ends.map(({ connection }) => connection).reverse(),
      );
    }
  });
});
