import type { Scenario, Steps } from '../scenario.js';
import { leaves } from './leaves.js';

const callees = leaves(['stock', 'price'], 1.5, 4);
const order: Steps = [{ call: 'stock/get/{id}' }, { call: 'price/get/{id}' }];
const check: Steps = [
  { call: 'price/get/{id}' },
  { chance: 0.5, steps: [{ call: 'stock/get/{id}' }] },
];
const retry: Steps = [{ call: 'stock/flaky/{id}', attempts: 3 }, { call: 'price/get/{id}' }];
const gather: Steps = [{ all: [[{ call: 'stock/get/{id}' }], [{ call: 'price/get/{id}' }]] }];

const blocking = {
  entry: 'front',
  workload: 'threads',
  mix: { '/order/{id}': 4, '/check/{id}': 3, '/retry/{id}': 2 },
} as const;
const routes = { '/order': order, '/check': check, '/retry': retry };
const loop = {
  entry: 'front',
  mix: { '/gather/{id}': 3, '/order/{id}': 2, '/sleep/{id}': 3 },
} as const;
const loopRoutes = {
  '/gather': gather,
  '/order': order,
  '/sleep': [{ waitMs: [2, 2] }, ...gather],
} as const;

export const PYTHON: readonly Scenario[] = [
  {
    ...blocking,
    name: 'python-threads',
    what: 'Python, one thread per connection: calls one after another, retries, a skipped call, a health check',
    seed: 21,
    services: [
      ...callees,
      {
        name: 'front',
        runtime: 'python-threads',
        routes,
        background: [{ everyMs: 300, steps: [{ call: 'price/get/health' }] }],
      },
    ],
  },
  {
    ...blocking,
    name: 'gunicorn-sync',
    what: 'gunicorn, four processes that each answer one request at a time',
    scale: 0.7,
    seed: 22,
    services: [...callees, { name: 'front', runtime: 'gunicorn-sync', processes: 4, routes }],
  },
  {
    ...blocking,
    name: 'gunicorn-gthread',
    what: 'gunicorn, two processes with eight threads each',
    seed: 23,
    services: [...callees, { name: 'front', runtime: 'gunicorn-gthread', processes: 2, routes }],
  },
  {
    name: 'python-pool',
    what: 'Python: calls fanned out over a pool of eight threads that all requests share',
    workload: 'hand-off',
    entry: 'front',
    mix: { '/gather/{id}': 3, '/three/{id}': 1, '/order/{id}': 1 },
    seed: 24,
    services: [
      ...callees,
      {
        name: 'front',
        runtime: 'python-threads',
        pool: 8,
        routes: {
          '/gather': gather,
          '/three': [
            {
              all: [
                [{ call: 'stock/get/{id}' }],
                [{ call: 'price/get/{id}' }],
                [{ call: 'price/list/{id}' }],
              ],
            },
          ],
          '/order': order,
        },
      },
    ],
  },
  {
    ...loop,
    name: 'aiohttp',
    what: 'asyncio with aiohttp: gather, one after another, sleep then gather; connections for all',
    workload: 'hand-off',
    seed: 25,
    services: [...callees, { name: 'front', runtime: 'aiohttp', limit: 2000, routes: loopRoutes }],
  },
  {
    ...loop,
    name: 'aiohttp-full',
    what: 'asyncio with aiohttp, whose connector is full at 100 connections',
    workload: 'open',
    seed: 26,
    services: [
      ...leaves(['stock', 'price'], 8, 20),
      { name: 'front', runtime: 'aiohttp', limit: 100, routes: loopRoutes },
    ],
  },
];
