import { CauseKind } from '../cause-kind.js';
import type { ThreadContext } from '../thread-context.js';
import type { QueueCauses } from './arrangement.js';

/** Puts what queues tell in the place of what threads had last read. Changes `context`. */
export function applyQueues(context: ThreadContext, queues: QueueCauses): void {
  const { causeKind, cause, gap, queued } = context;
  for (let client = 0; client < queued.length; client++) {
    if (queues.kind[client] === CauseKind.none) continue;
    causeKind[client] = queues.kind[client]!;
    cause[client] = queues.cause[client]!;
    gap[client] = queues.gap[client]!;
    queued[client] = 1;
  }
  if (queues.closings === undefined) return;
  context.closes.set(queues.closings.closes);
  context.closesGap.set(queues.closings.gap);
  context.closesMessage.fill(-1);
}
