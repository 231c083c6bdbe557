import type { Scenario, Service, Steps } from '../scenario.js';

/** Three leaves in Go, with the delays that the callers see. */
const leaves = (names: readonly string[], waitMs: readonly [number, number]): Service[] =>
  names.map((name) => ({
    name,
    runtime: 'go',
    routes: { '/get': [{ waitMs }], '/list': [{ waitMs: [waitMs[0] * 2, waitMs[1] * 2] }] },
  }));

const pair: Steps = [{ all: [[{ call: 'stock/get/{id}' }], [{ call: 'price/get/{id}' }]] }];
const sequence: Steps = [{ call: 'stock/list/{id}' }, { call: 'price/get/{id}' }];
const twice: Steps = [{ call: 'stock/get/{id}' }, { call: 'stock/get/{id}' }];

export const NODE: readonly Scenario[] = [
  {
    name: 'node-fetch',
    what: 'Node, fetch: a pair together, one after another, the same callee twice, cached pages',
    workload: 'loop',
    entry: 'front',
    mix: { '/pair/{id}': 4, '/sequence/{id}': 3, '/twice/{id}': 2, '/page/{id}': 2 },
    seed: 11,
    services: [
      ...leaves(['stock', 'price'], [2, 5]),
      {
        name: 'front',
        runtime: 'node',
        routes: {
          '/pair': pair,
          '/sequence': sequence,
          '/twice': twice,
          '/page': [
            { cache: 'page', entries: 5, ttlMs: 100, steps: [{ call: 'price/list/{id}' }] },
          ],
        },
        background: [{ everyMs: 400, steps: [{ call: 'stock/get/health' }] }],
      },
    ],
  },
  {
    name: 'node-timers',
    what: 'Node, fetch with a fixed or a random timer before, between or after the calls',
    workload: 'hand-off',
    entry: 'front',
    mix: { '/fixed/{id}': 3, '/random/{id}': 3, '/between/{id}': 3, '/late/{id}': 2 },
    seed: 12,
    services: [
      ...leaves(['stock', 'price'], [2, 5]),
      {
        name: 'front',
        runtime: 'node',
        client: 'agent',
        routes: {
          '/fixed': [{ waitMs: [3, 3] }, ...pair],
          '/random': [{ waitMs: [1, 6] }, ...pair],
          '/between': [{ call: 'price/get/{id}' }, { waitMs: [1, 4] }, { call: 'stock/get/{id}' }],
          '/late': [...sequence, { waitMs: [1, 3] }],
        },
      },
    ],
  },
];
