import { EndKind } from './cause-kind.js';
import type { Knowledge } from './claims.js';
import { OriginKind } from './origins.js';
import type { ProcessIndex } from './process-index.js';
import { isAlone, isSteady } from './reliability.js';

function shareOf(values: ArrayLike<number>, isMeant: (value: number) => boolean): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) if (isMeant(values[i]!)) count++;
  return values.length === 0 ? 0 : count / values.length;
}

/** Says in words how calls of this process find their parents. */
export function describeModel(index: ProcessIndex, knowledge: Knowledge): string {
  const { context, goroutines, reliability, turns } = knowledge;
  if (context.owner.length === 0) return 'makes no calls';
  if (index.servers.length === 0) return 'answers no requests: its calls are roots';
  if (shareOf(goroutines.server, (server) => server >= 0) > 0.5) {
    if (goroutines.unit === 'task') {
      return 'asyncio tasks: the one that makes a call, or one that it descends from, answers its request';
    }
    if (goroutines.unit === 'async-root') {
      return 'async functions: the outermost of those that wait for a call writes the response to its request';
    }
    return 'goroutines: the one that waits for a call, or an ancestor of it, handles its request';
  }
  const leased = shareOf(context.origin, (origin) => origin === OriginKind.lease) > 0.5;
  const owned = shareOf(context.owner, (owner) => owner >= 0) > 0.5;
  if (isSteady(context) && isAlone(context) && owned) {
    return leased
      ? 'one request per thread at a time; other threads write its calls for it'
      : 'one request per thread at a time';
  }
  const handed = shareOf(context.endKind, (kind) => kind >= EndKind.wake) > 0.5;
  if (handed) return 'workers that hand their results back to the thread that answers';
  if (!isSteady(context)) {
    return leased && shareOf(reliability.end, (trust) => trust > 0.9) > 0.5
      ? 'workers that take requests from a queue and answer them'
      : 'work moves between threads: what a thread does says little';
  }
  if (shareOf(turns.forward, (server) => server >= 0) > 0.5) {
    return 'event loop that acts a number of turns after it reads: calls are aligned with what led to them';
  }
  if (shareOf(context.queued, (flag) => flag === 1) > 0.5) {
    return 'event loop whose calls wait: they leave in the order of what led to them';
  }
  if (shareOf(context.message, (message) => message >= 0) > 0.3) {
    return 'threads that post messages to each other: a call follows what the poster of the last one was at';
  }
  const trust = reliability.forward.reduce((sum, value) => sum + value, 0);
  return trust / context.owner.length >= 0.9
    ? 'event loop: a call follows what its thread last read'
    : 'event loop with deferred work: replies that lead to a response decide';
}
