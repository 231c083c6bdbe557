/** Random applications: services, their routes, and what each route does. All times in µs. */
import type { Random } from './random.js';

/** A time that is drawn anew for each step of a request. */
export interface Delay {
  readonly median: number;
  /** Standard deviation of the logarithm. */
  readonly spread: number;
  /** A second mode, this many times slower, with this probability: a cold cache, a lock. */
  readonly slow: { readonly factor: number; readonly share: number };
}

/** What a request does, step by step. */
export type Step =
  | { readonly kind: 'work'; readonly delay: Delay }
  | { readonly kind: 'call'; readonly service: number; readonly route: number }
  /** Branches at once; goes on when all have ended. */
  | { readonly kind: 'fork'; readonly branches: readonly (readonly Step[])[] }
  /** Skipped with this probability, as by a cache. */
  | { readonly kind: 'maybe'; readonly skipped: number; readonly steps: readonly Step[] }
  /** Between `least` and `most` times over. */
  | {
      readonly kind: 'repeat';
      readonly least: number;
      readonly most: number;
      readonly steps: readonly Step[];
    }
  /** Ends the request at once, with this probability. */
  | { readonly kind: 'fail'; readonly share: number };

export interface Service {
  readonly name: string;
  readonly routes: readonly (readonly Step[])[];
  /** Requests it works on at once; the others wait. Infinity for an event loop. */
  readonly workers: number;
  readonly queue: 'first' | 'last';
}

/** What a family of applications is like. */
export interface Traits {
  readonly services: number;
  /** Mean number of requests under way in the whole application. */
  readonly concurrency: number;
  readonly spread: number;
  readonly slowShare: number;
  /** How much the steps of one request are slow together: standard deviation of the logarithm. */
  readonly mood: number;
  readonly cached: number;
  readonly repeats: boolean;
  readonly forks: number;
  readonly failures: number;
  /** Every service may be called by all before it, instead of by one. */
  readonly sharedCallees: boolean;
  readonly pools: 'first' | 'last' | 'none';
  readonly entries: number;
  readonly routes: number;
  /** Calls of no request, per request. */
  readonly background: number;
  /** Share of server spans of which the file has nothing. */
  readonly lost: number;
  /** Times are whole multiples of this. */
  readonly tick: number;
  /** Greatest difference between clocks of two services. */
  readonly skew: number;
  /** The file has the callers' spans too. */
  readonly clientSpans: boolean;
}

export const PLAIN: Traits = {
  services: 6,
  concurrency: 4,
  spread: 0.3,
  slowShare: 0,
  mood: 0,
  cached: 0,
  repeats: false,
  forks: 0.4,
  failures: 0,
  sharedCallees: false,
  pools: 'none',
  entries: 1,
  routes: 1,
  background: 0,
  lost: 0,
  tick: 1,
  skew: 0,
  clientSpans: true,
};

/** Families of applications, by what makes them hard. */
export const FAMILIES: Readonly<Record<string, Partial<Traits>>> = {
  plain: {},
  busy: { concurrency: 12 },
  erratic: { spread: 0.8, slowShare: 0.15, concurrency: 3 },
  moody: { mood: 0.6, slowShare: 0.1 },
  cache: { cached: 0.35 },
  repeats: { repeats: true },
  failures: { failures: 0.1, cached: 0.1 },
  'pools first': { pools: 'first', concurrency: 8 },
  'pools last': { pools: 'last', concurrency: 8 },
  milliseconds: { tick: 1000, clientSpans: false },
  'milliseconds, first': { tick: 1000, pools: 'first', spread: 0.15, clientSpans: false },
  shared: { sharedCallees: true, clientSpans: false, concurrency: 3 },
  background: { background: 0.3, lost: 0.03 },
  many: { services: 12, routes: 4, entries: 3, sharedCallees: true },
  orphans: { lost: 0.12, concurrency: 6 },
  'cache, busy': { cached: 0.5, concurrency: 10 },
  'repeats, busy': { repeats: true, concurrency: 10 },
  'milliseconds, busy': { tick: 1000, concurrency: 10 },
  'milliseconds, all': { tick: 1000, cached: 0.3, repeats: true, lost: 0.05, spread: 0.5 },
  all: {
    services: 8,
    routes: 2,
    cached: 0.2,
    repeats: true,
    failures: 0.03,
    mood: 0.3,
    slowShare: 0.05,
    sharedCallees: true,
    pools: 'first',
    background: 0.1,
    skew: 200,
  },
};

