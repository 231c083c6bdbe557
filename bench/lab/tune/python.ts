import type { Scenario } from '../scenario.js';

export const PYTHON: readonly Scenario[] = [
  {
    name: 'python-threads',
    what: 'Python, one thread per connection: sequential calls, a retry, a skipped call',
    workload: 'threads',
    entry: 'front',
    mix: { '/order/{id}': 4, '/check/{id}': 3, '/retry/{id}': 2 },
    seed: 21,
    services: [
      {
        name: 'stock',
        runtime: 'go',
        routes: {
          '/get': [{ waitMs: [1, 3] }],
          '/flaky': [{ waitMs: [1, 2] }, { chance: 0.3, steps: [{ status: 503 }] }],
        },
      },
      { name: 'price', runtime: 'go', routes: { '/get': [{ waitMs: [2, 4] }] } },
      {
        name: 'front',
        runtime: 'python-threads',
        routes: {
          '/order': [{ call: 'stock/get/{id}' }, { call: 'price/get/{id}' }],
          '/check': [
            { call: 'price/get/{id}' },
            { chance: 0.5, steps: [{ call: 'stock/get/{id}' }] },
          ],
          '/retry': [{ call: 'stock/flaky/{id}', attempts: 3 }, { call: 'price/get/{id}' }],
        },
        background: [{ everyMs: 300, steps: [{ call: 'price/get/health' }] }],
      },
    ],
  },
];
