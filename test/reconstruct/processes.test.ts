import { describe, expect, it } from 'vitest';
import { EventKind } from '../../src/model/event.js';
import { buildProcesses } from '../../src/reconstruct/processes.js';
import type { ProcessEvent } from '../../src/reconstruct/tasks.js';

function event(
  kind: number,
  timeNs: number,
  pid: number,
  extra: Partial<ProcessEvent> = {},
): ProcessEvent {
  return { kind, timeNs: String(timeNs), pid, tid: pid, parent: 0, name: '', detail: '', ...extra };
}

function detail(startTicks: number, ...command: string[]): string {
  return JSON.stringify({ executable: command[0] ?? '', command, cgroup: '/', startTicks });
}

describe('buildProcesses', () => {
  it('keeps one life for a process described in every segment', () => {
    const events = [10, 20, 30].map((time) =>
      event(EventKind.process, time, 5, {
        name: 'node',
        detail: detail(1, 'node', 'shop.js'),
        parent: 1,
      }),
    );
    const [life, ...others] = buildProcesses([{ events, pids: [5] }], 0n);
    expect(others).toEqual([]);
    expect(life).toMatchObject({
      pid: 5,
      from: -Infinity,
      to: Infinity,
      service: 'shop',
      parentPid: 1,
    });
  });

  it('tells the lives of a reused pid apart', () => {
    const events = [
      event(EventKind.process, 10, 5, { detail: detail(1, 'node', 'old.js') }),
      event(EventKind.exit, 50, 5),
      event(EventKind.fork, 70, 5, { parent: 1 }),
      event(EventKind.process, 75, 5, { detail: detail(9, 'node', 'new.js') }),
    ];
    const lives = buildProcesses([{ events, pids: [5] }], 0n);
    expect(lives.map(({ service, from, to }) => ({ service, from, to }))).toEqual([
      { service: 'old', from: -Infinity, to: 50 },
      { service: 'new', from: 70, to: Infinity },
    ]);
  });

  it('sees a reuse even when the exit was lost', () => {
    const events = [
      event(EventKind.process, 10, 5, { detail: detail(1, 'node', 'old.js') }),
      event(EventKind.process, 75, 5, { detail: detail(9, 'node', 'new.js') }),
    ];
    const lives = buildProcesses([{ events, pids: [5] }], 0n);
    expect(lives.map(({ service, to }) => [service, to])).toEqual([
      ['old', 75],
      ['new', Infinity],
    ]);
  });

  it('takes a description that lies before the fork in the file', () => {
    const events = [
      event(EventKind.process, 30, 5, { detail: detail(1, 'node', 'load.mjs') }),
      event(EventKind.fork, 10, 5, { parent: 1, name: 'node' }),
      event(EventKind.exec, 12, 5, { name: 'node' }),
    ];
    const lives = buildProcesses([{ events, pids: [5] }], 0n);
    expect(lives.map(({ service, from }) => [service, from])).toEqual([['load', 10]]);
  });

  it('gives a pid that was never described a record of its own', () => {
    expect(buildProcesses([{ events: [], pids: [42] }], 0n)).toMatchObject([
      { pid: 42, from: -Infinity, to: Infinity, service: 'pid-42' },
    ]);
  });

  it('survives details that are not JSON', () => {
    const events = [event(EventKind.process, 1, 5, { name: 'x', detail: '{' })];
    expect(buildProcesses([{ events, pids: [] }], 0n)).toMatchObject([
      { service: 'x', command: [] },
    ]);
  });

  it('keeps hosts apart', () => {
    const host = (script: string) => ({
      events: [event(EventKind.process, 1, 5, { detail: detail(1, 'node', script) })],
      pids: [5],
    });
    const lives = buildProcesses([host('a.js'), host('b.js')], 0n);
    expect(lives.map((life) => [life.host, life.service])).toEqual([
      [0, 'a'],
      [1, 'b'],
    ]);
  });
});
