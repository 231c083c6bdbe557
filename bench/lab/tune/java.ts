import type { Scenario, Service, Steps } from '../scenario.js';
import { leaves } from './leaves.js';

const callees = leaves(['stock', 'price'], 2, 5);
const pair: Steps = [{ all: [[{ call: 'stock/get/{id}' }], [{ call: 'price/get/{id}' }]] }];
const order: Steps = [{ call: 'stock/get/{id}' }, { call: 'price/get/{id}' }];
const one: Steps = [{ call: 'price/list/{id}' }];
const cachedPage: Steps = [{ cache: 'page', entries: 4, ttlMs: 80, steps: one }];

const java = (mode: NonNullable<Service['mode']>, routes: Service['routes']): Service => ({
  name: 'front',
  runtime: 'java',
  mode,
  pool: 8,
  routes,
});

export const JAVA: readonly Scenario[] = [
  {
    name: 'java-pool',
    what: 'Java HttpServer, a pool of eight, HttpClient.send: calls one after another, a cached page',
    workload: 'threads',
    entry: 'front',
    mix: { '/order/{id}': 3, '/one/{id}': 2, '/page/{id}': 2 },
    seed: 31,
    services: [...callees, java('pool', { '/order': order, '/one': one, '/page': cachedPage })],
  },
  {
    name: 'java-queue-wait',
    what: 'Java: the handler queues the work for a second pool of eight and waits for it',
    workload: 'hand-off',
    entry: 'front',
    mix: { '/order/{id}': 3, '/one/{id}': 2 },
    seed: 32,
    services: [...callees, java('queue-wait', { '/order': order, '/one': one })],
  },
  {
    name: 'java-queue-answer',
    what: 'Java: the handler queues the work for a second pool of eight, which answers as well',
    workload: 'hand-off',
    entry: 'front',
    mix: { '/order/{id}': 3, '/one/{id}': 2 },
    seed: 33,
    services: [...callees, java('queue-answer', { '/order': order, '/one': one })],
  },
  {
    name: 'java-async',
    what: 'Java, sendAsync: a pair together, a single call',
    workload: 'hand-off',
    entry: 'front',
    mix: { '/pair/{id}': 3, '/one/{id}': 1 },
    seed: 34,
    services: [...callees, java('async', { '/pair': pair, '/one': one })],
  },
  {
    name: 'java-compose',
    what: 'Java, chains of thenCompose: one call after another',
    workload: 'open',
    entry: 'front',
    mix: { '/order/{id}': 3, '/one/{id}': 1 },
    seed: 35,
    services: [...callees, java('async', { '/order': order, '/one': one })],
  },
];
