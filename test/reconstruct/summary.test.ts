import { describe, expect, it } from 'vitest';
import { SPAN_COLUMNS, type SpanTable } from '../../src/model/span.js';
import { emptyTable } from '../../src/model/tables.js';
import { countLinks, summarizeServices } from '../../src/reconstruct/summary.js';
import { processOf } from './assemble/exchanges.js';

type Line = readonly [service: string, host: string, pid: number, role: string, verdict: string];

function spansOf(lines: readonly Line[]): SpanTable {
  return {
    ...emptyTable(SPAN_COLUMNS, lines.length),
    service: lines.map(([service]) => service),
    host: lines.map(([, host]) => host),
    pid: Uint32Array.from(lines, ([, , pid]) => pid),
    role: lines.map(([, , , role]) => role),
    parent_verdict: lines.map(([, , , , verdict]) => verdict),
  };
}

const SPANS = spansOf([
  ['cart', 'a', 12, 'client', 'certain'],
  ['cart', 'a', 11, 'client', 'probable'],
  ['cart', 'a', 12, 'client', 'unknown'],
  ['cart', 'b', 12, 'client', 'root'],
  ['auth', 'a', 7, 'client', 'certain'],
  // A hop is no inferred link.
  ['auth', 'a', 7, 'server', 'certain'],
  // A file may hold what this version does not know.
  ['auth', 'a', 7, 'client', 'toString'],
]);
const NONE = { certain: 0, probable: 0, unknown: 0, root: 0 };

describe('countLinks', () => {
  it('counts the verdicts on calls, and on nothing else', () => {
    expect(countLinks(SPANS)).toEqual({ certain: 2, probable: 1, unknown: 1, root: 1 });
    expect(countLinks(spansOf([]))).toEqual(NONE);
  });
});

describe('summarizeServices', () => {
  const processes = [processOf('cart', 12), processOf('cart', 11), processOf('idle', 3, 1)];
  const models = [
    { process: 0, model: 'threads' },
    { process: 1, model: 'event loop' },
    { process: 1, model: 'threads' },
    { process: 2, model: 'no calls' },
  ];
  const services = summarizeServices(SPANS, processes, ['a', 'b'], models);

  it('lists each service of each host once, in order, with its processes', () => {
    expect(services.map(({ service, host, pids }) => [service, host, pids])).toEqual([
      ['auth', 'a', [7]],
      ['cart', 'a', [11, 12]],
      ['cart', 'b', [12]],
      ['idle', 'b', []],
    ]);
  });

  it('counts the links of each, which add up to those of all', () => {
    expect(services.map(({ links }) => links)).toEqual([
      { ...NONE, certain: 1 },
      { ...NONE, certain: 1, probable: 1, unknown: 1 },
      { ...NONE, root: 1 },
      NONE,
    ]);
    const sum = (key: keyof typeof NONE) =>
      services.reduce((total, { links }) => total + links[key], 0);
    const total = countLinks(SPANS);
    for (const key of ['certain', 'probable', 'unknown', 'root'] as const) {
      expect(sum(key)).toBe(total[key]);
    }
  });

  it('says every way in which its calls find their parents, once', () => {
    expect(services.map(({ model }) => model)).toEqual(['', 'event loop; threads', '', 'no calls']);
  });
});
