import type { Candidates } from './candidates.js';
import { CauseKind, END_KINDS } from './cause-kind.js';
import { ClassNumbers, gapBucket } from './class-numbers.js';
import type { EventKinds } from './forward.js';
import type { Kinds } from './kinds.js';
import { Lateness } from './lateness.js';
import type { ProcessIndex } from './process-index.js';
import type { ThreadContext } from './thread-context.js';

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
  /** Per class: trust before any witness is heard, 0..1. */
  readonly trust: Float64Array;
}

const PRIOR_MEAN = 0.95;
const CEILING = 0.99;
const DOUBT = 0.1;

export function wakeClasses(
  index: ProcessIndex,
  candidates: Candidates,
  context: ThreadContext,
  events: EventKinds,
  calls: Kinds,
): WakeClasses {
  const numbers = new ClassNumbers();
  const of = new Int32Array(context.wakeKind.length).fill(-1);
  for (let client = 0; client < of.length; client++) {
    const kind = context.wakeKind[client]!;
    if (kind === CauseKind.none) continue;
    const event = events.of(kind, context.wakeCause[client]!, 0);
    const later = context.wakeUses[client] === 0 ? 0 : 1;
    const bucket = gapBucket(context.wakeGap[client]!, LEAST_GAP_NS, GAP_BUCKETS);
    const pair = calls.of[client]! * events.count + event;
    // Who makes calls that end in a known way is another sort of thread than who does not.
    const role = (pair * END_KINDS + context.endKind[client]!) * 2 + later;
    of[client] = numbers.of(role * GAP_BUCKETS + bucket);
  }
  const lateness = new Lateness(index, candidates, numbers.count);
  for (let client = 0; client < of.length; client++) {
    if (of[client]! < 0 || context.wakeKind[client] !== CauseKind.request) continue;
    lateness.add(of[client]!, client, context.wakeCause[client]!);
  }
  const trust = lateness.trust(PRIOR_MEAN, CEILING, DOUBT);
  return { count: numbers.count, of, trust };
}
