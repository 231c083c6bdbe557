import type { Scenario, Steps } from '../scenario.js';
import { callees } from './callees.js';

const quote: Steps = [
  { call: 'people/session/{id}' },
  { chance: 0.7, steps: [{ call: 'tax/rate/{id}' }], else: [{ call: 'tax/zone/{id}' }] },
  { call: 'people/v2/{id}' },
];
const basket: Steps = [
  { cache: 'basket', entries: 6, ttlMs: 120, steps: [{ call: 'cart/items/{id}' }] },
  { call: 'tax/zone/{id}' },
];
const pay: Steps = [{ call: 'cart/weak/{id}', attempts: 2 }, { call: 'people/v2/{id}' }];
const idle: Steps = [{ waitMs: [1, 5] }];
const routes = { '/quote': quote, '/basket': basket, '/pay': pay, '/idle': idle };
const blocking = {
  entry: 'web',
  workload: 'threads',
  mix: { '/quote/{id}': 3, '/basket/{id}': 3, '/pay/{id}': 2, '/idle': 1 },
} as const;

const three: Steps = [
  {
    all: [
      [{ call: 'cart/items/{id}' }],
      [{ call: 'tax/rate/{id}' }],
      [{ call: 'people/v2/{id}' }, { call: 'people/session/{id}' }],
    ],
  },
];
const loopRoutes = {
  '/three': three,
  '/nap': [{ waitMs: [4, 9] }, { call: 'cart/items/{id}' }, { waitMs: [1, 2] }],
  '/quote': quote,
  '/page': [{ file: 'data.txt' }, { call: 'tax/rate/{id}' }],
} as const;
const loop = {
  entry: 'web',
  mix: { '/three/{id}': 3, '/nap/{id}': 3, '/quote/{id}': 2, '/page/{id}': 1 },
} as const;

export const PYTHON: readonly Scenario[] = [
  {
    ...blocking,
    name: 'python-quotes',
    what: 'Python, one thread per connection: three calls in a row of which one varies, cached baskets, retries, pages without a call, two jobs on timers',
    seed: 121,
    services: [
      ...callees(['people', 'cart', 'tax']),
      {
        name: 'web',
        runtime: 'python-threads',
        routes,
        background: [
          { everyMs: 130, steps: [{ call: 'tax/zone/0' }] },
          { everyMs: 510, steps: [{ call: 'people/session/0' }, { call: 'cart/items/0' }] },
        ],
      },
    ],
  },
  {
    ...blocking,
    name: 'gunicorn-workers',
    what: 'gunicorn, six processes that each answer one request at a time',
    scale: 0.6,
    seed: 122,
    services: [
      ...callees(['people', 'cart', 'tax']),
      { name: 'web', runtime: 'gunicorn-sync', processes: 6, routes },
    ],
  },
  {
    ...blocking,
    name: 'gunicorn-threads',
    what: 'gunicorn, one process with twenty threads, and a job on a timer',
    seed: 123,
    services: [
      ...callees(['people', 'cart', 'tax']),
      {
        name: 'web',
        runtime: 'gunicorn-gthread',
        processes: 1,
        pool: 20,
        routes,
        background: [{ everyMs: 210, steps: [{ call: 'people/session/0' }] }],
      },
    ],
  },
  {
    name: 'python-executor',
    what: 'Python: branches of one and two calls on a pool of twelve threads that all requests share',
    workload: 'hand-off',
    entry: 'web',
    mix: { '/three/{id}': 2, '/two/{id}': 3, '/quote/{id}': 1 },
    seed: 124,
    services: [
      ...callees(['people', 'cart', 'tax']),
      {
        name: 'web',
        runtime: 'python-threads',
        pool: 12,
        routes: {
          '/three': three,
          '/two': [
            { call: 'people/session/{id}' },
            { all: [[{ call: 'tax/rate/{id}' }], [{ call: 'tax/zone/{id}' }]] },
          ],
          '/quote': quote,
        },
      },
    ],
  },
  {
    ...loop,
    name: 'aiohttp-naps',
    what: 'asyncio with aiohttp: branches of unequal length, sleeps before and after calls, files read in a thread; connections for all',
    workload: 'hand-off',
    seed: 125,
    services: [
      ...callees(['people', 'cart', 'tax']),
      {
        name: 'web',
        runtime: 'aiohttp',
        limit: 3000,
        routes: loopRoutes,
        background: [{ everyMs: 190, steps: [{ call: 'people/session/0' }] }],
      },
    ],
  },
  {
    ...loop,
    name: 'aiohttp-crowded',
    what: 'asyncio with aiohttp, whose connector is full at 60 connections',
    workload: 'open',
    seed: 126,
    services: [
      ...callees(['people', 'cart', 'tax']),
      { name: 'web', runtime: 'aiohttp', limit: 60, routes: loopRoutes },
    ],
  },
];
