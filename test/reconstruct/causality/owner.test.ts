import { expect, it } from 'vitest';
import { Role } from '../../../src/model/exchange.js';
import { threadMarks } from '../../../src/reconstruct/causality/marks.js';
import { OriginKind, originKinds } from '../../../src/reconstruct/causality/origins.js';
import { NO_HINTS } from '../../../src/reconstruct/causality/process-hints.js';
import { indexProcess } from '../../../src/reconstruct/causality/process-index.js';
import { replayMarks } from '../../../src/reconstruct/causality/thread-context.js';
import { type Row, tableOf } from './simulate.js';

const exchange = (role: number, requestStart: number, responseStart: number): Row => ({
  role,
  truth: 0,
  requestStart: requestStart * 1e6,
  requestTid: 1,
  responseStart: responseStart * 1e6,
  responseTid: 1,
  target: '/a',
});

function ownersOf(rows: readonly Row[]): number[] {
  const { exchanges, rows: all } = tableOf(rows);
  const index = indexProcess(exchanges, all);
  return [...replayMarks(index, threadMarks(index, NO_HINTS), originKinds(index)).owner];
}

it('a thread owns the request that it alone works on', () => {
  const rows = [
    exchange(Role.server, 0, 10),
    exchange(Role.client, 2, 4),
    exchange(Role.server, 20, 30),
    exchange(Role.client, 22, 24),
  ];
  expect(ownersOf(rows)).toEqual([0, 1]);
});

it('a loop owns no request that it reads while an earlier one is open, though another was answered in between', () => {
  const rows = [
    exchange(Role.server, 0, 40),
    exchange(Role.server, 5, 10),
    exchange(Role.server, 20, 50),
    exchange(Role.client, 30, 35),
  ];
  expect(ownersOf(rows)).toEqual([-1]);
});

it('a call of a pool’s thread is of the request that the thread worked on which gave the task', () => {
  const call: Row = {
    ...exchange(Role.client, 25, 27),
    requestTid: 9,
    responseTid: 9,
    // The task came before its thread opened the connection.
    connectTid: 9,
    connectTime: 24.9e6,
    leaseTid: 1,
    leaseAge: 24e6,
  };
  const next: Row = { ...exchange(Role.server, 20, 40), requestTid: 2, responseTid: 2 };
  expect(ownersOf([exchange(Role.server, 0, 30), next, call])).toEqual([0]);
});

it('a connection that was opened before it was taken is where its first call was decided on', () => {
  const call: Row = { ...exchange(Role.client, 25, 27), requestTid: 9, leaseTid: 1, leaseAge: 1e6 };
  const { exchanges, rows } = tableOf([
    { ...call, connectTid: 9, connectTime: 20e6 },
    { ...call, connectTid: 9, connectTime: 24.5e6 },
    call,
  ]);
  const { connect, lease } = OriginKind;
  expect([...originKinds(indexProcess(exchanges, rows))]).toEqual([connect, lease, lease]);
});

it('a task that reads a request itself works for that one, whoever gave the task', () => {
  const call: Row = { ...exchange(Role.client, 25, 27), requestTid: 9, leaseTid: 1, leaseAge: 5e6 };
  const originOf = (read: number) => {
    const request: Row = { ...exchange(Role.server, read, 40), requestTid: 9, responseTid: 9 };
    const { exchanges, rows } = tableOf([request, call]);
    return originKinds(indexProcess(exchanges, rows))[0];
  };
  expect(originOf(22)).toBe(OriginKind.send);
  expect(originOf(15)).toBe(OriginKind.lease);
});
