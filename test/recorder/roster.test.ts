import { expect, test } from 'vitest';
import type { ProcessDetail } from '../../src/model/event.js';
import { EventFlag, EventKind } from '../../src/model/event.js';
import { type ProcessFacts, readProcess, wallNowNs } from '../../src/recorder/proc.js';
import { Roster } from '../../src/recorder/roster.js';
import { batchOf, type Row } from '../../src/recorder/rows.js';
import { useTemporaryDirectories } from '../store/temporary.js';
import { startFakeRecording } from './fake-source.js';
import { ofKind, readRows, segmentPaths } from './read-rows.js';

const temporaryDirectory = useTemporaryDirectories();
const DETAIL: ProcessDetail = { executable: '/bin/x', command: ['x'], cgroup: '/', startTicks: 1 };

/** A roster over a /proc of our own, and the pids that were looked up there. */
function rosterOver(names: Record<number, string>) {
  const asked: number[] = [];
  const roster = new Roster((pid): ProcessFacts | undefined => {
    asked.push(pid);
    const name = names[pid];
    if (name === undefined) return undefined;
    return { name, parentPid: 1, detail: DETAIL, runtime: { name: '', version: '' } };
  });
  const see = (...rows: Partial<Row>[]) =>
    roster.observe(batchOf(rows.map((row) => ({ timeNs: 5n, kind: EventKind.send, ...row }))));
  return { roster, see, asked };
}

test('a process is described once, when it is seen for the first time', () => {
  const { see, asked } = rosterOver({ 10: 'shop', 11: 'bank' });
  const fresh = see({ pid: 10 }, { pid: 11, kind: EventKind.receive }, { pid: 10 });
  expect(fresh).toEqual([
    expect.objectContaining({ kind: EventKind.process, pid: 10, tid: 10, name: 'shop', parent: 1 }),
    expect.objectContaining({ kind: EventKind.process, pid: 11, name: 'bank' }),
  ]);
  expect(JSON.parse(fresh[0]?.detail ?? '')).toEqual(DETAIL);
  expect(see({ pid: 10 }, { pid: 11 })).toEqual([]);
  expect(asked).toEqual([10, 11]);
});

test('a process that is gone already is not described, and not looked up for every event', () => {
  const { see, roster, asked } = rosterOver({});
  expect(see({ pid: 10 }, { pid: 12 }, { pid: 10 })).toEqual([]);
  expect(asked).toEqual([10, 12]);
  expect(roster.describeAll(9n)).toEqual([]);
});

test('a process is described again after exec, and after its pid was given to another', () => {
  const names: Record<number, string> = { 10: 'sh' };
  const { see } = rosterOver(names);
  see({ pid: 10 });
  names[10] = 'node';
  expect(see({ pid: 10, kind: EventKind.exec })).toMatchObject([{ pid: 10, name: 'node' }]);
  names[10] = 'other';
  see({ pid: 10, tid: 10, kind: EventKind.exit });
  expect(see({ pid: 10 })).toMatchObject([{ pid: 10, name: 'other' }]);
});

test('the end of one thread does not end the process; exec of an unknown process says nothing', () => {
  const { see } = rosterOver({ 10: 'shop', 20: 'cron' });
  see({ pid: 10 });
  expect(see({ pid: 10, tid: 13, kind: EventKind.exit }, { pid: 10 })).toEqual([]);
  expect(see({ pid: 20, kind: EventKind.exec })).toEqual([]);
  expect(see({ pid: 21, kind: EventKind.fork })).toEqual([]);
});

test('open connections are described again with all they began with, closed ones are not', () => {
  const { see, roster } = rosterOver({ 10: 'shop' });
  const address = { localAddress: '10.0.0.1', remoteAddress: '10.0.0.2' };
  const facts = { pid: 10, tid: 12, localPort: 80, remotePort: 4000, cgroup: 7n, sequence: 99 };
  const kind = EventKind.connection;
  see({ kind, connection: 1n, flags: EventFlag.passive, ...facts, ...address });
  see({ kind, connection: 2n, ...facts, ...address });
  see({ kind: EventKind.close, connection: 2n, pid: 10 });
  expect(roster.openConnections).toBe(1);
  const rows = roster.describeAll(9n);
  expect(rows).toHaveLength(2);
  expect(rows[0]).toMatchObject({ kind: EventKind.process, pid: 10, timeNs: 9n });
  const flags = EventFlag.passive | EventFlag.snapshot;
  expect(rows[1]).toMatchObject({ kind, connection: 1n, flags, timeNs: 9n, ...facts, ...address });
});

test('/proc names this process, its arguments cut and its parent; a pid without process has none', () => {
  const facts = readProcess(process.pid);
  expect(facts).toMatchObject({
    parentPid: process.ppid,
    detail: { executable: process.execPath },
  });
  expect(facts?.detail.startTicks).toBeGreaterThan(0);
  expect(readProcess(2 ** 22 + 1)).toBeUndefined();
});

test('every segment of a recording names the processes of its events, the later ones too', async () => {
  const directory = temporaryDirectory();
  const { source, stop } = await startFakeRecording(directory, { rotateBytes: 30_000 });
  const event = (timeNs: bigint) => ({ timeNs, kind: EventKind.send, pid: process.pid });
  const startNs = wallNowNs();
  for (let i = 0; i < 10; i++) {
    source.deliver(
      batchOf(Array.from({ length: 50 }, (_, j) => event(startNs + BigInt(i * 50 + j)))),
    );
  }
  await stop();
  const paths = segmentPaths(directory);
  expect(paths.length).toBeGreaterThan(1);
  for (const path of paths) {
    const described = ofKind(await readRows(path), EventKind.process);
    expect(described.map(({ pid }) => pid)).toEqual([process.pid]);
  }
});
