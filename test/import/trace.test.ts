import { describe, expect, test } from 'vitest';
import { JAEGER } from '../../src/import/jaeger.js';
import type { DraftExchange } from '../../src/import/trace.js';
import { TraceCollector } from '../../src/import/traces.js';
import { type JaegerFacts, jaegerTrace, SHOP } from './spans.js';

function collect(...traces: (readonly JaegerFacts[])[]) {
  const collector = new TraceCollector(true);
  for (const [i, spans] of traces.entries()) {
    for (const list of JAEGER.parse(jaegerTrace(`t${i}`, spans))!.traces) collector.add(list);
  }
  return collector.finish();
}

/** `client front(c) of server front(a) -> cart(d)`, sorted. */
function describeDrafts(drafts: readonly DraftExchange[]): string[] {
  const name = ({ service, span }: DraftExchange) => `${service}(${span.spanId})`;
  return drafts
    .map((draft) => {
      const cause = draft.cause === undefined ? '' : ` of ${name(draft.cause)}`;
      const peer = draft.peer === undefined ? '' : ` -> ${name(draft.peer)}`;
      return `${draft.role} ${name(draft)}${cause}${peer}`;
    })
    .sort();
}
const drafted = (...traces: (readonly JaegerFacts[])[]) =>
  describeDrafts(collect(...traces).drafts);

describe('spans of both ends', () => {
  test('a client above a server is one hop; internal spans vanish, what is below them does not', () => {
    expect(drafted(SHOP)).toEqual([
      'client cart(e) of cart(d)',
      'client front(c) of front(a) -> cart(d)',
      'server cart(d) -> front(c)',
      'server front(a)',
    ]);
    expect(collect(SHOP)).toMatchObject({ internalSpans: 1, traces: 1, missingParents: 0 });
  });

  test('the order of the spans does not matter', () => {
    expect(drafted([...SHOP].reverse())).toEqual(drafted(SHOP));
  });

  test('a client below a client belongs to the same request', () => {
    const nested = [
      { id: 'a', service: 'x', kind: 'server' },
      { id: 'b', parent: 'a', service: 'x', kind: 'client' },
      { id: 'c', parent: 'b', service: 'x', kind: 'client', start: 1 },
      { id: 'd', parent: 'c', service: 'y', kind: 'server', start: 2 },
    ];
    expect(drafted(nested)).toEqual([
      'client x(b) of x(a)',
      'client x(c) of x(a) -> y(d)',
      'server x(a)',
      'server y(d) -> x(c)',
    ]);
  });

  test('of several servers below one client the earliest is its other end', () => {
    const fan = [
      { id: 'a', service: 'x', kind: 'server' },
      { id: 'b', parent: 'a', service: 'x', kind: 'client', start: 1 },
      { id: 'late', parent: 'b', service: 'y', kind: 'server', start: 5 },
      { id: 'soon', parent: 'b', service: 'y', kind: 'server', start: 2 },
    ];
    expect(drafted(fan)).toEqual([
      'client x(b) of x(a) -> y(soon)',
      'client x(late) of x(a) -> y(late)',
      'server x(a)',
      'server y(late) -> x(late)',
      'server y(soon) -> x(b)',
    ]);
  });

  test('a client without parent stays a call, where the file knows calls', () => {
    const background = [{ id: 'p', service: 'cart', kind: 'client' }];
    const entry = [
      { id: 'k', service: 'browser', kind: 'client' },
      { id: 'l', parent: 'k', service: 'front', kind: 'server', start: 1 },
    ];
    const expected = [
      'client browser(k) -> front(l)',
      'client cart(p)',
      'server front(l) -> browser(k)',
    ];
    expect(drafted(SHOP, background, entry)).toEqual(expect.arrayContaining(expected));
    expect(drafted(entry, background, SHOP)).toEqual(drafted(SHOP, background, entry));
  });

  test('both ends under one id, as Zipkin shares it', () => {
    const shared = [
      { id: 'a', service: 'x', kind: 'server' },
      { id: 'b', parent: 'a', service: 'x', kind: 'client', start: 1 },
      { id: 'b', parent: 'a', service: 'y', kind: 'server', start: 2 },
      { id: 'c', parent: 'b', service: 'y', kind: 'client', start: 3 },
      { id: 'd', parent: 'b', service: 'x', start: 3 },
    ];
    expect(drafted(shared)).toEqual([
      'client x(b) of x(a) -> y(b)',
      'client y(c) of y(b)',
      'server x(a)',
      'server y(b) -> x(b)',
    ]);
  });
});

describe('server spans alone', () => {
  const alone = [
    { id: '1', service: 'init', kind: 'client' },
    { id: '2', parent: '1', service: 'one', kind: 'server', start: 1 },
    { id: '3', parent: '2', service: 'two', kind: 'server', start: 2 },
  ];
  test('a client exchange is made at the caller; the entry is the request it stands for', () => {
    expect(drafted(alone)).toEqual([
      'client init(2) of init(1) -> one(2)',
      'client one(3) of one(2) -> two(3)',
      'server init(1)',
      'server one(2) -> init(2)',
      'server two(3) -> one(3)',
    ]);
  });

  test('without any kind, spans of another service are requests, the others work', () => {
    const kindless = [
      { id: 'a', service: 'nginx' },
      { id: 'b', parent: 'a', service: 'nginx', start: 1 },
      { id: 'c', parent: 'b', service: 'text', start: 2 },
      { id: 'MongoUpdate', parent: 'c', service: 'text', start: 3 },
    ];
    expect(drafted(kindless)).toEqual([
      'client nginx(c) of nginx(a) -> text(c)',
      'server nginx(a)',
      'server text(c) -> nginx(c)',
    ]);
    expect(collect(kindless).internalSpans).toBe(2);
  });
});

describe('broken traces', () => {
  test('a missing parent leaves a request, but no internal work, standing alone', () => {
    const orphans = [
      { id: 'a', parent: 'lost', service: 'x', kind: 'server' },
      { id: 'b', parent: 'lost', service: 'x', kind: 'internal' },
      { id: 'c', parent: 'b', service: 'x', kind: 'client' },
    ];
    expect(drafted(orphans)).toEqual(['client x(c)', 'server x(a)']);
    expect(collect(orphans).missingParents).toBe(2);
  });

  test('cycles are cut, copies dropped', () => {
    const cycle = [
      { id: 'a', parent: 'b', service: 'x', kind: 'server' },
      { id: 'b', parent: 'a', service: 'x', kind: 'client' },
      { id: 'b', parent: 'a', service: 'x', kind: 'client' },
      { id: 'c', parent: 'c', service: 'x', kind: 'server' },
    ];
    const { drafts, duplicateSpans } = collect(cycle);
    expect(drafts.filter(({ role }) => role === 'server')).toHaveLength(2);
    expect(duplicateSpans).toBe(1);
  });

  test('a chain of 100,000 spans takes no longer than its length', () => {
    const chain = Array.from({ length: 100_000 }, (_, i) => ({
      id: `s${i}`,
      ...(i === 0 ? {} : { parent: `s${i - 1}` }),
      service: 'x',
      kind: i === 0 ? 'server' : 'client',
      start: i,
    }));
    const before = performance.now();
    expect(
      collect(chain.reverse()).drafts.every(({ cause, role }) => role === 'server' || cause),
    ).toBe(true);
    expect(performance.now() - before).toBeLessThan(10_000);
  });
});
