import type { Scenario, Steps } from '../scenario.js';
import { callees } from './callees.js';

const session: Steps = [{ call: 'people/session/{id}' }];
const three: Steps = [
  {
    all: [[{ call: 'cart/items/{id}' }], [{ call: 'tax/rate/{id}' }], [{ call: 'ads/pick/{id}' }]],
  },
];
/** Each branch goes on for itself. */
const branches: Steps = [
  {
    all: [
      [{ call: 'cart/items/{id}' }, { call: 'tax/zone/{id}' }],
      [{ call: 'people/v2/{id}' }, { call: 'people/v2/{id}' }],
    ],
  },
];

export const NODE: readonly Scenario[] = [
  {
    name: 'node-shopping',
    what: 'Node, keep-alive agent: a session first, then three calls together; branches of two; four calls in a row to two callees; pages without a call',
    workload: 'loop',
    entry: 'web',
    mix: { '/basket/{id}': 3, '/profile/{id}': 3, '/walk/{id}': 2, '/static/{id}': 2, '/home': 2 },
    seed: 111,
    services: [
      ...callees(['people', 'cart', 'tax', 'ads']),
      {
        name: 'web',
        runtime: 'node',
        client: 'agent',
        routes: {
          '/basket': [...session, ...three],
          '/profile': branches,
          '/walk': [
            { call: 'people/v2/{id}' },
            { call: 'cart/items/{id}' },
            { call: 'people/v2/{id}' },
            { call: 'cart/items/{id}' },
          ],
          '/static': [],
          '/home': [
            ...session,
            { cache: 'home', entries: 3, ttlMs: 60, steps: [{ call: 'ads/pick/{id}' }] },
          ],
        },
        background: [
          { everyMs: 170, steps: [{ call: 'tax/zone/0' }] },
          { everyMs: 650, steps: [{ call: 'ads/pick/0' }, { call: 'people/session/0' }] },
        ],
      },
    ],
  },
  {
    name: 'node-trouble',
    what: 'Node, fetch: retries of a callee that fails, failures that end a route early, mail sent after the response, parts streamed between calls, a call nobody waits for',
    workload: 'loop',
    entry: 'web',
    mix: { '/pay/{id}': 3, '/quick/{id}': 3, '/order/{id}': 3, '/feed': 1 },
    seed: 112,
    services: [
      ...callees(['people', 'cart', 'tax', 'ads']),
      {
        name: 'web',
        runtime: 'node',
        routes: {
          '/pay': [...session, { call: 'cart/weak/{id}', attempts: 2 }, { call: 'tax/rate/{id}' }],
          '/quick': [
            { detach: [{ call: 'ads/pick/{id}' }, { call: 'tax/zone/{id}' }] },
            ...session,
          ],
          '/order': [
            { call: 'cart/weak/{id}' },
            { answer: true },
            { call: 'people/v2/{id}' },
            { call: 'ads/pick/{id}' },
          ],
          '/feed': [...session, { stream: 5, steps: [{ call: 'people/v2/{id}' }] }],
        },
      },
    ],
  },
  {
    name: 'node-wide',
    what: 'Node, fetch: twelve calls together to four callees, and a diamond of three middle services that share one callee',
    workload: 'loop',
    scale: 0.5,
    entry: 'web',
    mix: { '/board/{id}': 1, '/merge/{id}': 2 },
    seed: 113,
    services: [
      ...callees(['people', 'cart', 'tax', 'ads']),
      ...['north', 'south', 'west'].map(
        (name, i) =>
          ({
            name,
            runtime: 'node',
            client: i === 1 ? 'agent' : 'fetch',
            routes: {
              '/part': i === 2 ? three : [{ call: 'people/v2/{id}' }, { call: 'tax/zone/{id}' }],
            },
          }) as const,
      ),
      {
        name: 'web',
        runtime: 'node',
        routes: {
          '/board': [
            {
              all: ['cart/items/{id}', 'tax/rate/{id}', 'ads/pick/{id}', 'people/v2/{id}'].flatMap(
                (call) => [[{ call }], [{ call }], [{ call }]],
              ),
            },
          ],
          '/merge': [
            {
              all: [
                [{ call: 'north/part/{id}' }],
                [{ call: 'south/part/{id}' }],
                [{ call: 'west/part/{id}' }],
              ],
            },
          ],
        },
      },
    ],
  },
  {
    name: 'fastify-postgres',
    what: 'Fastify: queries to PostgreSQL over a pool of ten, before, between and after the calls',
    workload: 'loop',
    entry: 'web',
    mix: { '/account/{id}': 3, '/history/{id}': 2, '/read/{id}': 2, '/basket/{id}': 1 },
    seed: 114,
    services: [
      ...callees(['people', 'cart', 'tax', 'ads']),
      {
        name: 'web',
        runtime: 'node',
        client: 'agent',
        framework: 'fastify',
        stores: ['postgres'],
        routes: {
          '/account': [{ store: 'postgres' }, { call: 'people/v2/{id}' }],
          '/history': [
            { call: 'cart/items/{id}' },
            { store: 'postgres' },
            { store: 'postgres' },
            { call: 'tax/zone/{id}' },
          ],
          '/read': [{ store: 'postgres' }],
          '/basket': [...three, { store: 'postgres' }],
        },
      },
    ],
  },
];

