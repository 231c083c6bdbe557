// The life of connections: who connected, what was already open, how it ended, what the filters let through.
import { statSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import { EventFlag, EventKind } from '../../src/model/event.js';
import {
  describeLive,
  endpoints,
  freePort,
  ofKind,
  runProgram,
  settle,
  startProgram,
  startRecording,
  stopPrograms,
} from './live.js';

const ECONNRESET = 104;
const ECONNREFUSED = 111;

const SERVER = (port: number, host = '127.0.0.1') => `
  require('http').createServer((q, r) => r.end('ok'))
    .listen(${port}, '${host}', () => console.log('ready'))`;

/** Connects on one thread, speaks on another; prints the ids of both. */
const TWO_THREADS = (port: number) => `
import socket, threading
ids = []
def connect():
    ids.append(threading.get_native_id())
    global peer
    peer = socket.create_connection(('127.0.0.1', ${port}))
def speak():
    ids.append(threading.get_native_id())
    peer.sendall(b'GET /x HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n')
    while peer.recv(4096): pass
for job in (connect, speak):
    thread = threading.Thread(target=job)
    thread.start()
    thread.join()
print(*ids)`;

describeLive('connections', () => {
  afterEach(stopPrograms);

  it('names the thread that connected and the thread that spoke', async () => {
    const port = await freePort();
    await startProgram('node', ['-e', SERVER(port)]);
    const recording = startRecording({ ports: [port] });
    const printed = await runProgram('python3', ['-c', TWO_THREADS(port)]);
    await settle();
    const events = await recording.finish();
    const [connecting, speaking] = printed.trim().split(' ').map(Number);
    const { client, server } = endpoints(events, port)[0]!;
    const { connect, established, connection, send } = EventKind;
    const kinds = client.events.map((event) => event.kind);
    expect(kinds.slice(0, 4)).toEqual([connect, established, connection, send]);
    expect(ofKind(client, connect)[0]).toMatchObject({
      tid: connecting,
      remotePort: port,
      flags: EventFlag.active,
    });
    expect(ofKind(client, send)[0]!.tid).toBe(speaking);
    expect(client.described.flags).toBe(EventFlag.active);
    expect(server!.described.flags).toBe(EventFlag.passive);
    expect(ofKind(client, established)[0]).toMatchObject({
      sequence: client.described.sequence,
      peerSequence: server!.described.sequence,
    });
  });

  it('tells ends of streams and closes once, at both ends', async () => {
    const port = await freePort();
    await startProgram('node', ['-e', SERVER(port)]);
    const recording = startRecording({ ports: [port] });
    await runProgram('python3', ['-c', TWO_THREADS(port)]);
    await settle();
    const { client, server } = endpoints(await recording.finish(), port)[0]!;
    for (const end of [client, server]) {
      const closes = ofKind(end, EventKind.close);
      expect(closes).toHaveLength(1);
      expect(closes[0]).toMatchObject({
        error: 0,
        localPort: end!.described.localPort,
        remotePort: end!.described.remotePort,
      });
    }
    const ends = ofKind(client, EventKind.receive).filter((event) => event.bytes === 0);
    expect(ends).toHaveLength(1);
    const sent = ofKind(server, EventKind.send).at(-1)!;
    expect(ends[0]!.sequence).toBe((sent.sequence + sent.bytes) >>> 0);
    expect(ofKind(client, EventKind.peerClosed)).toHaveLength(1);
  });

  it('reports refused connections and resets with their error', async () => {
    const port = await freePort();
    const closed = await freePort();
    await startProgram('python3', [
      '-c',
      `
import socket, struct
listener = socket.create_server(('127.0.0.1', ${port}))
print('ready', flush=True)
peer, _ = listener.accept()
peer.recv(100)
peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
peer.close()`,
    ]);
    const recording = startRecording({ ports: [port, closed] });
    await runProgram('python3', [
      '-c',
      `
import socket
try: socket.create_connection(('127.0.0.1', ${closed}))
except ConnectionRefusedError: pass
peer = socket.create_connection(('127.0.0.1', ${port}))
peer.send(b'GET / HTTP/1.1\\r\\n\\r\\n')
try: peer.recv(10)
except ConnectionResetError: pass`,
    ]);
    await settle();
    const events = await recording.finish();
    const closes = events.filter((event) => event.kind === EventKind.close);
    const refused = closes.find((event) => event.remotePort === closed);
    expect(refused).toMatchObject({ error: ECONNREFUSED, flags: EventFlag.active });
    const { client } = endpoints(events, port)[0]!;
    expect(ofKind(client, EventKind.close)[0]).toMatchObject({ error: ECONNRESET });
  });

  it('describes connections that were open before, and follows them', async () => {
    const port = await freePort();
    await startProgram('node', ['-e', SERVER(port)]);
    const client = await startProgram('python3', [
      '-c',
      `
import http.client, sys
connection = http.client.HTTPConnection('127.0.0.1', ${port})
def ask(path):
    connection.request('GET', path)
    connection.getresponse().read()
    print(path, flush=True)
ask('/before')
for line in sys.stdin: ask(line.strip())`,
    ]);
    const recording = startRecording({ ports: [port] });
    const answered = new Promise((resolve) => client.stdout!.once('data', resolve));
    client.stdin!.write('/after\n');
    await answered;
    await settle();
    const events = await recording.finish();
    const pair = endpoints(events, port)[0]!;
    for (const end of [pair.client, pair.server!]) {
      expect(end.described.flags & EventFlag.snapshot).toBeTruthy();
      expect(ofKind(end, EventKind.connection)).toHaveLength(1);
    }
    expect(pair.client.described.pid).toBe(client.pid);
    const sent = ofKind(pair.client, EventKind.send)[0]!;
    expect(sent.payload).toMatch(/^GET \/after HTTP\/1\.1\r\n/);
    expect(sent.sequence).toBe(pair.client.described.sequence);
    expect(ofKind(pair.server, EventKind.receive)[0]!.sequence).toBe(
      pair.server!.described.peerSequence,
    );
  });

  it('writes IPv6 addresses as such and mapped ones as IPv4', async () => {
    const port = await freePort();
    await startProgram('node', ['-e', SERVER(port, '::')]);
    const recording = startRecording({ ports: [port] });
    await runProgram('curl', ['-sS', '-g', '--noproxy', '*', `http://[::1]:${port}/six`]);
    await runProgram('curl', ['-sS', '--noproxy', '*', `http://127.0.0.1:${port}/four`]);
    await settle();
    const [six, four] = endpoints(await recording.finish(), port);
    expect(six!.server!.described).toMatchObject({ localAddress: '::1', remoteAddress: '::1' });
    expect(four!.server!.described).toMatchObject({
      localAddress: '127.0.0.1',
      remoteAddress: '127.0.0.1',
    });
  });

  it('records nothing of other ports', async () => {
    const wanted = await freePort();
    const other = await freePort();
    await startProgram('node', ['-e', SERVER(wanted)]);
    await startProgram('node', ['-e', SERVER(other)]);
    const recording = startRecording({ ports: [wanted] });
    for (const port of [wanted, other]) {
      await runProgram('curl', ['-sS', '--noproxy', '*', `http://127.0.0.1:${port}/`]);
    }
    await settle();
    const events = await recording.finish();
    expect(endpoints(events, wanted)).toHaveLength(1);
    const ports = events
      .filter((event) => event.connection)
      .flatMap((e) => [e.localPort, e.remotePort]);
    expect(ports).toContain(wanted);
    expect(ports).not.toContain(other);
  });

  it('filters by process id, process name and cgroup', async () => {
    const port = await freePort();
    const server = await startProgram('node', ['-e', SERVER(port)]);
    const root = statSync('/sys/fs/cgroup', { bigint: true }).ino;
    const filters = [
      { pids: [server.pid!] },
      { names: ['curl'] },
      { cgroups: [2n ** 60n] },
      { cgroups: [root] },
    ];
    const seen: string[][] = [];
    for (const filter of filters) {
      const recording = startRecording({ ports: [port], ...filter });
      await runProgram('curl', ['-sS', '--noproxy', '*', `http://127.0.0.1:${port}/`]);
      await settle();
      const events = (await recording.finish()).filter((event) => event.bytes > 0);
      seen.push([
        ...new Set(events.map((event) => (event.pid === server.pid ? 'server' : 'client'))),
      ]);
    }
    expect(seen).toEqual([['server'], ['client'], [], ['client', 'server']]);
  });
});
