// Nothing is lost without being counted.
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import type { CaptureOptions } from '../../src/recorder/source.js';
import {
  describeLive,
  endpoints,
  freePort,
  type LiveEvent,
  runProgram,
  settle,
  startRecording,
} from './live.js';

/** The shortest head there is: every one is a record. */
const SMALL = 'GET ';
/** A head as long as may be kept: fills any ring quickly. */
const LARGE = `GET /${'y'.repeat(4000)}`;

/**
 * A process named aftertrace-ping that talks to itself: one round, a pause in which the ring is emptied,
 * `rounds` rounds without any, the pause again, one last round. A round is one send and one receive.
 */
const PING = (port: number, rounds: number, message: string) => `
import socket, time
open('/proc/self/comm', 'w').write('aftertrace-ping')
listener = socket.create_server(('127.0.0.1', ${port}))
client = socket.create_connection(('127.0.0.1', ${port}))
server, _ = listener.accept()
client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
message = b'${message}'
def round():
    client.sendall(message)
    assert len(server.recv(8192)) == len(message)
round()
time.sleep(0.1)
for _ in range(${rounds}): round()
time.sleep(0.1)
round()
client.close()
server.close()`;

/** Only what the process does under its new name is recorded: no other record can be lost. */
function recordPings(options: Partial<CaptureOptions>) {
  return startRecording({ names: ['aftertrace-ping'], ...options });
}

function moved(events: readonly LiveEvent[], port: number): number {
  const { client, server } = endpoints(events, port)[0]!;
  return [...client.events, ...server!.events].filter((event) => event.bytes > 0).length;
}

describeLive('losses', () => {
  it('delivers a burst of 100 000 records whole', async () => {
    const port = await freePort();
    const recording = recordPings({ ringBytes: 16 << 20 });
    await runProgram('python3', ['-c', PING(port, 50_000, SMALL)]);
    await settle();
    const events = await recording.finish();
    expect(moved(events, port)).toBe(100_004);
    const stats = recording.source.stats();
    expect(stats.events).toBe(events.length);
    for (const count of Object.values(stats.dropped)) expect(count).toBe(0);
  });

  it('counts exactly what a full ring refuses', async () => {
    const port = await freePort();
    const recording = recordPings({ ringBytes: 64 << 10, snaplen: 4096 });
    await runProgram('python3', ['-c', PING(port, 5000, LARGE)]);
    await settle();
    const events = await recording.finish();
    const { dropped } = recording.source.stats();
    expect(dropped['ring-full']).toBeGreaterThan(0);
    expect(moved(events, port) + dropped['ring-full']).toBe(10_004);
  });

  it('leaves in the ring what JavaScript is too slow for, and goes on afterwards', async () => {
    const port = await freePort();
    const recording = recordPings({ ringBytes: 256 << 20, snaplen: 4096 });
    // Nothing in this thread runs meanwhile: 160 MB wait for it.
    spawnSync('python3', ['-c', PING(port, 20_000, LARGE)]);
    const { ringUsedBytes } = recording.source.stats();
    await settle();
    const events = await recording.finish();
    const { dropped } = recording.source.stats();
    expect(ringUsedBytes).toBeGreaterThan(100 << 20);
    expect(dropped['ring-full']).toBe(0);
    expect(moved(events, port)).toBe(40_004);
  });

  it('counts exactly what the ring refuses while JavaScript is too slow', async () => {
    const port = await freePort();
    const recording = recordPings({ ringBytes: 16 << 20, snaplen: 4096 });
    spawnSync('python3', ['-c', PING(port, 20_000, LARGE)]);
    await settle();
    const events = await recording.finish();
    const { dropped } = recording.source.stats();
    expect(dropped['ring-full']).toBeGreaterThan(0);
    const kept = events.filter((event) => event.bytes > 0);
    // Up to ten records of the connection's life may be among the refused ones.
    expect(kept.length + dropped['ring-full']).toBeGreaterThanOrEqual(40_004);
    expect(kept.length + dropped['ring-full']).toBeLessThanOrEqual(40_014);
  });
});
