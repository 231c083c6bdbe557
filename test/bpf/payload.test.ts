// What is kept of the bytes: heads up to the snap length, from every kind of call, and nothing else.
import { afterEach, expect, it } from 'vitest';
import { EventFlag, EventKind } from '../../src/model/event.js';
import type { CaptureOptions } from '../../src/recorder/source.js';
import {
  describeLive,
  type Endpoint,
  endpoints,
  expectSameStream,
  freePort,
  ofKind,
  runProgram,
  settle,
  startRecording,
  stopPrograms,
} from './live.js';

/**
 * A Python process that talks to itself: `client` and `server` are the two ends of a connection to `port`.
 */
async function recordTalk(talk: string, options: Partial<CaptureOptions> = {}) {
  const port = await freePort();
  const recording = startRecording({ ports: [port], ...options });
  await runProgram('python3', [
    '-c',
    `
import os, socket, ctypes
listener = socket.create_server(('127.0.0.1', ${port}))
client = socket.create_connection(('127.0.0.1', ${port}))
server, _ = listener.accept()
client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
${talk}`,
  ]);
  await settle();
  const events = await recording.finish();
  const pair = endpoints(events, port)[0];
  return { client: pair?.client, server: pair?.server, stats: recording.source.stats() };
}

function calls(end: Endpoint | undefined, kind: number) {
  return ofKind(end, kind).map(({ bytes, payload, flags }) => ({ bytes, payload, flags }));
}

const HEAD = 'GET /abc HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n';
const HEAD_TEXT = HEAD.replaceAll('\\r\\n', '\r\n');

describeLive('payload', () => {
  afterEach(stopPrograms);

  it.each([
    ['send', `client.send(b'${HEAD}')`],
    ['write', `os.write(client.fileno(), b'${HEAD}')`],
    ['sendmsg', `client.sendmsg([b'${HEAD.slice(0, 9)}', b'', b'${HEAD.slice(9)}'])`],
    [
      'writev',
      `os.writev(client.fileno(), [b'G', b'E', b'${HEAD.slice(2, 9)}', b'${HEAD.slice(9)}'])`,
    ],
  ])('keeps a head sent by %s', async (_, call) => {
    const { client, server } = await recordTalk(`${call}\nserver.recv(4096)`);
    const expected = [{ bytes: HEAD_TEXT.length, payload: HEAD_TEXT, flags: EventFlag.head }];
    expect(calls(client, EventKind.send)).toEqual(expected);
    expect(calls(server, EventKind.receive).slice(0, 1)).toEqual(expected);
    expectSameStream(client, server);
  });

  it.each([
    ['recv_into', 'server.recv_into(bytearray(4096))'],
    ['read', 'os.read(server.fileno(), 4096)'],
    ['recvmsg', 'server.recvmsg(4096)'],
    ['readv', 'os.readv(server.fileno(), [bytearray(2), bytearray(3), bytearray(4000)])'],
  ])('keeps a head received by %s', async (_, call) => {
    const { server } = await recordTalk(`client.send(b'${HEAD}')\n${call}`);
    expect(calls(server, EventKind.receive)[0]).toEqual({
      bytes: HEAD_TEXT.length,
      payload: HEAD_TEXT,
      flags: EventFlag.head,
    });
  });

  it('joins a head that is read one byte ahead', async () => {
    const { server } = await recordTalk(`
client.send(b'${HEAD}')
server.recv(1)
server.recv(4096)
server.send(b'HTTP/1.1 204 No Content\\r\\n\\r\\n')
client.recv(4096)
client.send(b'${HEAD}')
server.recv(1)
server.recv(4096)`);
    const one = { bytes: 1, payload: 'G', flags: EventFlag.head };
    const rest = { bytes: HEAD_TEXT.length - 1, payload: HEAD_TEXT.slice(1), flags: 0 };
    expect(calls(server, EventKind.receive).slice(0, 4)).toEqual([one, rest, one, rest]);
  });

  it('keeps a head that is written line by line, and not the body behind it', async () => {
    const { client } = await recordTalk(`
for line in (b'POST /p HTTP/1.1\\r\\n', b'Content-Length: 3\\r\\n', b'\\r\\n', b'abc'): client.send(line)
while not server.recv(4096).endswith(b'abc'): pass`);
    expect(calls(client, EventKind.send).map((call) => call.payload)).toEqual([
      'POST /p HTTP/1.1\r\n',
      'Content-Length: 3\r\n',
      '\r\n',
      '',
    ]);
  });

  it('cuts at the snap length and says so', async () => {
    const talk = `
client.send(b'GET / HTTP/1.1\\r\\nX: ' + b'y' * 5000)
while len(server.recv(65536)) == 65536: pass`;
    const small = await recordTalk(talk, { snaplen: 64 });
    const [cut] = calls(small.client, EventKind.send);
    expect(cut).toMatchObject({ bytes: 5019, flags: EventFlag.head | EventFlag.truncated });
    expect(cut!.payload).toHaveLength(64);
    const large = await recordTalk(talk, { snaplen: 4096 });
    expect(calls(large.client, EventKind.send)[0]!.payload).toHaveLength(4096);
    const none = await recordTalk(talk, { snaplen: 0 });
    expect(calls(none.client, EventKind.send)[0]).toMatchObject({
      payload: '',
      bytes: 5019,
      flags: EventFlag.head | EventFlag.truncated,
    });
  });

  it('keeps nothing of what is not HTTP', async () => {
    const { client, server } = await recordTalk(`
client.send(b'Query secret')
server.recv(4096)
server.send(b'POSTGRES')
client.recv(4096)`);
    for (const call of [...calls(client, EventKind.send), ...calls(client, EventKind.receive)]) {
      expect(call).toMatchObject({ payload: '', flags: EventFlag.opaque | EventFlag.turn });
    }
    expectSameStream(client, server);
  });

  it('forgets a beginning that did not become a head', async () => {
    const { client } = await recordTalk(`
client.send(b'P')
server.recv(1)
client.send(b'ING')
server.recv(3)
client.send(b'P')
server.recv(1)
client.send(b'${HEAD}')
server.recv(4096)`);
    expect(calls(client, EventKind.send).map((call) => call.payload)).toEqual([
      'P',
      '',
      'P',
      HEAD_TEXT,
    ]);
  });

  it('marks peeked bytes and counts them once', async () => {
    const { client, server } = await recordTalk(`
client.send(b'${HEAD}')
server.recv(4096, socket.MSG_PEEK)
server.recv(4096)`);
    const [peeked, taken] = ofKind(server, EventKind.receive);
    expect(peeked!.flags & EventFlag.peek).toBeTruthy();
    expect(peeked!.sequence).toBe(taken!.sequence);
    expect(taken).toMatchObject({ payload: HEAD_TEXT, flags: EventFlag.head });
    expectSameStream(client, server);
  });

  it('follows sendfile without looking for payload', async () => {
    const { client, server, stats } = await recordTalk(`
server.send(b'HTTP/1.1 200 OK\\r\\nContent-Length: 9\\r\\n\\r\\n')
memory = os.memfd_create('body')
os.write(memory, b'GET body!')
os.sendfile(server.fileno(), memory, 0, 9)
while not client.recv(4096).endswith(b'GET body!'): pass`);
    expectSameStream(server, client);
    expect(calls(server, EventKind.send)[1]).toEqual({ bytes: 9, payload: '', flags: 0 });
    expect(stats.dropped['payload-unreadable']).toBe(0);
  });
});
