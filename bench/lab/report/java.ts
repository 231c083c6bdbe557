import type { Scenario, Service, Steps } from '../scenario.js';
import { callees } from './callees.js';

const quote: Steps = [
  { call: 'people/session/{id}' },
  { call: 'tax/rate/{id}' },
  { chance: 0.4, steps: [{ call: 'people/v2/{id}' }] },
];
const pay: Steps = [{ call: 'cart/weak/{id}', attempts: 3 }, { call: 'tax/zone/{id}' }];
const basket: Steps = [
  { cache: 'basket', entries: 8, ttlMs: 150, steps: [{ call: 'cart/items/{id}' }] },
];
const three: Steps = [
  {
    all: [[{ call: 'cart/items/{id}' }], [{ call: 'tax/rate/{id}' }], [{ call: 'people/v2/{id}' }]],
  },
];

const java = (
  mode: NonNullable<Service['mode']>,
  pool: number,
  routes: Service['routes'],
  background: NonNullable<Service['background']> = [],
): Service => ({ name: 'web', runtime: 'java', mode, pool, routes, background });
const mix = { '/quote/{id}': 3, '/pay/{id}': 2, '/basket/{id}': 2 };
const routes = { '/quote': quote, '/pay': pay, '/basket': basket };

export const JAVA: readonly Scenario[] = [
  {
    name: 'java-handlers',
    what: 'Java HttpServer, a pool of sixteen, HttpClient.send: two or three calls in a row, retries, a cached basket, a health check',
    workload: 'threads',
    entry: 'web',
    mix,
    seed: 131,
    services: [
      ...callees(['people', 'cart', 'tax']),
      java('pool', 16, routes, [{ everyMs: 240, steps: [{ call: 'people/session/0' }] }]),
    ],
  },
  {
    name: 'java-executor-wait',
    what: 'Java: the handler queues the work for a second pool of six and waits for it',
    workload: 'hand-off',
    entry: 'web',
    mix,
    seed: 132,
    services: [...callees(['people', 'cart', 'tax']), java('queue-wait', 6, routes)],
  },
  {
    name: 'java-executor-answer',
    what: 'Java: the handler queues the work for a second pool of twelve, which answers as well',
    workload: 'hand-off',
    entry: 'web',
    mix,
    seed: 133,
    services: [
      ...callees(['people', 'cart', 'tax']),
      java('queue-answer', 12, routes, [{ everyMs: 320, steps: [{ call: 'tax/zone/0' }] }]),
    ],
  },
  {
    name: 'java-together',
    what: 'Java, sendAsync: three calls together, or one that a cache may skip',
    workload: 'hand-off',
    entry: 'web',
    mix: { '/three/{id}': 2, '/basket/{id}': 2, '/one/{id}': 1 },
    seed: 134,
    services: [
      ...callees(['people', 'cart', 'tax']),
      java('async', 12, {
        '/three': three,
        '/basket': basket,
        '/one': [{ call: 'people/v2/{id}' }],
      }),
    ],
  },
  {
    name: 'java-futures',
    what: 'Java, chains of thenCompose of one to four calls, with a retry',
    workload: 'open',
    entry: 'web',
    mix,
    seed: 135,
    services: [...callees(['people', 'cart', 'tax']), java('async', 12, routes)],
  },
];
