import { CauseKind } from '../cause-kind.js';
import type { Kinds } from '../kinds.js';
import type { ProcessIndex } from '../process-index.js';
import type { ThreadContext } from '../thread-context.js';
import { howMany, orderByTime } from '../time-order.js';
import { Check } from './check.js';
import { Counts, Habits, MOST_CALLS } from './habits.js';
import { CONTRADICTED, type Lane, UNKNOWN } from './lane.js';
import { Pass } from './pass.js';
import type { Triggers } from './triggers.js';

/** Replies that a response looks back at: a loop reads a batch of them before it writes. */
const MOST_TRIGGERS = 100;
const ROUNDS = 4;
const LEAST_CHANCE = 0.5;
/** A loop seldom answers what another one has read. */
const OTHER_THREAD = 0.01;
/** Where the last reply before a response is its request's this often, there are no batches. */
const PLAIN = 0.99;

/** Which reply led to which response, where a loop reads many replies and then writes many responses. */
export interface Closings {
  /** Per client: the server whose response its reply led to; -1 none. */
  readonly closes: Int32Array;
  /** Per client: ns from the reply to that response; NaN none. */
  readonly gap: Float64Array;
  /** Per client: probability, 0..1. */
  readonly trust: Float64Array;
}

interface Input {
  readonly index: ProcessIndex;
  readonly context: ThreadContext;
  readonly triggers: Triggers;
  readonly calls: Kinds;
  readonly requests: Kinds;
}

/** Responses, by time: what they may answer to. */
interface Responses {
  readonly servers: Int32Array;
  readonly time: Float64Array;
}

function responsesOf({ exchanges: x, servers }: ProcessIndex): Responses {
  const times = Float64Array.from(servers, (row) => x.response_start[row]!);
  const order = orderByTime(times).filter((server) => !Number.isNaN(times[server]!));
  return {
    servers: Int32Array.from(order),
    time: Float64Array.from(order, (server) => times[server]!),
  };
}

/** The responses as a lane: each follows its own request, or a reply to a call of it. */
function pose(input: Input, { servers, time }: Responses, known: Int32Array): Lane {
  const { index, triggers, requests } = input;
  const { subject, cause } = triggers;
  const end = Uint32Array.from(time, (at) => howMany(triggers.time, at));
  return {
    triggerKind: triggers.kind,
    triggerServer: subject.map((own, at) => (cause[at] === CauseKind.request ? own : known[own]!)),
    callKind: Uint32Array.from(servers, (server) => requests.of[server]!),
    first: end.map((at) => Math.max(0, at - MOST_TRIGGERS)),
    end,
    agreement: (call, from, to, out) => {
      const server = servers[call]!;
      const thread = index.exchanges.response_start_tid[index.servers[server]!]!;
      for (let at = from; at < to; at++) {
        const own = subject[at]!;
        const of = cause[at] === CauseKind.request ? own : known[own]!;
        const isEarly = of === -1 && index.clientStart[own]! < index.serverStart[server]!;
        const fits = of === server ? 1 : of === -1 && !isEarly ? UNKNOWN : CONTRADICTED ** 2;
        out[at - from] = triggers.thread[at] === thread ? fits : fits * OTHER_THREAD;
      }
    },
  };
}

/** Aligns responses with replies. @param known per client: the server that it is of; -1 unknown */
class Alignment {
  readonly #input: Input;
  readonly #responses: Responses;
  readonly #habits: Habits;
  readonly #met: Float64Array;

  constructor(input: Input) {
    const { triggers, requests } = input;
    this.#input = input;
    this.#responses = responsesOf(input.index);
    const met = new Float64Array(triggers.kinds);
    for (const kind of triggers.kind) met[kind]!++;
    const counts = new Float64Array(requests.count);
    for (const server of this.#responses.servers) counts[requests.of[server]!]!++;
    this.#met = met;
    this.#habits = new Habits(
      met,
      counts,
      met.map(() => 1),
      new Float64Array(MOST_CALLS * met.length * counts.length),
    );
  }

  run(known: Int32Array, rounds: number): Closings {
    const { triggers, calls } = this.#input;
    const { servers, time } = this.#responses;
    const lane = pose(this.#input, this.#responses, known);
    for (let round = 0; round < rounds; round++) {
      const counts = new Counts(triggers.kinds, this.#habits.calls.length);
      Pass.run(lane, this.#habits, counts);
      this.#habits.learn(counts, this.#met);
    }
    const found = Pass.run(lane, this.#habits);
    const closes = new Int32Array(calls.of.length).fill(-1);
    const gap = new Float64Array(calls.of.length).fill(Number.NaN);
    const trust = new Float64Array(calls.of.length);
    for (const [response, server] of servers.entries()) {
      const at = found.trigger[response]!;
      if (at === -1 || triggers.cause[at] !== CauseKind.reply) continue;
      if (found.chance[response]! < LEAST_CHANCE) continue;
      closes[triggers.subject[at]!] = server;
      gap[triggers.subject[at]!] = time[response]! - triggers.time[at]!;
      trust[triggers.subject[at]!] = found.chance[response]!;
    }
    return { closes, gap, trust };
  }
}

/**
 * A loop that reads a batch of replies and then writes the responses to them, in that order:
 * aligns responses with replies as calls are aligned with what led to them. How far that is right
 * is learned by holding half of what is known back.
 *
 * @param known per client: the server that it is of, by the order of calls; -1 unknown
 * @returns undefined where the last reply before a response is as good
 */
export function followResponses(input: Input, known: Int32Array): Closings | undefined {
  const { calls, context } = input;
  const plain = new Check(calls, known);
  for (let client = 0; client < known.length; client++) plain.add(client, context.closes[client]!);
  if (plain.share >= PLAIN) return undefined;
  const alignment = new Alignment(input);
  const check = new Check(calls, known);
  const closes = new Int32Array(known.length).fill(-1);
  const gap = new Float64Array(known.length).fill(Number.NaN);
  const trust = new Float64Array(known.length);
  // What is known must not prove itself: no answer leans on the call's own server.
  for (const part of [0, 1]) {
    const isHeld = (client: number) => (client >> 1) % 2 === part;
    const shown = known.map((server, client) => (isHeld(client) ? -1 : server));
    const found = alignment.run(shown, part === 0 ? ROUNDS : 1);
    for (let client = 0; client < known.length; client++) {
      if (!isHeld(client)) continue;
      check.add(client, found.closes[client]!);
      closes[client] = found.closes[client]!;
      gap[client] = found.gap[client]!;
      trust[client] = found.trust[client]!;
    }
  }
  if (check.worth <= Math.max(0, plain.worth)) return undefined;
  return {
    closes,
    gap,
    trust: trust.map((own, client) => own * check.trust(calls.of[client]!)),
  };
}
