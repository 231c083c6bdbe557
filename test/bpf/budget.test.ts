// What the kernel programs leave out to keep the budget, and that it is exactly what was asked.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { EventFlag, EventKind } from '../../src/model/event.js';
import { SAMPLE_ALL, sampleKey } from '../../src/model/sample.js';
import type { Throttle } from '../../src/recorder/source.js';
import {
  describeLive,
  freePort,
  type LiveEvent,
  runProgram,
  settle,
  startRecording,
} from './live.js';

const FULL: Throttle = { headLimit: 4096, sampleLimit: SAMPLE_ALL };

/** Its connections are those of another process: the recorder's own traffic is not seen. */
const MANY = (host: string, family: string, port: number, count: number) => `
import socket
listener = socket.create_server(('${host}', ${port}), family=socket.${family}, backlog=512)
for _ in range(${count}):
    client = socket.create_connection(('${host}', ${port}))
    server, _ = listener.accept()
    client.sendall(b'GET / HTTP/1.1\\r\\n\\r\\n')
    server.recv(100)
    client.close()
    server.close()
`;

function keyOf(event: LiveEvent): number {
  return sampleKey(event.localAddress, event.localPort, event.remoteAddress, event.remotePort);
}

function byConnection(events: readonly LiveEvent[]): LiveEvent[][] {
  const groups = new Map<bigint, LiveEvent[]>();
  for (const event of events) {
    if (event.connection === 0n) continue;
    const group = groups.get(event.connection);
    if (group === undefined) groups.set(event.connection, [event]);
    else group.push(event);
  }
  return [...groups.values()];
}

describeLive('the budget in the kernel', () => {
  it.each([
    ['127.0.0.1', 'AF_INET'],
    ['::1', 'AF_INET6'],
  ])(
    'keeps whole hops of %s below the limit of the sample, and nothing else',
    async (host, family) => {
      const port = await freePort();
      const recording = startRecording({ ports: [port] });
      const sampleLimit = Math.floor(SAMPLE_ALL / 2);
      recording.source.throttle({ ...FULL, sampleLimit });
      await runProgram('python3', ['-c', MANY(host, family, port, 200)]);
      await settle();
      const events = await recording.finish();
      const connections = byConnection(events);
      const described = connections.map((group) =>
        group.find(({ kind }) => kind === EventKind.connection),
      );
      // Two ends of about a hundred of two hundred; each end with its connect() or accept side, I/O and close.
      expect(connections.length).toBeGreaterThan(120);
      expect(connections.length).toBeLessThan(280);
      expect(connections.length % 2).toBe(0);
      for (const [i, group] of connections.entries()) {
        expect(described[i], JSON.stringify(group.map(({ kind }) => kind))).toBeDefined();
        expect(keyOf(described[i]!)).toBeLessThan(sampleLimit);
        expect(group.at(-1)?.kind).toBe(EventKind.close);
      }
      // Every client's connect() is told, before its I/O, on the thread that called it.
      const connects = events.filter(({ kind }) => kind === EventKind.connect);
      expect(connects).toHaveLength(connections.length / 2);
      for (const { tid, pid, localPort } of connects) {
        expect(tid).toBe(pid);
        expect(localPort).toBeGreaterThan(0);
      }
      const { dropped, produced } = recording.source.stats();
      // One call in, one out, one end of stream and the rest of each connection that was left out.
      expect(dropped['budget-sample']).toBeGreaterThan(200 - connections.length / 2);
      expect(produced).toBe(events.length);
      expect(recording.source.takeGaps()).toEqual([]);
    },
  );

  it('cuts the heads of healthy messages short, and keeps those of failures whole', async () => {
    const port = await freePort();
    const recording = startRecording({ ports: [port] });
    recording.source.throttle({ ...FULL, headLimit: 64 });
    const server = `
import socket
listener = socket.create_server(('127.0.0.1', ${port}))
client = socket.create_connection(('127.0.0.1', ${port}))
server, _ = listener.accept()
filler = b'x-filler: ' + b'y' * 200 + b'\\r\\n\\r\\n'
for status in (b'200 OK', b'404 Not Found', b'503 Service Unavailable'):
    client.sendall(b'GET /item HTTP/1.1\\r\\n' + filler)
    server.recv(4096)
    server.sendall(b'HTTP/1.1 ' + status + b'\\r\\n' + filler)
    client.recv(4096)
`;
    await runProgram('python3', ['-c', server]);
    await settle();
    const events = await recording.finish();
    const sent = events.filter(({ kind, bytes }) => kind === EventKind.send && bytes > 0);
    const kept = sent.map(({ payload, flags }) => [
      payload.slice(0, 12),
      payload.length,
      (flags & EventFlag.truncated) !== 0,
    ]);
    expect(kept).toEqual([
      ['GET /item HT', 64, true],
      ['HTTP/1.1 200', 64, true],
      ['GET /item HT', 64, true],
      ['HTTP/1.1 404', 238, false],
      ['GET /item HT', 64, true],
      ['HTTP/1.1 503', 248, false],
    ]);
    // Sent and received: four heads each.
    expect(recording.source.stats().dropped['snap-length']).toBe(8);
  });

  it('takes a connection up again that it left out, described anew and without a hole', async () => {
    const port = await freePort();
    const recording = startRecording({ ports: [port] });
    const program = `
import socket, sys
listener = socket.create_server(('127.0.0.1', ${port}))
client = socket.create_connection(('127.0.0.1', ${port}))
server, _ = listener.accept()
for turn in sys.stdin:
    client.sendall(b'GET /' + turn.strip().encode() + b' HTTP/1.1\\r\\n\\r\\n')
    server.recv(100)
    print(turn.strip(), flush=True)
`;
    const child = spawn('python3', ['-c', program], { stdio: ['pipe', 'pipe', 'inherit'] });
    const turn = async (name: string) => {
      child.stdin.write(`${name}\n`);
      await once(child.stdout, 'data');
    };
    await turn('before');
    recording.source.throttle({ ...FULL, sampleLimit: 1 });
    await turn('between');
    recording.source.throttle(FULL);
    await turn('after');
    child.stdin.end();
    await once(child, 'exit');
    await settle();
    const events = await recording.finish();
    const heads = events.filter(({ payload }) => payload !== '');
    expect(heads.map(({ payload }) => payload.split(' ')[1])).toEqual([
      '/before',
      '/before',
      '/after',
      '/after',
    ]);
    const described = events.filter(({ kind }) => kind === EventKind.connection);
    expect(described).toHaveLength(4);
    expect(recording.source.takeGaps()).toEqual([]);
    expect(recording.source.stats().dropped['budget-sample']).toBeGreaterThanOrEqual(2);
  });
});
