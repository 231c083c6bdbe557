import { ClassNumbers, gapBucket } from './class-numbers.js';
import type { EventKinds } from './forward.js';
import type { Kinds } from './kinds.js';
import { CauseKind, type ThreadContext } from './thread-context.js';

/** A thread that acts long after it was woken may have done other work in between. */
const LEAST_GAP_NS = 100e3;
const GAP_BUCKETS = 4;

/**
 * Classes of "who woke the thread hands on what it was doing": by kind of call, by what was
 * handed on, by whether it had been used before, and by how long ago it was.
 */
export interface WakeClasses {
  readonly count: number;
  /** Per client: class; -1 where no wake-up led to it. */
  readonly of: Int32Array;
}

export function wakeClasses(context: ThreadContext, events: EventKinds, calls: Kinds): WakeClasses {
  const numbers = new ClassNumbers();
  const of = new Int32Array(context.wakeKind.length).fill(-1);
  for (let client = 0; client < of.length; client++) {
    const kind = context.wakeKind[client]!;
    if (kind === CauseKind.none) continue;
    const event = events.of(kind, context.wakeCause[client]!);
    const later = context.wakeUses[client] === 0 ? 0 : 1;
    const bucket = gapBucket(context.wakeGap[client]!, LEAST_GAP_NS, GAP_BUCKETS);
    const pair = calls.of[client]! * events.count + event;
    of[client] = numbers.of((pair * 2 + later) * GAP_BUCKETS + bucket);
  }
  return { count: numbers.count, of };
}
