/** One thing a route does: the first field says what, the others how. */
type Step =
  /**
   * Calls `service/path`; {id} in the path becomes a random number, {item} one of a few that are asked
   * for more often than others (users and Node alone), {own} what the request's own path has there
   * (Node alone). A reply of 500 or more fails the request.
   */
  | {
      readonly call: string;
      readonly method?: string;
      readonly body?: string;
      /** How often it is tried while the reply is 500 or more. */
      readonly attempts?: number;
      /** A second call is made where the first takes longer. */
      readonly hedgeMs?: number;
      /** The request goes on whatever the reply. */
      readonly ignore?: boolean;
    }
  /** Branches begun together; goes on when all have ended. */
  | { readonly all: readonly Steps[] }
  /** Waits a random time between the two. */
  | { readonly waitMs: readonly [number, number] }
  /** Computes for a random time between the two. */
  | { readonly spinMs: readonly [number, number] }
  /** `steps` in this share of requests, `else` in the others. */
  | { readonly chance: number; readonly steps: Steps; readonly else?: Steps }
  /** Skips `steps` while the entry (one of so many, at random) is younger than `ttlMs`. */
  | {
      readonly cache: string;
      readonly entries?: number;
      readonly ttlMs: number;
      readonly steps: Steps;
    }
  /** Reads a file. */
  | { readonly file: string }
  /** Asks a database of the service's `stores`. */
  | { readonly store: 'redis' | 'postgres' }
  /** Hands the steps to a worker thread and waits for them. */
  | { readonly worker: Steps }
  /** Begins the steps and does not wait for them. */
  | { readonly detach: Steps }
  /** The status to answer; 500 or more ends the route. */
  | { readonly status: number }
  /** Answers now; what follows happens after the response. */
  | { readonly answer: true }
  /** Writes so many parts of the response, each followed by `steps`. */
  | { readonly stream: number; readonly steps: Steps };
export type Steps = readonly Step[];

/** Work on a timer that belongs to no request. */
interface Job {
  readonly everyMs: number;
  readonly steps: Steps;
  /** Node: headers of its calls. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A header that tells a request from others, where a scenario says so; a cookie tells a user from others. */
type Identity = 'traceparent' | 'x-request-id' | 'cookie';

type Runtime =
  | 'node'
  | 'python-threads'
  | 'gunicorn-sync'
  | 'gunicorn-gthread'
  | 'aiohttp'
  | 'java'
  | 'go'
  | 'nginx'
  | 'haproxy';

export interface Service {
  readonly name: string;
  readonly runtime: Runtime;
  /** What the first segment of a path leads to; a proxy's is a service's name. */
  readonly routes: Readonly<Record<string, Steps>>;
  readonly background?: readonly Job[];
  /** Proxies: the service that answers each path prefix. */
  readonly upstreams?: Readonly<Record<string, string>>;
  /** Node: how it calls (default fetch), the framework it answers with, worker threads, databases. */
  readonly client?: 'fetch' | 'agent' | 'lookup';
  readonly maxSockets?: number;
  readonly framework?: 'express' | 'fastify';
  readonly workers?: number;
  /** Node: what it passes on to the services that it calls. */
  readonly propagate?: Identity;
  readonly stores?: readonly ('redis' | 'postgres')[];
  /** Java: who works and who answers; see Service.java. */
  readonly mode?: 'pool' | 'async' | 'queue-wait' | 'queue-answer';
  /** Threads of a pool. */
  readonly pool?: number;
  /** gunicorn: processes. */
  readonly processes?: number;
  /** aiohttp: connections of the client. */
  readonly limit?: number;
}

/** A row of the accuracy goals: see workloads.ts. */
export type Workload = 'threads' | 'loop' | 'hand-off' | 'open';

export interface Scenario {
  readonly name: string;
  /** In plain words, for the results. */
  readonly what: string;
  readonly workload: Workload;
  readonly services: readonly Service[];
  /** The service that users call, and how often each of its paths. */
  readonly entry: string;
  readonly mix: Readonly<Record<string, number>>;
  /** The header that users' requests have; most scenarios have none. */
  readonly identity?: Identity;
  /** Share of the usual number of requests, for scenarios that are slow or make many calls. */
  readonly scale?: number;
  readonly seed: number;
}

/** Users in a closed loop; `saturation` is twice the greatest of the others. */
export const LOADS = ['1', '8', '32', '128', 'saturation'] as const;
export type Load = (typeof LOADS)[number];

/** Users and requests of a load. */
export function sizeOf(load: Load, scale = 1): { users: number; requests: number } {
  const requests = { '1': 150, '8': 600, '32': 1200, '128': 2000, saturation: 2500 }[load];
  return {
    users: load === 'saturation' ? 256 : Number(load),
    requests: Math.round(requests * scale),
  };
}
