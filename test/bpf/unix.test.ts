// Unix stream sockets and DNS datagrams: connections without addresses or sequence numbers of their own.
import { afterEach, expect, it } from 'vitest';
import { EventFlag, EventKind } from '../../src/model/event.js';
import { CAPTURES } from '../../src/model/segment.js';
import {
  describeLive,
  type LiveEvent,
  runProgram,
  startProgram,
  startRecording,
  stopPrograms,
} from './live.js';

const { send, receive, connection } = EventKind;

/** What a Python process named aftertrace-unix did. */
async function recordPython(program: string): Promise<LiveEvent[]> {
  const recording = startRecording({ names: ['aftertrace-unix'] });
  await runProgram('python3', [
    '-c',
    `
import os, socket, time
open('/proc/self/comm', 'w').write('aftertrace-unix')
${program}`,
  ]);
  return recording.finish();
}

describeLive('sockets without TCP', () => {
  afterEach(stopPrograms);

  it('describes both ends of a Unix connection and counts their bytes', async () => {
    const events = await recordPython(`
listener = socket.socket(socket.AF_UNIX); listener.bind('\\0aftertrace-%d' % os.getpid()); listener.listen()
client = socket.socket(socket.AF_UNIX); client.connect(listener.getsockname())
server, _ = listener.accept()
client.sendall(b'GET /u HTTP/1.1\\r\\n\\r\\n'); server.recv(1); server.recv(4096)
server.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n'); server.sendall(b'ok'); client.recv(4096)
client.sendall(b'GET /v HTTP/1.1\\r\\n\\r\\n'); server.recv(4096)`);
    const described = events.filter((event) => event.kind === connection);
    expect(described).toHaveLength(2);
    const client = described.find(({ flags }) => flags & EventFlag.active)!;
    const server = described.find(({ flags }) => flags & EventFlag.passive)!;
    expect(client.localAddress).toBe('unix:');
    expect(client.remoteAddress).toMatch(/^unix:@aftertrace-\d+$/);
    expect(server.localAddress).toBe(client.remoteAddress);
    const calls = (end: LiveEvent, kind: number) =>
      events
        .filter((event) => event.connection === end.connection && event.kind === kind)
        .filter(({ bytes }) => bytes > 0)
        .map(({ sequence, bytes, payload }) => [sequence, bytes, payload.slice(0, 6)]);
    expect(calls(client, send)).toEqual([
      [0, 19, 'GET /u'],
      [19, 19, 'GET /v'],
    ]);
    expect(calls(server, receive)).toEqual([
      [0, 1, 'G'],
      [1, 18, 'ET /u '],
      [19, 19, 'GET /v'],
    ]);
    expect(calls(server, send)).toEqual([
      [0, 38, 'HTTP/1'],
      [38, 2, ''],
    ]);
  });

  it.each(CAPTURES)('follows a connection that was open before (%s)', async (capture) => {
    const talker = await startProgram('python3', [
      '-c',
      `
import os, socket, sys
open('/proc/self/comm', 'w').write('aftertrace-unix')
listener = socket.socket(socket.AF_UNIX); listener.bind('\\0aftertrace-%d' % os.getpid()); listener.listen()
client = socket.socket(socket.AF_UNIX); client.connect(listener.getsockname())
server, _ = listener.accept()
def ask(path):
    client.sendall(b'GET %s HTTP/1.1\\r\\n\\r\\n' % path); server.recv(4096)
    server.sendall(b'HTTP/1.1 204 No Content\\r\\n\\r\\n'); client.recv(4096)
    print('asked', flush=True)
ask(b'/before')
for line in sys.stdin: ask(line.strip().encode())`,
    ]);
    const recording = startRecording({ names: ['aftertrace-unix'], capture });
    const answered = new Promise((resolve) => talker.stdout!.once('data', resolve));
    talker.stdin!.write('/after\n');
    await answered;
    const events = await recording.finish();
    // The program has other Unix sockets too: its standard streams.
    const ends = events.filter(
      ({ kind, localAddress, remoteAddress }) =>
        kind === connection && `${localAddress} ${remoteAddress}`.includes('@aftertrace-'),
    );
    expect(ends).toHaveLength(2);
    for (const { flags } of ends) expect(flags & EventFlag.snapshot).toBeTruthy();
    expect(ends.map(({ peer }) => peer)).toEqual(ends.map((end) => end.connection).reverse());
    const client = ends.find(({ flags }) => flags & EventFlag.active)!;
    const calls = events.filter(
      ({ kind, connection: id }) =>
        (kind === send || kind === receive) && ends.some((end) => end.connection === id),
    );
    const told = calls.map((call) => [
      call.connection === client.connection ? 'client' : 'server',
      call.kind === send ? 'sent' : 'got',
      call.sequence,
      call.payload.split('\r\n', 1)[0],
    ]);
    expect(told).toEqual([
      ['client', 'sent', 0, 'GET /after HTTP/1.1'],
      ['server', 'got', 0, 'GET /after HTTP/1.1'],
      ['server', 'sent', 0, 'HTTP/1.1 204 No Content'],
      ['client', 'got', 0, 'HTTP/1.1 204 No Content'],
    ]);
  });

  it('names a question to a name server, and drops its bytes', async () => {
    const events = await recordPython(`
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); server.bind(('127.0.0.53', 0))
query = b'\\0\\7\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\7example\\3com\\0\\0\\1\\0\\1'
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.connect(('127.0.0.53', 53))
try: client.send(query)
except OSError: pass`);
    const sent = events.filter((event) => event.kind === send);
    expect(sent.map(({ name, payload, bytes }) => [name, payload, bytes])).toEqual([
      ['dns A example.com', '', 29],
    ]);
    const described = events.find((event) => event.kind === connection)!;
    expect(described.flags & EventFlag.datagram).toBeTruthy();
    expect([described.remoteAddress, described.remotePort]).toEqual(['127.0.0.53', 53]);
  });

  it('stops recording turns of a Unix socket whose protocol it does not know', async () => {
    const events = await recordPython(`
left, right = socket.socketpair()
for _ in range(400):
    left.send(b'\\x99chatter'); right.recv(100); right.send(b'\\x98answer'); left.recv(100)
    time.sleep(0.005)`);
    const calls = events.filter((event) => event.kind === send || event.kind === receive);
    expect(calls.length).toBeLessThan(1200);
    const bytes = calls
      .filter((event) => event.kind === send)
      .reduce((sum, call) => sum + call.bytes, 0);
    expect(bytes).toBe(400 * 15);
    for (const call of calls) expect(call.payload).toBe('');
  });
});
