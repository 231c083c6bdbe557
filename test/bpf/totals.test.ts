// Bulk costs few records, and no byte is lost or told twice: bodies are summed, heads are not.
import { afterEach, expect, it } from 'vitest';
import { EventFlag, EventKind } from '../../src/model/event.js';
import {
  describeLive,
  endpoints,
  expectSameStream,
  freePort,
  type LiveEvent,
  ofKind,
  runProgram,
  settle,
  startRecording,
  stopPrograms,
} from './live.js';

/** A Python process that talks to itself over TCP; `own` names its thread. */
async function recordTalk(talk: string) {
  const port = await freePort();
  const recording = startRecording({ ports: [port] });
  await runProgram('python3', [
    '-c',
    `
import os, socket, threading, random, time
listener = socket.create_server(('127.0.0.1', ${port}))
client = socket.create_connection(('127.0.0.1', ${port}))
server, _ = listener.accept()
def take(end, count):
    while count > 0: count -= len(end.recv(min(count, 65536)))
${talk}`,
  ]);
  await settle();
  const pair = endpoints(await recording.finish(), port)[0]!;
  return { client: pair.client, server: pair.server! };
}

const HEAD = "b'HTTP/1.1 200 OK\\r\\nContent-Length: 4000000\\r\\n\\r\\n'";
const moved = (calls: readonly LiveEvent[]) => calls.filter((call) => call.bytes > 0);

describeLive('totals', () => {
  afterEach(stopPrograms);

  it('tells a body of a thousand writes as one record, with the time and thread of the last', async () => {
    const { client, server } = await recordTalk(`
client.send(b'GET / HTTP/1.1\\r\\n\\r\\n'); take(server, 18)
reader = threading.Thread(target=take, args=(client, ${4_000_000} + 44))
reader.start()
server.sendall(${HEAD})
for _ in range(1000): server.sendall(b'x' * 4000)
reader.join()
client.send(b'GET / HTTP/1.1\\r\\n\\r\\n'); take(server, 18)`);
    const sent = moved(ofKind(server, EventKind.send));
    const received = moved(ofKind(client, EventKind.receive));
    expect(sent[0]!.flags & EventFlag.head).toBeTruthy();
    // More than one only where a second passed.
    expect(sent.length).toBeLessThan(30);
    expect(received.length).toBeLessThan(40);
    expect(sent.at(-1)!.flags & EventFlag.total).toBeTruthy();
    expect(sent.at(-1)!.timeNs).toBeGreaterThan(sent[0]!.timeNs);
    expectSameStream(server, client);
    expectSameStream(client, server);
  });

  it('tells every byte once, however reads and writes fall', async () => {
    const { client, server } = await recordTalk(`
random.seed(7)
for _ in range(200):
    for end, other in ((client, server), (server, client)):
        pieces = [random.choice((b'GET / HTTP/1.1\\r\\n\\r\\n', b'HTTP/1.1 200 OK\\r\\n\\r\\n', b'x' * random.randint(1, 3000))) for _ in range(random.randint(1, 5))]
        for piece in pieces: end.sendall(piece)
        left = sum(map(len, pieces))
        while left > 0: left -= len(other.recv(random.randint(1, left)))`);
    expectSameStream(client, server);
    expectSameStream(server, client);
  });

  it('tells what a silent connection held back, within seconds', async () => {
    const { server } = await recordTalk(`
server.send(b'HTTP/1.1 200 OK\\r\\nContent-Length: 9\\r\\n\\r\\n'); server.send(b'123456789')
take(client, 47)
time.sleep(7)
os._exit(0)`);
    expect(moved(ofKind(server, EventKind.send)).map((call) => call.bytes)).toEqual([38, 9]);
  });

  it('tells bytes that were spliced away as bytes moved', async () => {
    const { client, server } = await recordTalk(`
client.send(b'GET / HTTP/1.1\\r\\n\\r\\n'); take(server, 18)
client.sendall(b'y' * 300)
time.sleep(0.1)
out, into = os.pipe()
assert os.splice(server.fileno(), into, 300) == 300
client.sendall(b'GET /b HTTP/1.1\\r\\n\\r\\n'); take(server, 19)`);
    expectSameStream(client, server);
    const received = moved(ofKind(server, EventKind.receive));
    expect(received.map(({ bytes }) => bytes)).toEqual([18, 300, 19]);
    expect(received[1]!.flags & EventFlag.total).toBeTruthy();
  });
});
