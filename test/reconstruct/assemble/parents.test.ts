import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../../src/model/span.js';
import { countUnmatched, resolveParents } from '../../../src/reconstruct/assemble/parents.js';
import { client, exchangesOf, groupOf, server } from './exchanges.js';

describe('the parent of a server exchange', () => {
  it('is the client exchange at the other end of its hop, for certain', () => {
    const exchanges = exchangesOf([client(1), server(1), server(2), client(2)]);
    const { parents, hops } = resolveParents(exchanges, []);
    expect(hops).toBe(2);
    expect([...parents.parent]).toEqual([-1, 0, 3, -1]);
    expect([...parents.peer]).toEqual([1, 0, 3, 2]);
    expect(parents.verdict).toEqual(['root', 'certain', 'certain', 'root']);
    expect([...parents.confidence]).toEqual([Number.NaN, 1, 1, Number.NaN]);
    expect(parents.method).toEqual(['', 'hop', 'hop', '']);
    expect([...parents.candidates]).toEqual([0, 1, 1, 0]);
  });

  it('is none where the client was not recorded, and a client may be without server', () => {
    const { parents, hops } = resolveParents(exchangesOf([server(1), client(2)]), []);
    expect(hops).toBe(0);
    expect([...parents.parent]).toEqual([-1, -1]);
    expect([...parents.peer]).toEqual([-1, -1]);
    expect(parents.verdict).toEqual(['root', 'root']);
  });

  it('is found behind address translation by the positions in both streams', () => {
    const translated = server(1, { server: '172.17.0.2', client: '172.17.0.1' });
    const { parents } = resolveParents(exchangesOf([client(1), translated]), []);
    expect([...parents.parent]).toEqual([-1, 0]);
    const other = { ...translated, responseSequence: 5 };
    expect(resolveParents(exchangesOf([client(1), other]), []).hops).toBe(0);
  });

  it('is the one near in time where a port and a position come back', () => {
    const hour = 3600e9;
    const rows = [client(1), client(1, { start: hour }), server(1, { start: hour + 1 })];
    const { parents } = resolveParents(exchangesOf(rows), []);
    expect([...parents.peer]).toEqual([-1, 2, 1]);
    const late = [client(1), server(1, { start: hour })];
    expect(resolveParents(exchangesOf(late), []).hops).toBe(0);
  });
});

describe('the parent of a client exchange', () => {
  const rows = exchangesOf([server(1), server(2), client(3)]);
  const resolve = (verdict: Verdict, confidence: number) =>
    resolveParents(rows, [
      groupOf(0, [
        { client: 2, parent: 1, verdict, confidence, candidates: 2, method: 'thread' },
        { client: 2, parent: 0, rank: 1, verdict, confidence: 0.1, candidates: 2, method: 'wake' },
      ]),
    ]).parents;

  it.each(['certain', 'probable'] as const)('is the best candidate, if the link is %s', (how) => {
    const parents = resolve(how, 0.93);
    expect([...parents.parent]).toEqual([-1, -1, 1]);
    expect([parents.verdict[2], parents.confidence[2]]).toEqual([how, 0.93]);
    expect([parents.method[2], parents.candidates[2]]).toEqual(['thread', 2]);
  });

  it('is none below the least confidence, but who came closest is kept', () => {
    const parents = resolve('unknown', 0.6);
    expect([...parents.parent]).toEqual([-1, -1, -1]);
    expect([parents.verdict[2], parents.confidence[2]]).toEqual(['unknown', 0.6]);
    expect([parents.best[2], parents.method[2], parents.candidates[2]]).toEqual([1, 'thread', 2]);
  });

  it('is none for a root, and no confidence is claimed', () => {
    const parents = resolve('root', 0.2);
    expect([...parents.parent]).toEqual([-1, -1, -1]);
    expect([parents.verdict[2], parents.confidence[2], parents.method[2]]).toEqual([
      'root',
      Number.NaN,
      '',
    ]);
    expect(parents.best[2]).toBe(1);
  });

  it('is none where there was no candidate', () => {
    const group = groupOf(0, [{ client: 2, verdict: 'root', candidates: 0 }]);
    const { parents } = resolveParents(rows, [group]);
    expect([parents.parent[2], parents.best[2], parents.candidates[2]]).toEqual([-1, -1, 0]);
  });

  it('is counted from the first row of its group', () => {
    const exchanges = exchangesOf([server(1), client(2), server(3), client(4)]);
    const causes = [{ client: 1, parent: 0, verdict: 'certain', confidence: 1 }] as const;
    const groups = [groupOf(0, causes), groupOf(2, causes)];
    expect([...resolveParents(exchanges, groups).parents.parent]).toEqual([-1, 0, -1, 2]);
  });
});

describe('countUnmatched', () => {
  const count = (...rows: Parameters<typeof exchangesOf>[0]) => {
    const exchanges = exchangesOf(rows);
    return countUnmatched(exchanges, resolveParents(exchanges, []).parents.peer);
  };

  it('counts ends whose other end should have been recorded', () => {
    // Hop 1 shows that both addresses are recorded: hops 2 and 3 lack an end.
    expect(count(client(1), server(1), client(2), server(3))).toBe(2);
  });

  it('does not count calls to and from elsewhere', () => {
    expect(count(client(1), server(1), client(2, { server: '8.8.8.8' }))).toBe(0);
    expect(count(client(1), server(1), server(2, { client: '8.8.8.8' }))).toBe(0);
  });
});
