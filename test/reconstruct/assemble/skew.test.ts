import { describe, expect, it } from 'vitest';
import { resolveParents } from '../../../src/reconstruct/assemble/parents.js';
import { estimateSkews } from '../../../src/reconstruct/assemble/skew.js';
import { client, type Exchange, exchangesOf, server } from './exchanges.js';

const HOSTS = ['a', 'b', 'c'].map((host) => ({ host, bootId: 'boot' }));

function skewsOf(rows: readonly Exchange[]) {
  const exchanges = exchangesOf(rows);
  return estimateSkews(exchanges, resolveParents(exchanges, []).parents.peer, HOSTS);
}

/** Both ends of a hop from host a to `to`, whose clock is `ahead`; `forth` and `back` are on the way. */
function hop(id: number, ahead: number, forth: number, back: number, to = 1): Exchange[] {
  const arrived = id * 1000 + forth;
  return [
    client(id, { start: id * 1000, responseStart: arrived + 500 + back }),
    server(id, { host: to, start: arrived + ahead, responseStart: arrived + 500 + ahead }),
  ];
}

describe('estimateSkews', () => {
  it('finds by how much the clock of the server is ahead', () => {
    expect(skewsOf(hop(1, 70, 10, 10))).toEqual([
      { from: 'a', to: 'b', offsetNs: 70, uncertaintyNs: 10, hops: 1 },
    ]);
    expect(skewsOf(hop(1, -70, 10, 10))[0]).toMatchObject({ offsetNs: -70 });
  });

  it('is wrong by no more than it says, however unequal the ways are', () => {
    const [skew] = skewsOf(hop(1, 70, 30, 2));
    expect(Math.abs(skew!.offsetNs - 70)).toBeLessThanOrEqual(skew!.uncertaintyNs);
    expect(skew!.uncertaintyNs).toBe(16);
  });

  it('trusts the quickest way in each direction', () => {
    const rows = [...hop(1, 70, 300, 10), ...hop(2, 70, 10, 400), ...hop(3, 70, 90, 90)];
    expect(skewsOf(rows)).toEqual([
      { from: 'a', to: 'b', offsetNs: 70, uncertaintyNs: 10, hops: 3 },
    ]);
  });

  it('keeps pairs of hosts apart', () => {
    const skews = skewsOf([...hop(1, 5, 1, 1, 2), ...hop(2, -5, 1, 1, 1)]);
    expect(skews.map(({ to, offsetNs }) => [to, offsetNs])).toEqual([
      ['b', -5],
      ['c', 5],
    ]);
  });

  it('says nothing of one host, of hops with one end, and of calls without times', () => {
    const local = [client(1), server(1)];
    const alone = [client(2), server(3, { host: 1 })];
    const unanswered = [
      client(4, { responseStart: Number.NaN }),
      server(4, { host: 1, responseStart: Number.NaN }),
    ];
    expect(skewsOf([...local, ...alone, ...unanswered])).toEqual([]);
  });
});
