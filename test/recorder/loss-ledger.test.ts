import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { EventKind, LossCause, type LossDetail } from '../../src/model/event.js';
import { LossLedger, LossMeter } from '../../src/recorder/loss-ledger.js';
import { wallNowNs } from '../../src/recorder/proc.js';
import type { Row } from '../../src/recorder/rows.js';
import type { StreamGap } from '../../src/recorder/source.js';
import { inspectPaths } from '../../src/store/inspect.js';
import { useTemporaryDirectories } from '../store/temporary.js';
import { FakeSource, startFakeRecording } from './fake-source.js';
import { ofKind, readAllRows } from './read-rows.js';

const temporaryDirectory = useTemporaryDirectories();

test('losses of one cause and scope add up to one row that spans from the first to the last', () => {
  const ledger = new LossLedger();
  ledger.add(LossCause.disk, 5, 100n, 200n, 'here');
  ledger.add(LossCause.disk, 7, 300n, 400n, 'here');
  ledger.add(LossCause.disk, 1, 300n, 350n, 'there');
  ledger.add(LossCause.ringFull, 1, 150n, 160n, 'here');
  ledger.add(LossCause.recursion, 0, 1n, 2n, 'here');
  const detail = (fromNs: string, scope: string) => JSON.stringify({ fromNs, scope });
  const { loss: kind } = EventKind;
  expect(ledger.rows()).toEqual([
    { timeNs: 400n, kind, name: 'disk', count: 12n, detail: detail('100', 'here') },
    { timeNs: 350n, kind, name: 'disk', count: 1n, detail: detail('300', 'there') },
    { timeNs: 160n, kind, name: 'ring-full', count: 1n, detail: detail('150', 'here') },
  ]);
  ledger.clear();
  expect(ledger.rows()).toEqual([]);
});

test('running totals become what was lost since the last look, each loss once', () => {
  const source = new FakeSource();
  const meter = new LossMeter(1000n);
  const read = (nowNs: bigint, gaps: StreamGap[] = [], shortHeads = false) =>
    meter.read(source.stats(), gaps, shortHeads, nowNs);
  expect(read(2000n)).toEqual([]);
  source.dropped[LossCause.ringFull] = 10;
  source.dropped[LossCause.backpressure] = 3;
  const first = read(3000n);
  expect(first.map(({ name, count, timeNs }) => [name, count, timeNs])).toEqual([
    [LossCause.ringFull, 10n, 3000n],
    [LossCause.backpressure, 3n, 3000n],
  ]);
  expect(JSON.parse(first[0]?.detail ?? '').fromNs).toBe('2000');
  source.dropped[LossCause.ringFull] = 11;
  const second = read(4000n);
  expect(second).toMatchObject([{ name: LossCause.ringFull, count: 1n }]);
  expect(JSON.parse(second[0]?.detail ?? '').fromNs).toBe('3000');
  expect(read(5000n)).toEqual([]);
});

test('unreadable payload is told by call site, holes by connection, heads by who cut them', () => {
  const source = new FakeSource();
  const meter = new LossMeter(0n);
  source.dropped[LossCause.payloadUnreadable] = 5;
  source.unreadableCalls.recvmsg = 3;
  source.unreadableCalls['no system call'] = 1;
  source.dropped[LossCause.snapLength] = 2;
  const gap = { connection: 77n, holes: 2, bytes: 9000, fromNs: 10n, toNs: 20n };
  const brief = (rows: readonly Row[]) =>
    rows.map(({ name, count, detail }) => [name, count, JSON.parse(detail ?? '').scope]);
  const first = meter.read(source.stats(), [gap], false, 100n);
  expect(brief(first)).toEqual([
    ['snap-length', 2n, 'message heads of this host'],
    ['payload-unreadable', 3n, 'payload of recvmsg'],
    ['payload-unreadable', 1n, 'payload of no system call'],
    ['payload-unreadable', 1n, 'events of this host'],
    ['sequence-gap', 2n, 'streams of one connection'],
  ]);
  expect(first.at(-1)).toMatchObject({ connection: 77n, timeNs: 20n });
  expect(JSON.parse(first.at(-1)?.detail ?? '')).toMatchObject({ fromNs: '10', bytes: 9000 });
  source.dropped[LossCause.snapLength] = 6;
  expect(brief(meter.read(source.stats(), [], true, 200n))).toEqual([
    ['budget-heads', 4n, 'message heads of this host'],
  ]);
  expect(meter.totals).toEqual({ 'sequence-gap': 2, 'snap-length': 2, 'budget-heads': 4 });
});

test('what the kernel lost reaches the segment with its cause and the second it happened in', async () => {
  const directory = temporaryDirectory();
  const beginNs = wallNowNs();
  const { source, stop } = await startFakeRecording(directory);
  source.deliverSample(10);
  source.dropped[LossCause.ringFull] = 40;
  // The totals are looked at every second.
  await sleep(1200);
  source.dropped[LossCause.ringFull] = 42;
  source.dropped[LossCause.socketState] = 1;
  await stop();
  const endNs = wallNowNs();
  const losses = ofKind(await readAllRows(directory), EventKind.loss);
  expect(losses.map(({ name, count }) => [name, count])).toEqual([
    [LossCause.ringFull, 40n],
    [LossCause.ringFull, 2n],
    [LossCause.socketState, 1n],
  ]);
  const details = losses.map(({ detail }) => JSON.parse(detail) as LossDetail);
  const starts = details.map(({ fromNs }) => BigInt(fromNs));
  const ends = losses.map(({ timeNs }) => timeNs);
  // One window follows the other. Both clocks are read a moment apart, hence the slack.
  const slackNs = 50_000_000n;
  expect(starts[0]).toBeGreaterThanOrEqual(beginNs - slackNs);
  expect(ends[0]! - starts[0]!).toBeGreaterThan(900_000_000n);
  expect(starts[1]).toBe(ends[0]);
  expect(starts[2]).toBe(ends[0]);
  expect(ends[2]).toBeGreaterThan(ends[0]!);
  expect(ends[2]).toBeLessThan(endNs + slackNs);
  expect(details.map(({ scope }) => scope)).toEqual(Array(3).fill('events of this host'));
  const inspected = await inspectPaths([directory]);
  expect(inspected.losses).toEqual({ 'ring-full': 42, 'socket-state': 1 });
});
