import { CauseKind } from '../cause-kind.js';
import type { Kinds } from '../kinds.js';
import type { ProcessIndex } from '../process-index.js';
import type { ThreadContext } from '../thread-context.js';
import { Counts, Habits, MOST_CALLS } from './habits.js';
import { type LaneCalls, poseLane } from './lanes.js';
import { type Found, Pass } from './pass.js';
import type { Closings } from './responses.js';
import type { Triggers } from './triggers.js';

const MOST_ROUNDS = 16;
/** Another round is not worth it when the last one gained less than this per call, nats. */
const CONVERGED = 0.002;
/** How much more than requests replies are believed to lead to calls, and the chance of a further call, at first. */
const STARTS = [
  { reply: 0.1, another: 0.05 },
  { reply: 1, another: 0.05 },
  { reply: 0.1, another: 0.4 },
  { reply: 1, another: 0.4 },
];
/** From this probability on, a call's reply testifies for its request in the next pass. */
const LEAST_FOUND = 0.8;
/** A call that follows a request within this has not waited, ns; and so many of a route make a habit. */
const DIRECT_NS = 1e6;
const LEAST_DIRECT = 4;
/** Answers below this are not given. */
const LEAST_CHANCE = 0.5;

/** What led to a call, by the order that its queue keeps. */
export interface QueueCauses {
  /** Per client: CauseKind (none, request or reply), and its server or client; -1 none. */
  readonly kind: Uint8Array;
  readonly cause: Int32Array;
  /** Per client: ns since then; NaN unknown. */
  readonly gap: Float64Array;
  /** Per client: probability, 0..1. */
  readonly trust: Float64Array;
  /** Which replies led to responses, where that is not plain. */
  readonly closings?: Closings | undefined;
}

/** The server that each trigger works for, as far as it is known of its call. */
function serversOf(triggers: Triggers, known: Int32Array): Int32Array {
  return triggers.subject.map((subject, at) =>
    triggers.cause[at] === CauseKind.request ? subject : known[subject]!,
  );
}

/** One way to share the calls of a process out to lanes, with what is learned about it. */
export class Arrangement {
  readonly #index: ProcessIndex;
  readonly #calls: Kinds;
  readonly #requests: Kinds;
  readonly #context: ThreadContext;
  readonly #kinds: number;
  readonly #lanes: readonly LaneCalls[];
  readonly #habits: Habits[] = [];
  /** Per client: the server that it was last found to be of, -1 none. */
  readonly #found: Int32Array;

  constructor(
    of: {
      index: ProcessIndex;
      context: ThreadContext;
      calls: Kinds;
      requests: Kinds;
      /** How many kinds of triggers there are. */
      kinds: number;
    },
    lanes: readonly LaneCalls[],
  ) {
    this.#index = of.index;
    this.#calls = of.calls;
    this.#requests = of.requests;
    this.#context = of.context;
    this.#kinds = of.kinds;
    this.#lanes = lanes;
    this.#found = new Int32Array(of.calls.of.length).fill(-1);
  }

