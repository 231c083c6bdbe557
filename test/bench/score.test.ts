import { describe, expect, it } from 'vitest';
import { score } from '../../bench/accuracy/score.js';
import type { Truth } from '../../bench/accuracy/truth.js';
import { keyFrom, type Span, spansOf } from './spans.js';

/** Calls as [key, key of what caused it, service that made it]. */
function truthOf(
  calls: readonly (readonly [key: string, parent: string | null, caller: string])[],
): Truth {
  return {
    parentOf: new Map(
      calls.map(([key, parent]) => [keyFrom(key), parent === null ? null : keyFrom(parent)]),
    ),
    callerOf: new Map(calls.map(([key, , caller]) => [keyFrom(key), caller])),
    served: new Set(calls.map(([key]) => keyFrom(key))),
  };
}

/** Two users' requests 1 and 2 to the gateway, which makes the calls a and b for them. */
const TRUTH = truthOf([
  ['1', null, 'load'],
  ['2', null, 'load'],
  ['a', '1', 'gateway'],
  ['b', '2', 'gateway'],
]);
/** Rows 0..3: both ends of the users' requests. */
const USERS: readonly Span[] = [
  { role: 'client', service: 'load', key: '1', candidates: 0 },
  { role: 'server', service: 'gateway', key: '1', parent: 0, verdict: 'certain' },
  { role: 'client', service: 'load', key: '2', candidates: 0 },
  { role: 'server', service: 'gateway', key: '2', parent: 2, verdict: 'certain' },
];
const call = (key: string, parent: number | undefined, more: Partial<Span> = {}): Span => ({
  role: 'client',
  service: 'gateway',
  key,
  ...(parent === undefined ? { verdict: 'unknown' } : { parent }),
  ...more,
});
const scored = (...calls: readonly Span[]) => score(spansOf([...USERS, ...calls]), TRUTH);

describe('a link', () => {
  it('is right where its parent is the request that the log names', () => {
    const result = scored(call('a', 1), call('b', 3));
    expect(result.total).toEqual({ right: 2, wrong: 0, unknown: 0 });
    expect(result.services).toEqual(new Map([['gateway', result.total]]));
  });

  it('is wrong where its parent is another request', () => {
    expect(scored(call('a', 3), call('b', 3)).total).toEqual({ right: 1, wrong: 1, unknown: 0 });
  });

  it('is wrong where its parent has no key, or is not a request at all', () => {
    const unkeyed = { role: 'server', service: 'gateway' } as const;
    expect(scored(unkeyed, call('a', 4)).total).toMatchObject({ wrong: 1 });
  });

  it('is unknown where no parent was set', () => {
    expect(scored(call('a', undefined)).total).toEqual({ right: 0, wrong: 0, unknown: 1 });
  });

  it('does not count where the truth says nothing of the call', () => {
    const unkeyed = { role: 'client', service: 'gateway', parent: 1 } as const;
    expect(scored(call('c', 1), unkeyed).total).toEqual({
      right: 0,
      wrong: 0,
      unknown: 0,
    });
  });

  it('of a proxy is right where its parent carries the same key', () => {
    // The proxy sends the key of load's request 1 on, which it has received itself.
    const rows: Span[] = [
      { role: 'client', service: 'load', key: '1', pid: 8, candidates: 0 },
      { role: 'server', service: 'proxy', key: '1', pid: 9, parent: 0 },
      { role: 'client', service: 'proxy', key: '1', pid: 9, parent: 1 },
    ];
    const result = score(spansOf(rows), TRUTH);
    expect(result.total).toEqual({ right: 1, wrong: 0, unknown: 0 });
    expect(result.services).toEqual(new Map([['proxy', result.total]]));
  });

  it('called certain is counted, and whether it was wrong', () => {
    const certain = { verdict: 'certain' };
    const result = scored(call('a', 3, certain), call('b', 3, certain));
    expect(result.certain).toEqual({ links: 2, wrong: 1 });
    expect(scored(call('a', 3)).certain).toEqual({ links: 0, wrong: 0 });
  });

  it('can be judged by another rule than the one that made the spans', () => {
    const spans = spansOf([...USERS, call('a', 3)]);
    expect(score(spans, TRUTH, (row) => (row === 4 ? 1 : -1)).total).toMatchObject({ right: 1 });
  });
});

