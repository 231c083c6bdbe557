// Tasks of asyncio: whose task, or whose descendant, makes a call.
import { describe, expect, it } from 'vitest';
import { EXCHANGE_COLUMNS, type ExchangeTable, Role } from '../../../src/model/exchange.js';
import { emptyTable } from '../../../src/model/tables.js';
import { indexProcess } from '../../../src/reconstruct/causality/process-index.js';
import { followTasks } from '../../../src/reconstruct/causality/tasks.js';

interface Exchange {
  readonly connection?: number;
  /** From its first byte to the first of the answer. */
  readonly time: readonly [number, number];
  /** Of the call, or of the answer to a request. */
  readonly task: number;
  readonly creator?: number;
  readonly root?: number;
  /** As Go tells it of a request. */
  readonly reader?: number;
}

function tableOf(servers: readonly Exchange[], clients: readonly Exchange[]): ExchangeTable {
  const all = [...servers, ...clients];
  const isServer = (i: number) => i < servers.length;
  const numbers = (value: (own: Exchange, i: number) => number) => Uint32Array.from(all, value);
  return {
    ...emptyTable(EXCHANGE_COLUMNS, all.length),
    role: Uint8Array.from(all, (_, i) => (isServer(i) ? Role.server : Role.client)),
    connection: BigUint64Array.from(all, ({ connection }, i) => BigInt(connection ?? 100 + i)),
    request_start: Float64Array.from(all, ({ time }) => time[0]),
    request_end: Float64Array.from(all, ({ time }) => time[0]),
    response_start: Float64Array.from(all, ({ time }) => time[1]),
    response_end: Float64Array.from(all, ({ time }) => time[1]),
    request_goroutine: numbers(({ task, reader }, i) => (isServer(i) ? (reader ?? 0) : task)),
    response_goroutine: numbers(({ task }, i) => (isServer(i) ? task : 0)),
    creator: numbers(({ creator }) => creator ?? 0),
    caller: numbers(({ root, creator, task }, i) =>
      isServer(i) ? 0 : (root ?? (creator || task)),
    ),
  };
}

/** The server that each call is given to, and the steps up to its task. */
function follow(servers: readonly Exchange[], clients: readonly Exchange[]) {
  const table = tableOf(servers, clients);
  const found = followTasks(
    indexProcess(
      table,
      Uint32Array.from({ length: table.rows }, (_, i) => i),
    ),
  );
  return found && clients.map((_, i) => [found.server[i]!, found.steps[i]!]);
}

describe('tasks', () => {
  it('give a call to the request that its task, or one above it, answers', () => {
    const servers: Exchange[] = [
      { time: [0, 90], task: 5, creator: 1 },
      { time: [1, 80], task: 6, creator: 2 },
    ];
    const clients: Exchange[] = [
      { time: [10, 20], task: 6, creator: 2 },
      { time: [11, 21], task: 5, creator: 1 },
      { time: [12, 22], task: 8, creator: 6, root: 2 },
      { time: [13, 23], task: 9, creator: 5, root: 1 },
      // Made by a task that is heard of nowhere else.
      { time: [14, 24], task: 11, creator: 10, root: 1 },
    ];
    expect(follow(servers, clients)).toEqual([
      [1, 0],
      [0, 0],
      [1, 1],
      [0, 1],
      [0, 2],
    ]);
  });

  it('say nothing of calls of other lines, or of tasks that are not known', () => {
    const servers: Exchange[] = [{ time: [0, 90], task: 5, creator: 1 }];
    const clients: Exchange[] = [
      { time: [10, 20], task: 7, creator: 4, root: 4 },
      { time: [11, 20], task: 0 },
    ];
    expect(follow(servers, clients)?.map(([server]) => server)).toEqual([-1, -1]);
  });

  it('know tasks that were made before recording began while they live', () => {
    const unknown = 0x80000000;
    const servers: Exchange[] = [
      { time: [0, 90], task: unknown + 7, connection: 1 },
      // Its creator was a callback: the address says nothing.
      { time: [0, 90], task: 3, creator: unknown + 8, connection: 2 },
    ];
    const clients: Exchange[] = [
      { time: [10, 20], task: unknown + 7 },
      { time: [11, 20], task: 9, creator: unknown + 7, root: 9 },
      { time: [12, 20], task: 10, creator: unknown + 8, root: 10 },
    ];
    expect(follow(servers, clients)?.map(([server]) => server)).toEqual([0, 0, -1]);
  });

  it('say nothing by a task that serves several connections', () => {
    const servers: Exchange[] = [
      { time: [0, 90], task: 5, creator: 1 },
      { time: [100, 190], task: 6, creator: 1 },
    ];
    const clients: Exchange[] = [
      { time: [10, 20], task: 7, creator: 1 },
      { time: [110, 120], task: 6, creator: 1 },
    ];
    expect(follow(servers, clients)?.map(([server]) => server)).toEqual([-1, 1]);
  });

  it('keep a task that outlives its request with it, though the connection’s task goes on', () => {
    const servers: Exchange[] = [
      { time: [0, 40], task: 5, connection: 1 },
      { time: [50, 90], task: 5, connection: 1 },
    ];
    const clients: Exchange[] = [
      { time: [20, 30], task: 7, creator: 5 },
      // Sent in the second request's time, but made before task 7 was.
      { time: [60, 70], task: 6, creator: 5 },
      { time: [61, 71], task: 8, creator: 5 },
    ];
    expect(follow(servers, clients)?.map(([server]) => server)).toEqual([0, 0, 1]);
  });

  it('take requests that were sent ahead one after the other', () => {
    const servers: Exchange[] = [
      { time: [0, 40], task: 5, connection: 1 },
      { time: [1, 90], task: 5, connection: 1 },
    ];
    const clients: Exchange[] = [
      { time: [20, 30], task: 5 },
      { time: [60, 70], task: 5 },
    ];
    expect(follow(servers, clients)?.map(([server]) => server)).toEqual([0, 1]);
  });

  it('are not known where goroutines are', () => {
    const servers: Exchange[] = [{ time: [0, 90], task: 5, reader: 5 }];
    expect(follow(servers, [{ time: [10, 20], task: 5 }])).toBeUndefined();
  });
});
