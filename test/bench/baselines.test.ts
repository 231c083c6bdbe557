import { describe, expect, it } from 'vitest';
import {
  exponentialDelays,
  firstCome,
  nearestPreceding,
  sameThread,
  singleToken,
} from '../../bench/accuracy/baselines.js';
import { type Span, spansOf } from './spans.js';

const request = (tid: number, start: number, end: number): Span => ({
  role: 'server',
  service: 's',
  tid,
  start,
  end,
});
const call = (tid: number, start: number, more: Partial<Span> = {}): Span => ({
  role: 'client',
  service: 's',
  tid,
  start,
  end: start + 1,
  ...more,
});
const ALL = [sameThread, nearestPreceding, firstCome, singleToken, exponentialDelays];

describe('every baseline', () => {
  it('finds the only open request of the thread', () => {
    const spans = spansOf([request(1, 0, 100), call(1, 50)]);
    for (const rule of ALL) expect([rule.name, rule(spans).parentOf(1)]).toEqual([rule.name, 0]);
  });

  it('gives no parent before any request, nor from another process', () => {
    const spans = spansOf([request(1, 10, 100), call(1, 5), call(1, 50, { pid: 2 })]);
    for (const rule of ALL) {
      const { parentOf } = rule(spans);
      expect([rule.name, parentOf(1), parentOf(2)]).toEqual([rule.name, -1, -1]);
    }
  });

  it('has a name of its own', () => {
    const spans = spansOf([]);
    expect(new Set(ALL.map((rule) => rule(spans).name)).size).toBe(ALL.length);
  });
});

describe('the rules differ', () => {
  /** Requests on threads 1 and 2, then two calls of thread 1. */
  const spans = spansOf([request(1, 0, 100), request(2, 10, 100), call(1, 20), call(1, 30)]);
  const answers = (rule: (typeof ALL)[number]) => [2, 3].map(rule(spans).parentOf);

  it('same thread takes the request that the thread read', () => {
    expect(answers(sameThread)).toEqual([0, 0]);
  });

  it('nearest preceding takes the request that began last', () => {
    expect(answers(nearestPreceding)).toEqual([1, 1]);
  });

  it('first come, first served takes each request once for each place', () => {
    expect(answers(firstCome)).toEqual([0, 1]);
    const elsewhere = spansOf([
      request(1, 0, 100),
      request(2, 10, 100),
      call(1, 20),
      call(1, 30, { peer: '10.0.0.9:80' }),
      call(1, 40),
      call(1, 45),
    ]);
    expect([2, 3, 4, 5].map(firstCome(elsewhere).parentOf)).toEqual([0, 0, 1, 0]);
    const ids = spansOf([
      request(1, 0, 100),
      request(2, 10, 100),
      call(1, 20, { path: '/items/17' }),
      call(1, 30, { path: '/items/4711' }),
    ]);
    expect([2, 3].map(firstCome(ids).parentOf)).toEqual([0, 1]);
  });

  it('a single token serves one call, or the response', () => {
    expect(answers(singleToken)).toEqual([0, -1]);
    const late = spansOf([{ ...request(1, 0, 10), firstByte: 10 }, call(1, 20)]);
    expect(singleToken(late).parentOf(1)).toBe(-1);
    expect(sameThread(late).parentOf(1)).toBe(-1);
  });

  it('a single token is passed on by the reply of the call that took it', () => {
    const chain = spansOf([request(1, 0, 100), call(1, 20, { firstByte: 25 }), call(1, 30)]);
    expect([1, 2].map(singleToken(chain).parentOf)).toEqual([0, 0]);
    const unmarked = spansOf([call(1, 20, { firstByte: 25 }), call(1, 30)]);
    expect(singleToken(unmarked).parentOf(1)).toBe(-1);
  });

  it('exponential delays take the route that makes such calls this long after its start', () => {
    const alone = (path: string, at: number, after: number) => [
      { ...request(1, at, at + 90), path },
      call(1, at + after),
    ];
    const routes = spansOf([
      // Where only one request is open, /fast calls after 1, and /slow after 50.
      ...[0, 100, 200, 300].flatMap((at) => alone('/fast', at, 1)),
      ...[400, 500].flatMap((at) => alone('/slow', at, 50)),
      // Both open: 90 after the one, and 80 after the other.
      { ...request(1, 600, 700), path: '/slow' },
      { ...request(1, 610, 700), path: '/fast' },
      call(1, 690),
    ]);
    const last = routes.rows - 1;
    expect(exponentialDelays(routes).parentOf(last)).toBe(12);
    expect(nearestPreceding(routes).parentOf(last)).toBe(13);
  });

  it('exponential delays give no parent where none was ever seen to make the call', () => {
    const spans = spansOf([request(1, 10, 20), call(1, 5)]);
    expect(exponentialDelays(spans).parentOf(1)).toBe(-1);
  });
});
