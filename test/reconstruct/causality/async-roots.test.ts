// Async roots of Node: the same outermost promise waits for a call and for what writes the response.
import { describe, expect, it } from 'vitest';
import { Role } from '../../../src/model/exchange.js';
import { inferCauses } from '../../../src/reconstruct/causality/infer.js';
import { type Row, seeded, tableOf } from './simulate.js';

const MS = 1e6;
const TID = 1;
/** Roots are numbered from here on (bpf/events.h). */
const FIRST_ROOT = 0x80000001;

/**
 * A loop with about `open` requests at a time, whose handlers sleep before every call, so that what the
 * thread read last says nothing. Each makes two calls, answers, and makes a third 20 to 40 ms later.
 *
 * @param isChained the second call follows the first one's reply at once, and the response its own
 */
function sleepers(
  count: number,
  open: number,
  isChained = false,
): { rows: Row[]; roots: number[] } {
  const random = seeded(7);
  const rows: Row[] = [];
  const roots: number[] = [];
  const add = (row: Row, root: number) => {
    roots.push(root);
    return rows.push(row) - 1;
  };
  const call = (truth: number, start: number, target: string, root: number) =>
    add(
      {
        role: Role.client,
        truth,
        requestStart: start,
        requestTid: TID,
        responseStart: start + (1 + random()) * MS,
        responseTid: TID,
        target,
      },
      root,
    );
  const soonAfter = (i: number) => rows[i]!.responseStart + 0.02 * MS;
  for (let request = 0; request < count; request++) {
    const start = ((request + random()) * 20 * MS) / open;
    const root = FIRST_ROOT + request;
    const server: Row = {
      role: Role.server,
      truth: rows.length,
      requestStart: start,
      requestTid: TID,
      responseStart: start + 20 * MS,
      responseTid: TID,
      target: '/order/1',
    };
    const number = add(server, root);
    const stock = call(number, start + (2 + 4 * random()) * MS, '/stock/1', root);
    const later = start + (10 + 4 * random()) * MS;
    const price = call(number, isChained ? soonAfter(stock) : later, '/price/1', root);
    if (isChained) server.responseStart = soonAfter(price);
    call(number, server.responseStart + (20 + 20 * random()) * MS, '/mail/1', root);
  }
  return { rows, roots };
}

/** The row that each row's call is given to; -1 none. */
function parentsOf(rows: readonly Row[], roots: readonly number[]): number[] {
  const table = tableOf(rows);
  const roleOf = (role: number) =>
    Uint32Array.from(rows, (row, i) => (row.role === role ? roots[i]! : 0));
  const exchanges = {
    ...table.exchanges,
    request_goroutine: roleOf(Role.client),
    caller: roleOf(Role.client),
    response_goroutine: roleOf(Role.server),
  };
  const { index, decisions } = inferCauses(exchanges, table.rows);
  const parents = rows.map(() => -1);
  index.clients.forEach((row, client) => {
    const isLinked = decisions.verdict[client] === 1 || decisions.verdict[client] === 2;
    if (isLinked) parents[row] = index.servers[decisions.best(client)]!;
  });
  return parents;
}

describe('async roots', () => {
  it('give every call to the request that its root answers, also long after it was answered', () => {
    const { rows, roots } = sleepers(60, 12);
    const parents = parentsOf(rows, roots);
    for (const [i, row] of rows.entries()) {
      if (row.role === Role.client) expect(parents[i], `row ${i}`).toBe(row.truth);
    }
  });

  it('are believed over a thread that seems to work for one request at a time', () => {
    const { rows, roots } = sleepers(40, 1);
    const parents = parentsOf(rows, roots);
    for (const [i, row] of rows.entries()) {
      if (row.role === Role.client) expect(parents[i], `row ${i}`).toBe(row.truth);
    }
  });

  it('name nobody where they answer several connections', () => {
    const { rows } = sleepers(60, 12);
    // One function takes all requests from a queue.
    const parents = parentsOf(
      rows,
      rows.map(() => FIRST_ROOT),
    );
    const late = rows.flatMap((row, i) => (row.target === '/mail/1' ? [parents[i]!] : []));
    expect(late.filter((parent) => parent !== -1)).toEqual([]);
  });

  it('of a function that answers nobody tell that its calls are for one request', () => {
    const { rows, roots } = sleepers(120, 12, true);
    const isOwn = ({ target }: Row) => target === '/price/1' || target === '/mail/1';
    const own = parentsOf(
      rows,
      rows.map((row, i) => (isOwn(row) ? roots[i]! + 1000 : roots[i]!)),
    );
    const without = parentsOf(
      rows,
      rows.map((row, i) => (isOwn(row) ? 0 : roots[i]!)),
    );
    const right = (parents: readonly number[]) =>
      rows.filter((row, i) => row.target === '/mail/1' && parents[i] === row.truth).length;
    expect(right(without)).toBeLessThan(10);
    expect(right(own)).toBeGreaterThan(100);
  });
});
