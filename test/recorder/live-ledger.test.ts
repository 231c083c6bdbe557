// The ledger and the budget of a real recorder, read back from what it wrote.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  type BudgetDetail,
  EventKind,
  type HeartbeatDetail,
  LossCause,
} from '../../src/model/event.js';
import { describeLive, freePort, runProgram } from '../bpf/live.js';
import { runCli } from '../cli/run-cli.js';
import { useTemporaryDirectories } from '../store/temporary.js';
import { useLiveRecorders } from './live-recorder.js';
import { ofKind, readAllRows, type StoredRow } from './read-rows.js';

const temporaryDirectory = useTemporaryDirectories();
const start = useLiveRecorders();

/** Heads that fill any ring, as fast as they can be sent. */
const FLOOD = (port: number, rounds: number) => `
import socket
listener = socket.create_server(('127.0.0.1', ${port}))
client = socket.create_connection(('127.0.0.1', ${port}))
server, _ = listener.accept()
message = b'GET /' + b'y' * 4000
for _ in range(${rounds}):
    client.sendall(message)
    left = len(message)
    while left: left -= len(server.recv(left))
`;

/** One connection after the other, a request and a response on each, for some seconds. */
const CONNECTIONS = (port: number, seconds: number) => `
import socket, time
listener = socket.create_server(('127.0.0.1', ${port}), backlog=512)
end = time.time() + ${seconds}
n = 0
while time.time() < end:
    client = socket.create_connection(('127.0.0.1', ${port}))
    server, _ = listener.accept()
    client.sendall(b'GET /item/%d HTTP/1.1\\r\\nHost: shop\\r\\n\\r\\n' % n)
    server.recv(1000)
    server.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok')
    client.recv(1000)
    client.close()
    server.close()
    n += 1
print(n)
`;

function heartbeats(rows: readonly StoredRow[]): HeartbeatDetail[] {
  return ofKind(rows, EventKind.heartbeat).map(({ detail }) => JSON.parse(detail));
}

function budgetRows(rows: readonly StoredRow[]) {
  return ofKind(rows, EventKind.budget).map(({ name, timeNs, detail }) => ({
    name,
    timeNs,
    ...(JSON.parse(detail) as BudgetDetail),
  }));
}

describeLive('the ledger of a recording', () => {
  test('what the kernel made is stored or accounted for, exactly, when the ring overflows', async () => {
    const directory = temporaryDirectory();
    const port = await freePort();
    const args = ['--ring-size', '64KiB', '--snaplen', '4096', '--hints', 'none'];
    const { child, result } = await start.recorder(directory, port, args);
    await runProgram('python3', ['-c', FLOOD(port, 5000)]);
    await sleep(1500);
    child.kill('SIGTERM');
    const { stderr } = await result;
    const rows = await readAllRows(directory);
    const last = heartbeats(rows).at(-1)!;
    const stored = rows.filter(({ kind }) => kind < EventKind.process).length - last.repeated;
    const lost = Object.values(last.lost).reduce((sum, count) => sum + count, 0);
    expect(last.produced).toBeGreaterThan(10_000);
    expect(last.lost[LossCause.ringFull]).toBeGreaterThan(0);
    expect(stored).toBe(last.stored);
    expect(stored + lost).toBe(last.produced);
    // The same in the rows of the ledger, and in the line that the operator sees.
    const ringFull = ofKind(rows, EventKind.loss).filter(({ name }) => name === LossCause.ringFull);
    const sum = ringFull.reduce((total, { count }) => total + Number(count), 0);
    expect(sum).toBe(last.lost[LossCause.ringFull]);
    expect(stderr).toContain(`LOST ring-full ${sum.toLocaleString('en-US')}`);
    // What is missing of the connection's streams shows as holes, with their bytes.
    const gaps = ofKind(rows, EventKind.loss).filter(({ name }) => name === LossCause.sequenceGap);
    expect(gaps.length).toBeGreaterThan(0);
    for (const { connection, detail } of gaps) {
      expect(connection).toBeGreaterThan(0n);
      expect(JSON.parse(detail).bytes).toBeGreaterThanOrEqual(4005);
    }
  });

  test('a budget steps down in a flood and up after it; the log, the reconstruction and the report tell', async () => {
    const directory = temporaryDirectory();
    const port = await freePort();
    const limit = 150;
    const args = ['--max-events', `${limit}/s`, '--hints', 'none'];
    const { child, result } = await start.recorder(directory, port, args);
    const flood = spawn('python3', ['-c', CONNECTIONS(port, 20)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(flood, 'exit');
    const floodEndNs = BigInt(Date.now()) * 1_000_000n;
    await sleep(24_000);
    child.kill('SIGTERM');
    await result;
    const rows = await readAllRows(directory);
    const steps = budgetRows(rows);
    expect(steps.length).toBeGreaterThan(1);
    expect(steps[0]!.reason).toMatch(/events\/s, limit 150$/);
    const deepest = Math.max(...steps.map(({ level }) => level));
    expect(deepest).toBeGreaterThanOrEqual(3);
    expect(steps.at(-1)!.level).toBeLessThan(deepest);
    // Bounded: the last seconds of the flood.
    const from = floodEndNs - 6_000_000_000n;
    const late = rows.filter(
      ({ kind, timeNs }) => kind < EventKind.process && timeNs > from && timeNs < floodEndNs,
    );
    expect(late.length / 6).toBeLessThan(2 * limit);
    const left = ofKind(rows, EventKind.loss).filter(({ name }) => name === LossCause.budgetSample);
    expect(left.length).toBeGreaterThan(0);

    const inspected = await runCli(['inspect', directory]);
    expect(inspected.stderr).toContain(`the budget stepped to ${steps[0]!.name}`);
    const out = temporaryDirectory();
    const reconstructed = await runCli(['reconstruct', directory, '--out', out, '--json']);
    const { budget, counts } = JSON.parse(reconstructed.stdout);
    expect(budget.length).toBeGreaterThan(0);
    expect(counts.hops).toBeGreaterThan(20);
    // Neither what the sample left out nor what a step cut is missed.
    expect(counts.unmatched).toBe(0);
    const report = await runCli(['report', out, '--markdown', '-']);
    expect(report.stdout).toContain('only a sample at times');
  }, 180_000);
});
