import type { CallTypes } from './background.js';
import { BackwardKind, BackwardLabels } from './backward-labels.js';
import type { ProcessIndex } from './process-index.js';
import { type Reliability, siblingTrust } from './reliability.js';
import { CauseKind, type ThreadContext } from './thread-context.js';

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
