import { BackwardKind, type BackwardLabels } from '../backward-labels.js';
import type { Candidates } from '../candidates.js';
import { CauseKind } from '../cause-kind.js';
import type { Kinds } from '../kinds.js';
import type { ThreadContext } from '../thread-context.js';

/** Labels from this trust on say whose a call is. */
const LEAST_ANCHOR = 0.9;
/** A wrong answer costs as much as so many right ones are worth. */
const COST_OF_WRONG = 5;
/** Weight of what holds for all kinds of calls in observations of one kind, and how much less it is there. */
const PRIOR_COUNT = 8;
const UNCHECKED = 0.97;
const CEILING = 0.998;

/** Direct testimony of what came after a call: the only kind that the order of calls does not enter. */
const DIRECT: ReadonlySet<number> = new Set([
  BackwardKind.closing,
  BackwardKind.closingByPost,
  BackwardKind.closingByWake,
  BackwardKind.worker,
  BackwardKind.handBack,
]);

const sum = (counts: Float64Array) => counts.reduce((total, count) => total + count, 0);

/** Fixed points: per client the server that it is known to be of, -1 none. */
export function findAnchors(
  labels: BackwardLabels,
  context: ThreadContext,
  candidates: Candidates,
): Int32Array {
  return labels.server.map((server, client) => {
    if (context.owner[client]! >= 0) return context.owner[client]!;
    const isSure = labels.reliability[client]! >= LEAST_ANCHOR && DIRECT.has(labels.kind[client]!);
    return isSure && candidates.isOpen(client, server) ? server : -1;
  });
}

/** Holds answers against anchors that they did not know: per kind of call, how many are right. */
export class Check {
  readonly #calls: Kinds;
  readonly #anchors: Int32Array;
  readonly #right: Float64Array;
  readonly #total: Float64Array;

  constructor(calls: Kinds, anchors: Int32Array) {
    this.#calls = calls;
    this.#anchors = anchors;
    this.#right = new Float64Array(calls.count);
    this.#total = new Float64Array(calls.count);
  }

  /** @param server the answer for a client; -1 none */
  add(client: number, server: number): void {
    if (server < 0 || this.#anchors[client]! < 0) return;
    const kind = this.#calls.of[client]!;
    this.#total[kind]!++;
    if (server === this.#anchors[client]) this.#right[kind]!++;
  }

  /** Share that is right, 0..1. */
  get share(): number {
    return sum(this.#right) / Math.max(1, sum(this.#total));
  }

  /** Right answers, less what wrong ones cost. */
  get worth(): number {
    return sum(this.#right) - COST_OF_WRONG * (sum(this.#total) - sum(this.#right));
  }

  /** Trust in answers for a kind of call: where nothing checks it, somewhat less than in the others. */
  trust(kind: number): number {
    const mean = (UNCHECKED * sum(this.#right)) / (sum(this.#total) + PRIOR_COUNT);
    const right = this.#right[kind]! + PRIOR_COUNT * mean;
    return Math.min(CEILING, right / (this.#total[kind]! + PRIOR_COUNT));
  }
}

/** Holds what threads had last read against the anchors. */
export function checkThreads(
  { cause, causeKind }: ThreadContext,
  calls: Kinds,
  anchors: Int32Array,
): Check {
  const check = new Check(calls, anchors);
  for (let client = 0; client < anchors.length; client++) {
    if (causeKind[client] === CauseKind.request) check.add(client, cause[client]!);
    else if (causeKind[client] === CauseKind.reply) check.add(client, anchors[cause[client]!]!);
  }
  return check;
}
