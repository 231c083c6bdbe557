import type { ProcessIndex } from './process-index.js';
import { CauseKind, type ThreadContext } from './thread-context.js';

/**
 * How far each context rule can be trusted in this process: the probability that
 * the server it names is the parent. Learned from the recording itself, by holding
 * the forward rules (what the thread last read) against the backward one (whose
 * response followed the reply), which share no assumption: a program that puts a
 * timer or a queue between reading and calling breaks the first, not the second.
 */
export interface Reliability {
  readonly request: number;
  readonly reply: number;
  readonly connect: number;
  readonly closing: number;
  readonly owner: number;
  /** Calls on which both directions spoke. */
  readonly compared: number;
}

/** Weight of the prior, in observations, and its mean: plain event loops reach 0.99 and more. */
const PRIOR_COUNT = 10;
const PRIOR_MEAN = 0.95;
/** Measured on Node with timers, files, DNS and pools: 99.9 % and up; kept lower on purpose. */
const CLOSING = 0.995;
const CEILING = 0.9995;

/** Per client: the server that the chain of forward causes leads to; -1 if it leads nowhere. */
export function forwardServers(context: ThreadContext): Int32Array {
  const servers = new Int32Array(context.cause.length).fill(-1);
  for (let client = 0; client < servers.length; client++) {
    const cause = context.cause[client]!;
    const kind = context.causeKind[client];
    if (kind === CauseKind.request) servers[client] = cause;
    // A reply was read before the call was sent, so its client has a lower number.
    else if (kind === CauseKind.reply && cause < client) servers[client] = servers[cause]!;
  }
  return servers;
}

class Agreement {
  private right = PRIOR_COUNT * PRIOR_MEAN;
  private total = PRIOR_COUNT;
  observations = 0;

  add(agrees: boolean): void {
    this.total++;
    this.observations++;
    if (agrees) this.right++;
  }

  get share(): number {
    return this.right / this.total;
  }
}

/**
 * Where the two directions agree, both are right. Where they do not, a process whose
 * threads answer what they read has a sound backward rule and a broken forward one;
 * without that affinity (Go, executor pools) neither deserves trust.
 */
export function learnReliability(index: ProcessIndex, context: ThreadContext): Reliability {
  const forward = forwardServers(context);
  const request = new Agreement();
  const reply = new Agreement();
  const connect = new Agreement();
  for (let client = 0; client < index.clients.length; client++) {
    const closes = context.closes[client]!;
    if (closes < 0 || forward[client] === -1) continue;
    const agrees = forward[client] === closes;
    if (context.atConnect[client] === 1) connect.add(agrees);
    else if (context.causeKind[client] === CauseKind.request) request.add(agrees);
    else reply.add(agrees);
  }
  const compared = request.observations + reply.observations + connect.observations;
  const all =
    compared === 0
      ? PRIOR_MEAN
      : (request.share * request.observations +
          reply.share * reply.observations +
          connect.share * connect.observations) /
        compared;
  const closing =
    all >= 0.9 || context.affinity >= 0.95 ? CLOSING : Math.max(0.3, Math.sqrt(all) * CLOSING);
  const trust = (agreement: Agreement) =>
    Math.min(
      CEILING,
      context.affinity >= 0.95 || all >= 0.9
        ? agreement.share / CLOSING
        : Math.min(agreement.share, closing),
    );
  return {
    request: trust(request),
    reply: trust(reply),
    connect: trust(connect),
    closing,
    owner: context.interleaved < 0.005 ? 0.9999 : 0.999,
    compared,
  };
}

/** Says in words how calls of this process find their parents. */
export function describeModel(context: ThreadContext, reliability: Reliability): string {
  if (context.owner.length === 0) return 'makes no calls';
  const owned = context.owner.reduce((sum, owner) => sum + (owner >= 0 ? 1 : 0), 0);
  if (
    context.affinity >= 0.95 &&
    context.interleaved < 0.005 &&
    owned / context.owner.length > 0.5
  ) {
    return 'one request per thread at a time';
  }
  if (context.affinity >= 0.95 && reliability.request >= 0.9) {
    return 'event loop: a call follows what its thread last read';
  }
  if (context.affinity >= 0.95)
    return 'event loop with deferred work: replies that lead to a response decide';
  if (context.affinity < 0.05 && reliability.compared === 0)
    return 'no server requests seen to compare with';
  return 'work moves between threads: thread context says little';
}