class Writer {
  readonly #random: Random;
  readonly #traits: Traits;
  #pace = 1;

  constructor(random: Random, traits: Traits) {
    this.#random = random;
    this.#traits = traits;
  }

  /** A delay that the program keeps: two runs of a step resemble each other. */
  delay(): Delay {
    const { spread, slowShare } = this.#traits;
    return {
      median: this.#pace * 60 * 40 ** this.#random.share(),
      spread: spread * (0.4 + this.#random.share()),
      slow: {
        factor: 3 + 7 * this.#random.share(),
        share: slowShare * 2 * this.#random.share(),
      },
    };
  }

  work(): Step {
    return { kind: 'work', delay: this.delay() };
  }

  #call(service: number): readonly Step[] {
    const { cached, repeats, routes } = this.#traits;
    const call: Step = { kind: 'call', service, route: this.#random.below(routes) };
    const steps: Step[] = [call];
    if (repeats && this.#random.share() < 0.5) {
      const least = 1 + this.#random.below(2);
      const most = least + this.#random.below(3);
      return [{ kind: 'repeat', least, most, steps: [call, this.work()] }];
    }
    if (cached > 0 && this.#random.share() < 0.6) {
      const skipped = cached * (0.5 + this.#random.share());
      return [{ kind: 'maybe', skipped, steps: [call, this.work()] }];
    }
    return steps;
  }

  /** @param callees services it calls, in no order */
  route(callees: readonly number[], isEntry: boolean): readonly Step[] {
    const { forks, failures } = this.#traits;
    this.#pace = isEntry ? 1 : 0.7;
    const steps: Step[] = [this.work()];
    const left = [...callees];
    while (left.length > 0) {
      const take = () => left.splice(this.#random.below(left.length), 1)[0]!;
      if (left.length > 1 && this.#random.share() < forks) {
        const width = 2 + this.#random.below(left.length - 1);
        const branches = Array.from({ length: width }, () => {
          const starts: Step[] = this.#random.share() < 0.5 ? [this.work()] : [];
          return [...starts, ...this.#call(take())];
        });
        steps.push({ kind: 'fork', branches });
      } else {
        steps.push(...this.#call(take()));
      }
      if (failures > 0) steps.push({ kind: 'fail', share: failures * this.#random.share() });
      steps.push(this.work());
    }
    return steps;
  }
}

/** A random application. Services are called only by services before them: there are no loops. */
export function writeServices(random: Random, traits: Traits): Service[] {
  const { services, entries, routes, pools, sharedCallees } = traits;
  const callees: number[][] = Array.from({ length: services }, () => []);
  for (let service = entries; service < services; service++) {
    callees[random.below(Math.min(service, entries + 2))]!.push(service);
    if (!sharedCallees) continue;
    for (let caller = 0; caller < service; caller++) {
      if (random.share() < 0.3 && !callees[caller]!.includes(service)) {
        callees[caller]!.push(service);
      }
    }
  }
  const writer = new Writer(random, traits);
  return callees.map((own, service) => ({
    name: `service-${service}`,
    routes: Array.from({ length: routes }, () => {
      const some = routes === 1 ? own : own.filter(() => random.share() < 0.75);
      return writer.route(some, service < entries);
    }),
    workers: pools === 'none' ? Infinity : 2 + random.below(4),
    queue: pools === 'last' ? 'last' : 'first',
  }));
}
