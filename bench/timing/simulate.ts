/** Plays random applications under load, event by event. */
import {
  type Delay,
  PLAIN,
  type Service,
  type Step,
  type Traits,
  writeServices,
} from './programs.js';
import { type Random, seededDraws } from './random.js';

/** A request that one service answered. Times in µs from the start. */
export interface Played {
  readonly service: number;
  readonly route: number;
  /** Index of the request that made the call; -1 for entries and background calls. */
  readonly parent: number;
  /** Service that made the call; -1 for entries from outside. */
  readonly caller: number;
  readonly trace: number;
  /** When the caller sent the call, and had the reply. */
  sent: number;
  replied: number;
  /** When the service took it in, and answered. */
  start: number;
  end: number;
  failed: boolean;
}

/** A binary heap of things to do, by time, then by order of request. */
class Agenda {
  readonly #heap: { at: number; order: number; run: () => void }[] = [];
  #count = 0;
  now = 0;

  at(time: number, run: () => void): void {
    const entry = { at: Math.max(time, this.now), order: this.#count++, run };
    let i = this.#heap.push(entry) - 1;
    while (i > 0) {
      const up = (i - 1) >> 1;
      if (!this.#before(entry, this.#heap[up]!)) break;
      this.#heap[i] = this.#heap[up]!;
      i = up;
    }
    this.#heap[i] = entry;
  }

  #before(a: { at: number; order: number }, b: { at: number; order: number }): boolean {
    return a.at < b.at || (a.at === b.at && a.order < b.order);
  }

  run(): void {
    while (this.#heap.length > 0) {
      const first = this.#heap[0]!;
      const last = this.#heap.pop()!;
      if (this.#heap.length > 0) this.#sink(last);
      this.now = first.at;
      first.run();
    }
  }

  #sink(entry: { at: number; order: number; run: () => void }): void {
    const heap = this.#heap;
    let i = 0;
    for (;;) {
      let down = 2 * i + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && this.#before(heap[down + 1]!, heap[down]!)) down++;
      if (!this.#before(heap[down]!, entry)) break;
      heap[i] = heap[down]!;
      i = down;
    }
    heap[i] = entry;
  }
}

class Simulation {
  readonly agenda = new Agenda();
  readonly played: Played[] = [];
  readonly #services: readonly Service[];
  readonly #traits: Traits;
  readonly #random: Random;
  readonly #busy: number[];
  readonly #waiting: (() => void)[][];

  constructor(services: readonly Service[], traits: Traits, random: Random) {
    this.#services = services;
    this.#traits = traits;
    this.#random = random;
    this.#busy = services.map(() => 0);
    this.#waiting = services.map(() => []);
  }

  #draw({ median, spread, slow }: Delay, mood: number): number {
    const base = median * Math.exp(spread * this.#random.normal()) * mood;
    return this.#random.share() < slow.share ? base * slow.factor : base;
  }

  /** A network delay, one way. */
  #network(): number {
    return 25 * Math.exp(0.4 * this.#random.normal());
  }

  call(
    request: Pick<Played, 'service' | 'route' | 'parent' | 'caller' | 'trace'>,
    mood: number,
    then: () => void,
  ): void {
    const { agenda } = this;
    const played: Played = {
      ...request,
      sent: agenda.now,
      replied: 0,
      start: 0,
      end: 0,
      failed: false,
    };
    const index = this.played.push(played) - 1;
    const service = this.#services[request.service]!;
    const run = () => {
      this.#busy[request.service]!++;
      this.#steps(service.routes[request.route]!, index, mood, () => {
        played.end = agenda.now;
        this.#release(request.service);
        agenda.at(agenda.now + this.#network(), () => {
          played.replied = agenda.now;
          then();
        });
      });
    };
    agenda.at(agenda.now + this.#network(), () => {
      played.start = agenda.now;
      if (this.#busy[request.service]! < service.workers) run();
      else this.#waiting[request.service]!.push(run);
    });
  }

  #release(service: number): void {
    this.#busy[service]!--;
    const waiting = this.#waiting[service]!;
    const next = this.#services[service]!.queue === 'first' ? waiting.shift() : waiting.pop();
    if (next !== undefined) next();
  }

  #steps(steps: readonly Step[], index: number, mood: number, then: () => void): void {
    const [step, ...rest] = steps;
    if (step === undefined) {
      then();
      return;
    }
    const next = () => this.#steps(rest, index, mood, then);
    const { agenda, played } = this;
    const random = this.#random;
    switch (step.kind) {
      case 'work':
        agenda.at(agenda.now + this.#draw(step.delay, mood), next);
        return;
      case 'call': {
        const { service: caller, trace } = played[index]!;
        const { service, route } = step;
        this.call({ service, route, parent: index, caller, trace }, mood, next);
        return;
      }
      case 'maybe':
        if (random.share() < step.skipped) next();
        else this.#steps(step.steps, index, mood, next);
        return;
      case 'repeat': {
        const times = step.least + random.below(step.most - step.least + 1);
        const all = Array.from({ length: times }, () => step.steps).flat();
        this.#steps(all, index, mood, next);
        return;
      }
      case 'fail':
        if (random.share() >= step.share) next();
        else {
          played[index]!.failed = true;
          then();
        }
        return;
      case 'fork': {
        let open = step.branches.length;
        for (const branch of step.branches) {
          this.#steps(branch, index, mood, () => {
            if (--open === 0) next();
          });
        }
      }
    }
  }

  /** Requests from outside, and calls of no request, at random times. */
  load(requests: number, every: number): void {
    const { entries, routes, mood, background } = this.#traits;
    const random = this.#random;
    let at = 0;
    for (let trace = 0; trace < requests; trace++) {
      at += random.exponential(every);
      const request = {
        service: random.below(entries),
        route: random.below(routes),
        parent: -1,
        caller: -1,
        trace,
      };
      const own = Math.exp(mood * random.normal());
      this.agenda.at(at, () => this.call(request, own, () => {}));
    }
    const count = Math.round(background * requests);
    for (let job = 0; job < count; job++) {
      const caller = random.below(Math.max(1, this.#services.length - 1));
      const service = caller + 1 + random.below(this.#services.length - caller - 1);
      const request = {
        service,
        route: random.below(routes),
        parent: -1,
        caller,
        trace: requests + job,
      };
      this.agenda.at(random.share() * at, () => this.call(request, 1, () => {}));
    }
    this.agenda.run();
  }
}

/** An application of a family under load. */
export interface Play {
  readonly services: readonly Service[];
  readonly traits: Traits;
  readonly played: readonly Played[];
}

/** @param seed the same seed gives the same application and the same load */
export function play(family: Partial<Traits>, seed: number, requests: number): Play {
  const traits = { ...PLAIN, ...family };
  const services = writeServices(seededDraws(seed), traits);
  // How long a request takes where nothing waits tells how many may come.
  const alone = new Simulation(
    services.map((service) => ({ ...service, workers: Infinity })),
    { ...traits, background: 0 },
    seededDraws(seed + 1e6),
  );
  alone.load(200, 1e6);
  const entries = alone.played.filter(({ caller }) => caller === -1);
  const mean = entries.reduce((sum, { sent, replied }) => sum + replied - sent, 0) / entries.length;
  let every = mean / traits.concurrency;
  if (traits.pools !== 'none') {
    // No pool may be asked for more than nine tenths of what it can do.
    const longest = services.reduce((most, { workers }, service) => {
      const held = alone.played.reduce(
        (sum, own) => sum + (own.service === service ? own.end - own.start : 0),
        0,
      );
      return Math.max(most, held / 200 / workers);
    }, 0);
    every = Math.max(every, longest / 0.9);
  }
  const simulation = new Simulation(services, traits, seededDraws(seed + 2e6));
  simulation.load(requests, every);
  return { services, traits, played: simulation.played };
}
