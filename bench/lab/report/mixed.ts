import type { Scenario, Steps } from '../scenario.js';
import { callees } from './callees.js';

const quote: Steps = [{ call: 'people/session/{id}' }, { call: 'tax/rate/{id}' }];

export const MIXED: readonly Scenario[] = [
  {
    name: 'go-market',
    what: 'Go: four goroutines, branches of two calls, three calls in a row, a cached page, a call nobody waits for, a job on a timer',
    workload: 'hand-off',
    entry: 'web',
    mix: { '/four/{id}': 2, '/branches/{id}': 2, '/row/{id}': 2, '/page/{id}': 2, '/tell/{id}': 1 },
    seed: 141,
    services: [
      ...callees(['people', 'cart', 'tax', 'ads']),
      {
        name: 'web',
        runtime: 'go',
        routes: {
          '/four': [
            {
              all: [
                [{ call: 'people/v2/{id}' }],
                [{ call: 'cart/items/{id}' }],
                [{ call: 'tax/rate/{id}' }],
                [{ call: 'ads/pick/{id}' }],
              ],
            },
          ],
          '/branches': [{ all: [quote, [{ waitMs: [1, 4] }, { call: 'cart/items/{id}' }]] }],
          '/row': [...quote, { call: 'cart/weak/{id}', attempts: 2 }],
          '/page': [{ cache: 'page', entries: 5, ttlMs: 90, steps: [{ call: 'ads/pick/{id}' }] }],
          '/tell': [{ detach: [{ call: 'ads/pick/{id}' }] }, { call: 'people/session/{id}' }],
        },
        background: [{ everyMs: 140, steps: [{ call: 'tax/zone/0' }] }],
      },
    ],
  },
  {
    name: 'front-doors',
    what: 'nginx that sends paths to two services, one of them behind HAProxy: gunicorn threads and a Java pool',
    workload: 'threads',
    entry: 'door',
    mix: { '/shop/{id}': 3, '/desk/{id}': 2 },
    seed: 142,
    services: [
      ...callees(['people', 'cart', 'tax']),
      {
        name: 'door',
        runtime: 'nginx',
        routes: {},
        upstreams: { '/shop': 'spread', '/desk': 'desk' },
      },
      { name: 'spread', runtime: 'haproxy', routes: {}, upstreams: { '/': 'shop' } },
      {
        name: 'shop',
        runtime: 'gunicorn-gthread',
        processes: 1,
        pool: 12,
        routes: { '/shop': [...quote, { call: 'people/v2/{id}' }] },
      },
      {
        name: 'desk',
        runtime: 'java',
        mode: 'pool',
        pool: 10,
        routes: { '/desk': [{ call: 'cart/items/{id}' }, { call: 'cart/items/{id}' }] },
      },
    ],
  },
  {
    name: 'deep',
    what: 'six deep and branching: HAProxy, gunicorn, Node, Java, Python threads, Node',
    workload: 'loop',
    scale: 0.5,
    entry: 'door',
    mix: { '/full/{id}': 2, '/half/{id}': 2 },
    seed: 143,
    services: [
      ...callees(['people', 'cart', 'tax', 'ads']),
      { name: 'door', runtime: 'haproxy', routes: {}, upstreams: { '/': 'one' } },
      {
        name: 'one',
        runtime: 'gunicorn-gthread',
        processes: 1,
        pool: 16,
        routes: {
          '/full': [{ call: 'two/full/{id}' }, { call: 'people/session/{id}' }],
          '/half': [{ call: 'four/half/{id}' }],
        },
      },
      {
        name: 'two',
        runtime: 'node',
        routes: {
          '/full': [{ all: [[{ call: 'three/full/{id}' }], [{ call: 'ads/pick/{id}' }]] }],
        },
      },
      {
        name: 'three',
        runtime: 'java',
        mode: 'pool',
        pool: 16,
        routes: { '/full': [{ call: 'tax/zone/{id}' }, { call: 'four/full/{id}' }] },
      },
      {
        name: 'four',
        runtime: 'python-threads',
        routes: { '/full': [{ call: 'five/full/{id}' }], '/half': [{ call: 'five/half/{id}' }] },
      },
      {
        name: 'five',
        runtime: 'node',
        client: 'agent',
        routes: {
          '/full': [{ call: 'cart/items/{id}' }, { call: 'tax/rate/{id}' }],
          '/half': [{ call: 'people/v2/{id}' }],
        },
      },
    ],
  },
];
