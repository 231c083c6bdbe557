import type { Scenario, Steps } from '../scenario.js';
import { leaves } from './leaves.js';

const callees = leaves(['stock', 'price'], 2, 5);
const pair: Steps = [{ all: [[{ call: 'stock/get/{id}' }], [{ call: 'price/get/{id}' }]] }];
const order: Steps = [{ call: 'stock/get/{id}' }, { call: 'price/get/{id}' }];

export const MIXED: readonly Scenario[] = [
  {
    name: 'go',
    what: 'Go: a pair of goroutines, calls one after another, a hedged call, a health check',
    workload: 'hand-off',
    entry: 'front',
    mix: { '/pair/{id}': 3, '/order/{id}': 3, '/hedge/{id}': 1 },
    seed: 41,
    services: [
      ...callees,
      {
        name: 'front',
        runtime: 'go',
        routes: {
          '/pair': pair,
          '/order': order,
          '/hedge': [{ call: 'stock/list/{id}', hedgeMs: 7 }],
        },
        background: [{ everyMs: 300, steps: [{ call: 'price/get/health' }] }],
      },
    ],
  },
  {
    name: 'go-later',
    what: 'Go: work that goes on after the answer, goroutines that start goroutines, waits, two timers',
    workload: 'hand-off',
    entry: 'front',
    mix: { '/later/{id}': 3, '/nested/{id}': 2, '/slow/{id}': 2 },
    seed: 44,
    services: [
      ...callees,
      {
        name: 'front',
        runtime: 'go',
        routes: {
          '/later': [
            { call: 'stock/get/{id}' },
            {
              detach: [
                { waitMs: [0, 60] },
                { call: 'price/get/{id}' },
                { call: 'price/list/{id}' },
              ],
            },
          ],
          '/nested': [
            {
              all: [
                [...order, ...pair],
                [{ waitMs: [1, 8] }, { call: 'stock/list/{id}' }],
              ],
            },
          ],
          '/slow': [{ waitMs: [2, 20] }, { call: 'price/get/{id}' }],
        },
        background: [
          { everyMs: 90, steps: [{ call: 'stock/get/health' }] },
          { everyMs: 170, steps: order },
        ],
      },
    ],
  },
  {
    name: 'proxies',
    what: 'HAProxy, then nginx, before Python threads',
    workload: 'threads',
    entry: 'edge',
    mix: { '/order/{id}': 3, '/one/{id}': 2 },
    seed: 42,
    services: [
      ...callees,
      { name: 'edge', runtime: 'haproxy', routes: {}, upstreams: { '/': 'inner' } },
      { name: 'inner', runtime: 'nginx', routes: {}, upstreams: { '/': 'front' } },
      {
        name: 'front',
        runtime: 'python-threads',
        routes: { '/order': order, '/one': [{ call: 'price/get/{id}' }] },
      },
    ],
  },
  {
    name: 'chain',
    what: 'six deep: nginx, Node, Python threads, gunicorn, Java, Node, Go',
    workload: 'loop',
    scale: 0.6,
    entry: 'edge',
    mix: { '/deep/{id}': 3, '/short/{id}': 1 },
    seed: 43,
    services: [
      ...callees,
      { name: 'edge', runtime: 'nginx', routes: {}, upstreams: { '/': 'first' } },
      {
        name: 'first',
        runtime: 'node',
        routes: {
          '/deep': [{ call: 'second/deep/{id}' }],
          '/short': [{ call: 'third/short/{id}' }],
        },
      },
      {
        name: 'second',
        runtime: 'python-threads',
        routes: { '/deep': [{ call: 'third/deep/{id}' }] },
      },
      {
        name: 'third',
        runtime: 'gunicorn-gthread',
        routes: { '/deep': [{ call: 'fourth/deep/{id}' }], '/short': [{ call: 'price/get/{id}' }] },
      },
      {
        name: 'fourth',
        runtime: 'java',
        mode: 'pool',
        routes: { '/deep': [{ call: 'fifth/deep/{id}' }] },
      },
      { name: 'fifth', runtime: 'node', client: 'agent', routes: { '/deep': order } },
    ],
  },
];