  /** The same, with other calls, from what was learned of these. */
  with(lanes: readonly LaneCalls[]): Arrangement {
    const index = this.#index;
    const context = this.#context;
    const kinds = this.#kinds;
    const of = { index, context, calls: this.#calls, requests: this.#requests, kinds };
    const next = new Arrangement(of, lanes);
    next.#habits.push(...this.#habits);
    next.#found.set(this.#found);
    return next;
  }

  /**
   * Learns from several starts: which of them leads to the truth depends on the program.
   *
   * @param anchors per client: the server that it is known to be of, -1 none
   * @returns log probability per call, nats
   */
  begin(anchors: Int32Array): number {
    let sum = 0;
    let calls = 0;
    for (const [at, { clients }] of this.#lanes.entries()) {
      let best = Number.NEGATIVE_INFINITY;
      let chosen = this.#fresh(at, anchors, STARTS[0]!);
      for (const start of STARTS) {
        this.#habits[at] = this.#fresh(at, anchors, start);
        const fit = this.#converge(at, anchors);
        if (fit <= best) continue;
        best = fit;
        chosen = this.#habits[at]!;
      }
      this.#habits[at] = chosen;
      sum += this.#pass(at, anchors, true).fit;
      calls += clients.length;
    }
    return sum / Math.max(1, calls);
  }

  /** Learns on. */
  learn(anchors: Int32Array, rounds: number): void {
    for (let round = 0; round < rounds; round++) {
      for (const at of this.#lanes.keys()) this.#pass(at, anchors, true);
    }
  }

  /** Looks for each call's trigger. */
  find(anchors: Int32Array): void {
    for (const at of this.#lanes.keys()) this.#pass(at, anchors, false);
  }

  /** Per client: the server that the last look found; -1 none. */
  get found(): Int32Array {
    return this.#found;
  }

  /** What leads to each call. */
  answer(anchors: Int32Array): QueueCauses {
    const count = anchors.length;
    const kind = new Uint8Array(count);
    const cause = new Int32Array(count).fill(-1);
    const gap = new Float64Array(count).fill(Number.NaN);
    const trust = new Float64Array(count);
    for (const [at, { clients, time, triggers }] of this.#lanes.entries()) {
      const found = this.#pass(at, anchors, false);
      for (const [call, client] of clients.entries()) {
        const trigger = found.trigger[call]!;
        if (trigger === -1 || found.chance[call]! < LEAST_CHANCE) continue;
        kind[client] = triggers.cause[trigger]!;
        cause[client] = triggers.subject[trigger]!;
        gap[client] = time[call]! - triggers.time[trigger]!;
        trust[client] = found.chance[call]!;
      }
    }
    return { kind, cause, gap, trust };
  }

  #known(anchors: Int32Array): Int32Array {
    return anchors.map((server, client) => (server < 0 ? this.#found[client]! : server));
  }

  #pass(at: number, anchors: Int32Array, isLearning: boolean): Found {
    const own = this.#lanes[at]!;
    const servers = serversOf(own.triggers, this.#known(anchors));
    const lane = poseLane(this.#index, this.#calls, own, anchors, servers);
    const habits = this.#habits[at]!;
    const counts = isLearning ? new Counts(this.#kinds, this.#calls.count) : undefined;
    const found = Pass.run(lane, habits, counts);
    if (counts !== undefined) habits.learn(counts, this.#met(at));
    for (const [call, client] of own.clients.entries()) {
      const isSure = found.chance[call]! >= LEAST_FOUND;
      this.#found[client] = isSure ? servers[found.trigger[call]!]! : -1;
    }
    return found;
  }

  /** @returns log probability of the lane's calls */
  #converge(at: number, anchors: Int32Array): number {
    const enough = CONVERGED * this.#lanes[at]!.clients.length;
    let before = Number.NEGATIVE_INFINITY;
    for (let round = 1; ; round++) {
      const { fit } = this.#pass(at, anchors, true);
      if (round >= MOST_ROUNDS || fit - before < enough) return fit;
      before = fit;
    }
  }

  /** Per kind of trigger: how many there are while the lane's calls are made. */
  #met(at: number): Float64Array {
    const { time: calls, from, triggers } = this.#lanes[at]!;
    const { kind, kinds, time } = triggers;
    const counts = new Float64Array(kinds);
    const last = calls[calls.length - 1] ?? 0;
    for (let trigger = 0; trigger < kind.length; trigger++) {
      if (time[trigger]! >= from && time[trigger]! < last) counts[kind[trigger]!]!++;
    }
    return counts;
  }

  /** Before anything is learned. */
  #fresh(at: number, anchors: Int32Array, { reply, another }: (typeof STARTS)[number]): Habits {
    const counts = new Float64Array(this.#calls.count);
    for (const client of this.#lanes[at]!.clients) counts[this.#calls.of[client]!]!++;
    const met = this.#met(at);
    const belief = met.map((_, kind) => (kind < this.#requests.count ? 1 : reply));
    return new Habits(met, counts, belief, this.#seen(at, anchors), another);
  }

  /**
   * Per step, kind of trigger and kind of call, as Habits.next: share of triggers that were seen to lead
   * to it. Of known calls the latest trigger of their request; of all others what they followed at once:
   * a request that is read while a place is free makes its calls there and then.
   */
  #seen(at: number, anchors: Int32Array): Float64Array {
    const { clients, time, triggers } = this.#lanes[at]!;
    const { kinds } = triggers;
    const width = this.#calls.count;
    const seen = new Float64Array(MOST_CALLS * kinds * width);
    const latest = new Int32Array(this.#index.servers.length).fill(-1);
    const servers = serversOf(triggers, this.#known(anchors));
    let next = 0;
    for (const [call, client] of clients.entries()) {
      for (; next < triggers.time.length && triggers.time[next]! < time[call]!; next++) {
        if (servers[next]! >= 0) latest[servers[next]!] = triggers.kind[next]!;
      }
      const server = anchors[client]!;
      if (server < 0 || latest[server] === -1 || latest[server]! < this.#requests.count) continue;
      seen[latest[server]! * width + this.#calls.of[client]!]!++;
    }
    const met = this.#met(at);
    for (let kind = this.#requests.count; kind < kinds; kind++) {
      for (let call = 0; call < width; call++)
        seen[kind * width + call]! /= Math.max(1, met[kind]!);
    }
    this.#addDirect(at, seen);
    return seen;
  }

  /** Calls that directly follow their request: which comes first, which next. */
  #addDirect(at: number, seen: Float64Array): void {
    const kinds = this.#kinds;
    const width = this.#calls.count;
    const { causeKind, cause, gap } = this.#context;
    const calls = new Uint8Array(this.#index.servers.length);
    const direct = new Float64Array(this.#requests.count);
    for (const client of this.#lanes[at]!.clients) {
      if (causeKind[client] !== CauseKind.request || !(gap[client]! < DIRECT_NS)) continue;
      const server = cause[client]!;
      const kind = this.#requests.of[server]!;
      const step = calls[server]!++;
      if (step === 0) direct[kind]!++;
      if (step < MOST_CALLS) seen[(step * kinds + kind) * width + this.#calls.of[client]!]!++;
    }
    for (let step = 0; step < MOST_CALLS; step++) {
      for (let kind = 0; kind < direct.length; kind++) {
        for (let call = 0; call < width; call++) {
          seen[(step * kinds + kind) * width + call]! /= Math.max(LEAST_DIRECT, direct[kind]!);
        }
      }
    }
  }
}
