import type { Scenario, Steps } from '../scenario.js';
import { leaves } from './leaves.js';

const pair: Steps = [{ all: [[{ call: 'stock/get/{id}' }], [{ call: 'price/get/{id}' }]] }];
const sequence: Steps = [{ call: 'stock/list/{id}' }, { call: 'price/get/{id}' }];
const twice: Steps = [{ call: 'stock/get/{id}' }, { call: 'stock/get/{id}' }];
const callees = leaves(['stock', 'price'], 2, 5);

/** Event loops in which a call follows what the loop has just read. */
export const NODE: readonly Scenario[] = [
  {
    name: 'node-fetch',
    what: 'Node, fetch: a pair together, one after another, the same callee twice, a cached page, a health check',
    workload: 'loop',
    entry: 'front',
    mix: { '/pair/{id}': 4, '/sequence/{id}': 3, '/twice/{id}': 2, '/page/{id}': 2 },
    seed: 11,
    services: [
      ...callees,
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
    name: 'node-errors',
    what: 'Node, keep-alive agent: retries, failures, calls that outlive the request, work after the response, server-sent events',
    workload: 'loop',
    entry: 'front',
    mix: { '/retry/{id}': 3, '/fails/{id}': 2, '/forget/{id}': 3, '/after/{id}': 2, '/events': 1 },
    seed: 12,
    services: [
      ...callees,
      {
        name: 'front',
        runtime: 'node',
        client: 'agent',
        routes: {
          '/retry': [{ call: 'stock/flaky/{id}', attempts: 3 }, { call: 'price/get/{id}' }],
          '/fails': [{ call: 'stock/flaky/{id}' }, { call: 'price/get/{id}' }],
          '/forget': [{ detach: [{ call: 'stock/list/{id}' }] }, { call: 'price/get/{id}' }],
          '/after': [{ call: 'price/get/{id}' }, { answer: true }, { call: 'stock/get/{id}' }],
          '/events': [{ stream: 3, steps: [{ call: 'price/get/{id}' }] }],
        },
        background: [{ everyMs: 250, steps: [{ call: 'price/get/health' }] }],
      },
    ],
  },
  {
    name: 'node-fan-out',
    what: 'Node, fetch: ten calls together, a diamond through two more Node services',
    workload: 'loop',
    scale: 0.6,
    entry: 'front',
    mix: { '/wide/{id}': 1, '/diamond/{id}': 2 },
    seed: 13,
    services: [
      ...callees,
      { name: 'left', runtime: 'node', routes: { '/item': [{ call: 'stock/get/{id}' }] } },
      { name: 'right', runtime: 'node', routes: { '/item': [{ call: 'stock/get/{id}' }] } },
      {
        name: 'front',
        runtime: 'node',
        routes: {
          '/wide': [
            {
              all: Array.from({ length: 10 }, (_, i) => [
                { call: i % 2 === 0 ? 'stock/get/{id}' : 'price/get/{id}' },
              ]),
            },
          ],
          '/diamond': [{ all: [[{ call: 'left/item/{id}' }], [{ call: 'right/item/{id}' }]] }],
        },
      },
    ],
  },
  {
    name: 'express-redis',
    what: 'Express: a command to Redis, over one pipelined connection, before or between the calls',
    workload: 'loop',
    entry: 'front',
    mix: { '/cart/{id}': 3, '/count/{id}': 2, '/pair/{id}': 2 },
    seed: 14,
    services: [
      ...callees,
      {
        name: 'front',
        runtime: 'node',
        framework: 'express',
        stores: ['redis'],
        routes: {
          '/cart': [{ store: 'redis' }, { call: 'price/get/{id}' }, { call: 'stock/get/{id}' }],
          '/count': [{ call: 'stock/get/{id}' }, { store: 'redis' }, { call: 'price/get/{id}' }],
          '/pair': [{ store: 'redis' }, ...pair],
        },
      },
    ],
  },
];

/** Event loops in which something that the socket does not show lies between cause and call. */
export const NODE_HAND_OFF: readonly Scenario[] = [
  {
    name: 'node-timers',
    what: 'Node, keep-alive agent: a fixed or a random timer before, between or after the calls; a hedged call',
    workload: 'hand-off',
    entry: 'front',
    mix: {
      '/fixed/{id}': 3,
      '/random/{id}': 3,
      '/between/{id}': 3,
      '/late/{id}': 2,
      '/hedge/{id}': 1,
    },
    seed: 15,
    services: [
      ...callees,
      {
        name: 'front',
        runtime: 'node',
        client: 'agent',
        routes: {
          '/fixed': [{ waitMs: [3, 3] }, ...pair],
          '/random': [{ waitMs: [1, 6] }, ...pair],
          '/between': [{ call: 'price/get/{id}' }, { waitMs: [1, 4] }, { call: 'stock/get/{id}' }],
          '/late': [...sequence, { waitMs: [1, 3] }],
          '/hedge': [{ call: 'stock/list/{id}', hedgeMs: 7 }],
        },
      },
    ],
  },
  {
    name: 'node-files',
    what: 'Node, fetch: a file is read before the calls, or between them',
    workload: 'hand-off',
    entry: 'front',
    mix: { '/pair/{id}': 3, '/between/{id}': 2, '/plain/{id}': 1 },
    seed: 16,
    services: [
      ...callees,
      {
        name: 'front',
        runtime: 'node',
        routes: {
          '/pair': [{ file: 'data.txt' }, ...pair],
          '/between': [
            { call: 'price/get/{id}' },
            { file: 'data.txt' },
            { call: 'stock/get/{id}' },
          ],
          '/plain': sequence,
        },
        background: [{ everyMs: 300, steps: [{ call: 'price/get/health' }] }],
      },
    ],
  },
  {
    name: 'node-dns',
    what: 'Node: every call looks a name up in the resolver’s threads and connects anew',
    workload: 'hand-off',
    scale: 0.7,
    entry: 'front',
    mix: { '/pair/{id}': 3, '/sequence/{id}': 2 },
    seed: 17,
    services: [
      ...callees,
      {
        name: 'front',
        runtime: 'node',
        client: 'lookup',
        routes: { '/pair': pair, '/sequence': sequence },
      },
    ],
  },
  {
    name: 'node-workers',
    what: 'Node: two worker threads make the calls for the thread that answers',
    workload: 'hand-off',
    entry: 'front',
    mix: { '/pair/{id}': 3, '/one/{id}': 2, '/plain/{id}': 1 },
    seed: 18,
    services: [
      ...callees,
      {
        name: 'front',
        runtime: 'node',
        workers: 2,
        routes: {
          '/pair': [{ worker: pair }],
          '/one': [{ worker: [{ call: 'stock/get/{id}' }] }],
          '/plain': [{ call: 'price/get/{id}' }],
        },
      },
    ],
  },
  {
    name: 'node-agent-queue',
    what: 'Node, an agent of 4 sockets for each callee: calls queue for a connection',
    workload: 'hand-off',
    scale: 0.7,
    entry: 'front',
    mix: { '/pair/{id}': 3, '/sequence/{id}': 2 },
    seed: 19,
    services: [
      ...callees,
      {
        name: 'front',
        runtime: 'node',
        client: 'agent',
        maxSockets: 4,
        routes: { '/pair': pair, '/sequence': sequence },
      },
    ],
  },
  {
    name: 'node-agent-mixed',
    what: 'Node, an agent of 8 sockets for each callee: three calls together to three callees, two in a row, and single ones, of which each callee gets a different mix',
    workload: 'hand-off',
    scale: 0.7,
    entry: 'front',
    mix: { '/all/{id}': 3, '/chain/{id}': 2, '/one/{id}': 1 },
    seed: 241,
    services: [
      ...leaves(['stock', 'price', 'user'], 2, 5),
      {
        name: 'front',
        runtime: 'node',
        client: 'agent',
        maxSockets: 8,
        routes: {
          '/all': [
            {
              all: [
                [{ call: 'stock/get/{id}' }],
                [{ call: 'price/list/{id}' }],
                [{ call: 'user/get/{id}' }],
              ],
            },
          ],
          '/chain': [{ call: 'user/list/{id}' }, { call: 'stock/get/{id}' }],
          '/one': [{ call: 'price/list/{id}' }],
        },
      },
    ],
  },
  {
    name: 'node-agent-trio',
    what: 'Node, an agent of 5 sockets for each callee: three calls together, two of them to one callee, or one after another with a page cached in between',
    workload: 'hand-off',
    scale: 0.7,
    entry: 'front',
    mix: { '/trio/{id}': 2, '/sequence/{id}': 2, '/page/{id}': 1 },
    seed: 229,
    services: [
      ...callees,
      {
        name: 'front',
        runtime: 'node',
        client: 'agent',
        maxSockets: 5,
        routes: {
          '/trio': [
            {
              all: [
                [{ call: 'stock/get/{id}' }],
                [{ call: 'price/get/{id}' }],
                [{ call: 'stock/list/{id}' }],
              ],
            },
          ],
          '/sequence': sequence,
          '/page': [
            { cache: 'page', entries: 8, ttlMs: 60, steps: [{ call: 'price/list/{id}' }] },
            { call: 'stock/get/{id}' },
          ],
        },
      },
    ],
  },
  {
    name: 'node-pauses',
    what: 'Node, fetch: timers of 3 to 30 ms before, between and after the calls, and in branches',
    workload: 'hand-off',
    scale: 0.7,
    entry: 'front',
    mix: { '/first/{id}': 2, '/branches/{id}': 2, '/after/{id}': 1 },
    seed: 231,
    services: [
      ...callees,
      {
        name: 'front',
        runtime: 'node',
        client: 'fetch',
        routes: {
          '/first': [{ waitMs: [3, 30] }, { call: 'stock/get/{id}' }, { call: 'price/list/{id}' }],
          '/branches': [
            {
              all: [
                [{ waitMs: [3, 20] }, { call: 'stock/get/{id}' }],
                [{ call: 'price/get/{id}' }, { waitMs: [5, 15] }, { call: 'stock/list/{id}' }],
              ],
            },
          ],
          '/after': [{ call: 'price/get/{id}' }, { waitMs: [3, 30] }],
        },
      },
    ],
  },
  {
    name: 'node-request-ids',
    what: 'Node with timers, which passes x-request-id on; a job on a timer that always sends the same one',
    workload: 'hand-off',
    scale: 0.7,
    entry: 'front',
    identity: 'x-request-id',
    mix: { '/random/{id}': 3, '/through/{id}': 2 },
    seed: 20,
    services: [
      ...callees,
      {
        name: 'middle',
        runtime: 'node',
        propagate: 'x-request-id',
        routes: { '/part': [{ waitMs: [1, 6] }, { call: 'stock/get/{id}' }] },
      },
      {
        name: 'front',
        runtime: 'node',
        propagate: 'x-request-id',
        routes: {
          '/random': [{ waitMs: [1, 6] }, ...pair],
          '/through': [{ waitMs: [1, 6] }, { call: 'middle/part/{id}' }],
        },
        background: [
          {
            everyMs: 150,
            headers: { 'x-request-id': 'cron' },
            steps: [{ call: 'middle/part/0' }],
          },
        ],
      },
    ],
  },
  {
    name: 'node-sessions',
    what: 'Node with timers, which passes on the cookie of the user; a job whose cookie is always the same',
    workload: 'hand-off',
    scale: 0.7,
    entry: 'front',
    identity: 'cookie',
    mix: { '/visit/{id}': 3, '/browse/{id}': 2 },
    seed: 233,
    services: [
      ...callees,
      {
        name: 'account',
        runtime: 'node',
        propagate: 'cookie',
        routes: { '/profile': [{ waitMs: [1, 6] }, { call: 'stock/get/{id}' }] },
      },
      {
        name: 'front',
        runtime: 'node',
        propagate: 'cookie',
        routes: {
          '/visit': [{ waitMs: [1, 6] }, { call: 'account/profile/{id}' }],
          '/browse': [{ waitMs: [1, 6] }, ...pair, { waitMs: [1, 3] }],
        },
        background: [
          {
            everyMs: 150,
            headers: { cookie: 'session=the-robot-s-own-session' },
            steps: [{ call: 'account/profile/0' }],
          },
        ],
      },
    ],
  },
  {
    name: 'node-items',
    what: 'Node with timers: numbers of things in paths, passed on to one callee; another is asked for items of its own choice, some of them popular',
    workload: 'hand-off',
    scale: 0.7,
    entry: 'front',
    mix: { '/item/{item}': 3, '/ship/{id}': 2 },
    seed: 235,
    services: [
      ...callees,
      {
        name: 'front',
        runtime: 'node',
        client: 'agent',
        routes: {
          '/item': [
            { waitMs: [1, 6] },
            { call: 'stock/get/{own}' },
            { waitMs: [1, 4] },
            { call: 'price/get/{item}' },
          ],
          '/ship': [{ waitMs: [1, 6] }, { call: 'stock/list/{own}' }, { call: 'price/list/{id}' }],
        },
        background: [{ everyMs: 200, steps: [{ call: 'stock/get/{item}' }] }],
      },
    ],
  },
];
