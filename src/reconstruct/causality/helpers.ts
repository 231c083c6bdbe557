import { CauseKind, EndKind } from './cause-kind.js';
import { originTime } from './origins.js';
import type { ProcessIndex } from './process-index.js';
import type { ThreadContext } from './thread-context.js';
import { orderByTime } from './time-order.js';

/** True where a call is the first since its actor handed back, or answered, what its last reply was for. */
export function beginsTask({ causeKind, cause, endKind }: ThreadContext, client: number): boolean {
  if (causeKind[client] !== CauseKind.reply) return causeKind[client] !== CauseKind.request;
  const end = endKind[cause[client]!];
  return end === EndKind.wake || end === EndKind.response;
}

/** Observations added to each class, at the mean share. */
const PRIOR_COUNT = 4;
/** Where fewer of the calls of helpers are handed back, that tells nothing; and the trust then. */
const LEAST_ENDED = 0.05;
const UNTOLD = 0.6;

/**
 * Trust in "a helper makes its next call for the request of its last reply", per class. Helpers
 * hand back what a task had them do: where that has happened before the next call in a share v of
 * a class, and in a share c of all, v / c of the class are new tasks. What is left of them, where
 * nothing was handed back in between, are those whose results nobody waited for.
 *
 * @param of per client: class, below `classes`; -1 none
 * @param isHelped per client
 * @returns per class: trust where nothing was handed back in between, 0..1
 */
export function continuingTrust(
  context: ThreadContext,
  of: Int32Array,
  classes: number,
  isHelped: Uint8Array,
): Float64Array {
  const seen = new Float64Array(classes);
  const ended = new Float64Array(classes);
  let all = 0;
  let allEnded = 0;
  for (let client = 0; client < of.length; client++) {
    if (isHelped[client] === 0) continue;
    const end = context.endKind[client];
    all++;
    if (end === EndKind.wake || end === EndKind.response) allEnded++;
    const at = of[client]!;
    if (at < 0 || context.causeKind[client] !== CauseKind.reply) continue;
    seen[at]!++;
    if (beginsTask(context, client)) ended[at]!++;
  }
  const c = allEnded / Math.max(1, all);
  if (c < LEAST_ENDED) return seen.fill(UNTOLD);
  return seen.map((count, at) => {
    const begun = ended[at]! + PRIOR_COUNT * c;
    const unseen = (begun * (1 - c)) / c;
    return Math.max(0, 1 - unseen / (count - ended[at]! + PRIOR_COUNT * (1 - c)));
  });
}

/**
 * Tasks that one request gives stand next to each other in the queue, and helpers take them in that
 * order. Puts each call that begins a task behind the one before it, whoever made that. Changes
 * `context.before`.
 *
 * @param isTask per client: 1 where it begins a task
 * @returns false where there are none
 */
export function chainTasks(
  index: ProcessIndex,
  context: ThreadContext,
  isTask: Uint8Array,
): boolean {
  const tasks = Uint32Array.from(isTask.keys()).filter((client) => isTask[client] === 1);
  if (tasks.length < 2) return false;
  const made = Float64Array.from(tasks, (client) => originTime(index, context.origin, client));
  let before = -1;
  for (const at of orderByTime(made)) {
    const client = tasks[at]!;
    if (context.before[client] === -1) context.before[client] = before;
    before = client;
  }
  return true;
}