describe('a call that belongs to no request', () => {
  const truth = truthOf([['7', null, 'gateway']]);
  const timer = (more: Partial<Span>) =>
    score(spansOf([USERS[1]!, { role: 'client', service: 'gateway', key: '7', ...more }]), truth);

  it('counts as background, and as attached where it was given a parent', () => {
    expect(timer({ candidates: 2 }).background).toEqual({ calls: 1, attached: 0 });
    expect(timer({ parent: 0 }).background).toEqual({ calls: 1, attached: 1 });
    expect(timer({ parent: 0 }).total).toEqual({ right: 0, wrong: 0, unknown: 0 });
  });

  it('does not count where nothing could have been its parent', () => {
    expect(timer({ candidates: 0 }).background).toEqual({ calls: 0, attached: 0 });
  });
});

describe('a user’s trace', () => {
  const answer = (key: string, client: number | undefined): Span => ({
    role: 'server',
    service: 'stock',
    key,
    ...(client === undefined ? {} : { parent: client, verdict: 'certain' }),
  });
  /** The calls a and b in rows 4 and 5, both answered. */
  const answered = (a: Span, b: Span) => scored(a, b, answer('a', 4), answer('b', 5));

  it('is whole where every link in it is right', () => {
    expect(answered(call('a', 1), call('b', 3)).traces).toEqual({ whole: 2, of: 2 });
  });

  it('is broken by a wrong link, and by an unknown one', () => {
    expect(answered(call('a', 3), call('b', 3)).traces).toEqual({ whole: 1, of: 2 });
    expect(answered(call('a', 1), call('b', undefined)).traces).toEqual({ whole: 1, of: 2 });
  });

  it('is broken by an exchange that the log has and the spans lack', () => {
    expect(scored(call('a', 1), call('b', 3), answer('b', 5)).traces).toMatchObject({ whole: 1 });
    const noCalls = score(spansOf(USERS), TRUTH);
    expect(noCalls.traces).toEqual({ whole: 0, of: 2 });
  });

  it('is broken by a hop that was not joined', () => {
    const apart = scored(call('a', 1), call('b', 3), answer('a', 4), answer('b', undefined));
    expect(apart.traces).toMatchObject({ whole: 1 });
  });

  it('is broken by a link deep below its root', () => {
    const truth = truthOf([
      ['1', null, 'load'],
      ['a', '1', 'gateway'],
      ['c', 'a', 'cart'],
    ]);
    const rows: Span[] = [...USERS.slice(0, 2), call('a', 1), { ...call('c', 1), service: 'cart' }];
    expect(score(spansOf(rows), truth).traces).toEqual({ whole: 0, of: 1 });
  });
});

describe('exchanges and hops', () => {
  it('are counted by the ends that the log says there were', () => {
    const result = scored(call('a', 1));
    expect([result.expectedExchanges, result.foundExchanges]).toEqual([8, 5]);
    expect([result.expectedHops, result.joinedHops, result.wrongHops]).toEqual([2, 2, 0]);
  });

  it('joined with the wrong end are wrong', () => {
    const [client1, , client2, server2] = USERS;
    const rows = [client1!, { ...server2!, parent: 0 }, client2!];
    const result = score(spansOf(rows), TRUTH);
    expect([result.expectedHops, result.joinedHops, result.wrongHops]).toEqual([1, 0, 1]);
  });
});

describe('calibration', () => {
  it('holds what was claimed against what was right, bin by bin', () => {
    const { calibration, calibrationError } = scored(
      call('a', 1, { confidence: 1 }),
      call('b', 3, { confidence: 0.95 }),
      call('b', 1, { confidence: 0.97 }),
    );
    expect(calibration).toEqual([
      { from: 0.95, links: 2, claimed: expect.closeTo(0.96), right: 0.5 },
      { from: 0.999, links: 1, claimed: 1, right: 1 },
    ]);
    expect(calibrationError).toBeCloseTo((2 * 0.46 + 0) / 3);
  });

  it('is empty where no link was made', () => {
    expect(scored(call('a', undefined))).toMatchObject({ calibration: [], calibrationError: 0 });
  });
});