export const NODE_HAND_OFF: readonly Scenario[] = [
  {
    name: 'node-delays',
    what: 'Node, fetch: timers of 5 to 25 ms before, between and after calls, inside branches, long polls, a hedged call',
    workload: 'hand-off',
    entry: 'web',
    mix: { '/slow/{id}': 3, '/steps/{id}': 3, '/split/{id}': 2, '/poll': 1, '/hedge/{id}': 1 },
    seed: 115,
    services: [
      ...callees(['people', 'cart', 'tax', 'ads']),
      {
        name: 'web',
        runtime: 'node',
        routes: {
          '/slow': [{ waitMs: [5, 15] }, ...session, ...three],
          '/steps': [
            { call: 'people/v2/{id}' },
            { waitMs: [10, 10] },
            { call: 'tax/zone/{id}' },
            { waitMs: [2, 8] },
          ],
          '/split': [
            {
              all: [
                [{ waitMs: [5, 25] }, { call: 'cart/items/{id}' }],
                [{ call: 'ads/pick/{id}' }, { waitMs: [1, 3] }, { call: 'people/v2/{id}' }],
              ],
            },
          ],
          '/poll': [{ waitMs: [100, 300] }, { call: 'people/session/{id}' }],
          '/hedge': [{ call: 'ads/pick/{id}', hedgeMs: 6 }],
        },
        background: [{ everyMs: 220, steps: [{ waitMs: [1, 4] }, { call: 'people/session/0' }] }],
      },
    ],
  },
  {
    name: 'node-uploads',
    what: 'Node, keep-alive agent: files read before, between and after calls, sometimes skipped',
    workload: 'hand-off',
    entry: 'web',
    mix: { '/render/{id}': 3, '/mixed/{id}': 3, '/basket/{id}': 1 },
    seed: 116,
    services: [
      ...callees(['people', 'cart', 'tax', 'ads']),
      {
        name: 'web',
        runtime: 'node',
        client: 'agent',
        routes: {
          '/render': [{ file: 'data.txt' }, { file: 'data.txt' }, { call: 'cart/items/{id}' }],
          '/mixed': [
            ...session,
            { chance: 0.5, steps: [{ file: 'data.txt' }] },
            { call: 'ads/pick/{id}' },
            { file: 'data.txt' },
          ],
          '/basket': three,
        },
      },
    ],
  },
  {
    name: 'node-names',
    what: 'Node: a look-up and a new connection for each of three calls together, or two in a row',
    workload: 'hand-off',
    scale: 0.5,
    entry: 'web',
    mix: { '/basket/{id}': 2, '/order/{id}': 3 },
    seed: 117,
    services: [
      ...callees(['people', 'cart', 'tax', 'ads']),
      {
        name: 'web',
        runtime: 'node',
        client: 'lookup',
        routes: { '/basket': three, '/order': [...session, { call: 'cart/items/{id}' }] },
      },
    ],
  },
  {
    name: 'node-crew',
    what: 'Node: three worker threads, of which some tasks make two calls, some none, and the main thread calls as well',
    workload: 'hand-off',
    entry: 'web',
    mix: { '/resize/{id}': 2, '/quote/{id}': 3, '/order/{id}': 2 },
    seed: 118,
    services: [
      ...callees(['people', 'cart', 'tax', 'ads']),
      {
        name: 'web',
        runtime: 'node',
        workers: 3,
        routes: {
          '/resize': [{ worker: [{ spinMs: [1, 2] }] }, { call: 'cart/items/{id}' }],
          '/quote': [{ worker: [{ call: 'tax/rate/{id}' }, { call: 'people/v2/{id}' }] }],
          '/order': [...session, { worker: [{ call: 'ads/pick/{id}' }] }],
        },
      },
    ],
  },
  {
    name: 'node-pool-queue',
    what: 'Node, an agent of 6 sockets for each callee: three calls together, or two in a row, queue for a connection',
    workload: 'hand-off',
    scale: 0.7,
    entry: 'web',
    mix: { '/basket/{id}': 3, '/order/{id}': 2, '/single/{id}': 2 },
    seed: 119,
    services: [
      ...callees(['people', 'cart', 'tax', 'ads']),
      {
        name: 'web',
        runtime: 'node',
        client: 'agent',
        maxSockets: 6,
        routes: {
          '/basket': three,
          '/order': [...session, { call: 'cart/items/{id}' }],
          '/single': [{ call: 'tax/rate/{id}' }],
        },
      },
    ],
  },
  {
    name: 'node-traced',
    what: 'Node with timers and files: two services pass traceparent on, a third between them does not',
    workload: 'hand-off',
    scale: 0.6,
    entry: 'web',
    identity: 'traceparent',
    mix: { '/slow/{id}': 2, '/far/{id}': 3 },
    seed: 120,
    services: [
      ...callees(['people', 'cart', 'tax', 'ads']),
      {
        name: 'inner',
        runtime: 'node',
        routes: { '/part': [...session, { call: 'cart/items/{id}' }] },
      },
      {
        name: 'outer',
        runtime: 'node',
        propagate: 'traceparent',
        routes: { '/part': [{ file: 'data.txt' }, { call: 'inner/part/{id}' }] },
      },
      {
        name: 'web',
        runtime: 'node',
        propagate: 'traceparent',
        routes: {
          '/slow': [{ waitMs: [2, 9] }, ...three],
          '/far': [{ call: 'ads/pick/{id}' }, { waitMs: [2, 9] }, { call: 'outer/part/{id}' }],
        },
        background: [{ everyMs: 160, steps: [{ call: 'outer/part/0' }] }],
      },
    ],
  },
];
