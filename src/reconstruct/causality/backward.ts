import type { CallTypes } from './background.js';
import type { ProcessIndex } from './process-index.js';
import { type Reliability, siblingTrust } from './reliability.js';
import { CauseKind, type ThreadContext } from './thread-context.js';

/** How a call learned its parent from what happened afterwards. */
export const BackwardKind = {
  none: 0,
  /** Its own reply was the last thing read before the response. */
  closing: 1,
  /** A call of the same burst has the evidence. */
  sibling: 2,
  /** The next call, sent when this one's reply arrived, has the evidence. */
  successor: 3,
} as const;

/** What the responses say about the calls before them. */
export class BackwardLabels {
  /** Per client: BackwardKind. */
  readonly kind: Uint8Array;
  /** Per client: the server, -1 none. */
  readonly server: Int32Array;
  /** Per client: the client that the label came from, itself for a closing reply, -1 none. */
  readonly from: Int32Array;
  /** Per client: probability that the server is the parent. */
  readonly reliability: Float64Array;

  constructor(private readonly index: ProcessIndex) {
    const count = index.clients.length;
    this.kind = new Uint8Array(count);
    this.server = new Int32Array(count).fill(-1);
    this.from = new Int32Array(count).fill(-1);
    this.reliability = new Float64Array(count);
  }

  /** Takes a label if it is surer than the one at hand and its request was open by then. */
  offer(client: number, kind: number, server: number, from: number, reliability: number): void {
    if (server < 0 || reliability <= this.reliability[client]!) return;
    if (this.index.serverStart[server]! > this.index.clientStart[client]!) return;
    this.kind[client] = kind;
    this.server[client] = server;
    this.from[client] = from;
    this.reliability[client] = reliability;
  }
}

/** Both directions along each burst: what a call knows goes to the call sent just before or after it. */
function shareWithinBursts(
  context: ThreadContext,
  types: CallTypes,
  trust: Reliability,
  labels: BackwardLabels,
): void {
  const share = (to: number, from: number, rule: number) => {
    const reliability = labels.reliability[from]! * rule;
    labels.offer(to, BackwardKind.sibling, labels.server[from]!, from, reliability);
  };
  const count = context.before.length;
  for (let client = count - 1; client >= 0; client--) {
    const before = context.before[client]!;
    if (before >= 0) share(before, client, siblingTrust(trust, types, before, client));
  }
  for (let client = 0; client < count; client++) {
    const before = context.before[client]!;
    if (before >= 0) share(client, before, siblingTrust(trust, types, before, client));
  }
}

/** Last call first: what a call knows goes to the call whose reply led to it. */
function passToPredecessors(
  context: ThreadContext,
  types: CallTypes,
  trust: Reliability,
  labels: BackwardLabels,
): void {
  for (let client = context.cause.length - 1; client >= 0; client--) {
    if (context.causeKind[client] !== CauseKind.reply) continue;
    const rule = (context.atConnect[client] === 1 ? trust.connect : trust.reply)[
      types.of[client]!
    ]!;
    const reliability = labels.reliability[client]! * rule;
    const before = context.cause[client]!;
    labels.offer(before, BackwardKind.successor, labels.server[client]!, client, reliability);
  }
}

/**
 * Carries the evidence of the responses back in time: from a closing reply to its call,
 * to the calls sent together with it, to the call whose reply had led to them, and to
 * the calls sent together with that one. Linear in the number of calls.
 *
 * @param withSiblings false leaves out what is shared within bursts, so that this can be learned
 */
export function labelBackward(
  index: ProcessIndex,
  context: ThreadContext,
  types: CallTypes,
  trust: Reliability,
  withSiblings: boolean,
): BackwardLabels {
  const labels = new BackwardLabels(index);
  for (let client = 0; client < index.clients.length; client++) {
    labels.offer(client, BackwardKind.closing, context.closes[client]!, client, trust.closing);
  }
  passToPredecessors(context, types, trust, labels);
  if (!withSiblings) return labels;
  shareWithinBursts(context, types, trust, labels);
  passToPredecessors(context, types, trust, labels);
  return labels;
}
