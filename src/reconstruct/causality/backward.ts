import { BackwardKind, BackwardLabels } from './backward-labels.js';
import { CauseKind, EndKind } from './cause-kind.js';
import type { ProcessIndex } from './process-index.js';
import { RELATIONS, type Relatives } from './relatives.js';
import type { Reliability } from './reliability.js';
import type { SliceContext } from './slices.js';
import type { ThreadContext } from './thread-context.js';

/** Both directions along each burst: what a call knows goes to the call made just before or after it. */
function shareWithinBursts(
  context: ThreadContext,
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
    if (before >= 0) share(before, client, trust.sibling[client]!);
  }
  for (let client = 0; client < count; client++) {
    const before = context.before[client]!;
    if (before >= 0) share(client, before, trust.sibling[client]!);
  }
}

/** Last call first: what a call knows goes to the call whose reply led to it. */
function passToPredecessors(
  context: ThreadContext,
  trust: Reliability,
  labels: BackwardLabels,
): void {
  const pass = (client: number, before: number, rule: number) => {
    const reliability = labels.reliability[client]! * rule;
    labels.offer(before, BackwardKind.successor, labels.server[client]!, client, reliability);
  };
  for (let client = context.cause.length - 1; client >= 0; client--) {
    if (labels.server[client]! < 0) continue;
    if (context.causeKind[client] === CauseKind.reply) {
      pass(client, context.cause[client]!, trust.forward[client]!);
    }
    if (context.wakeKind[client] === CauseKind.reply) {
      pass(client, context.wakeCause[client]!, trust.wake[client]!);
    }
  }
}

/** What a call knows goes to the relatives of the goroutine that waits for it: there and back. */
function shareWithRelatives(
  slices: SliceContext,
  relatives: Relatives,
  trust: Reliability,
  labels: BackwardLabels,
): void {
  const count = slices.forward.length;
  const share = (client: number) => {
    for (const relation of RELATIONS.keys()) {
      const place = client * RELATIONS.length + relation;
      const other = relatives.of[place]!;
      if (other < 0) continue;
      const at = relatives.classes[place]!;
      const kind = relatives.isSame[at] === 1 ? BackwardKind.goroutine : BackwardKind.neighbour;
      const own = trust.relatives[at]!;
      const theirs = labels.reliability[other]! * own;
      labels.offer(client, kind, labels.server[other]!, other, theirs);
      labels.offer(client, kind, slices.forward[other]!, other, trust.slice[other]! * own);
    }
  };
  for (let client = 0; client < count; client++) share(client);
  for (let client = count - 1; client >= 0; client--) share(client);
}

/** What every call knows of itself. */
function offerOwn(
  client: number,
  context: ThreadContext,
  slices: SliceContext,
  trust: Reliability,
  labels: BackwardLabels,
): void {
  const { closing, closingByWake, end, dispatched } = trust;
  const { closing: own, closingByPost } = BackwardKind;
  const closes = context.closesMessage[client]! >= 0 ? closingByPost : own;
  labels.offer(client, closes, context.closes[client]!, client, closing[client]!);
  const byWake = context.closesByWake[client]!;
  labels.offer(client, BackwardKind.closingByWake, byWake, client, closingByWake[client]!);
  const kind = context.endKind[client]!;
  const label = kind === EndKind.response ? BackwardKind.worker : BackwardKind.handBack;
  labels.offer(client, label, context.end[client]!, client, end[client]!);
  const lender = context.lenderEnd[client]!;
  labels.offer(client, BackwardKind.dispatched, lender, client, dispatched[client]!);
  labels.offer(client, BackwardKind.slice, slices.backward[client]!, client, trust.replySlice);
}

/**
 * Carries the evidence of the responses back in time: from a closing reply to its call,
 * to the calls made together with it, to the call whose reply had led to them, and to
 * the calls made together with that one. Linear in the number of calls.
 *
 * @param withSiblings false leaves out what is shared within bursts, so that this can be learned
 */
export function labelBackward(
  index: ProcessIndex,
  context: ThreadContext,
  slices: SliceContext,
  relatives: Relatives,
  trust: Reliability,
  withSiblings: boolean,
): BackwardLabels {
  const labels = new BackwardLabels(index);
  for (let client = 0; client < index.clients.length; client++) {
    offerOwn(client, context, slices, trust, labels);
  }
  passToPredecessors(context, trust, labels);
  if (!withSiblings) return labels;
  shareWithinBursts(context, trust, labels);
  shareWithRelatives(slices, relatives, trust, labels);
  passToPredecessors(context, trust, labels);
  return labels;
}
