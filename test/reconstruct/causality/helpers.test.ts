import { expect, it } from 'vitest';
import { CauseKind, EndKind } from '../../../src/reconstruct/causality/cause-kind.js';
import { beginsTask, continuingTrust } from '../../../src/reconstruct/causality/helpers.js';
import { MarkKind, type Marks } from '../../../src/reconstruct/causality/marks.js';
import { OriginKind } from '../../../src/reconstruct/causality/origins.js';
import { callsOfHelpers, findRoles } from '../../../src/reconstruct/causality/roles.js';
import type { ThreadContext } from '../../../src/reconstruct/causality/thread-context.js';

it('helpers are those that make calls and read no requests', () => {
  // Actor 0 reads a request and makes call 0, actor 1 makes call 1.
  const marks = {
    count: 3,
    actors: 2,
    actor: Uint32Array.of(0, 0, 1),
    time: Float64Array.of(1, 2, 3),
    kind: Uint8Array.of(MarkKind.requestRead, MarkKind.callSent, MarkKind.callSent),
    subject: Uint32Array.of(0, 0, 1),
    messages: 0,
  } satisfies Marks;
  const context = { origin: new Uint8Array(2).fill(OriginKind.send) } as unknown as ThreadContext;
  expect([...callsOfHelpers(findRoles(context, marks))]).toEqual([0, 1]);
});

/** Per call: what came before it; calls that follow a reply follow that of the call before them. */
function contextOf(causeKind: number[], endKind: number[]): ThreadContext {
  return {
    causeKind: Uint8Array.from(causeKind),
    cause: Int32Array.from(causeKind, (_, client) => client - 1),
    endKind: Uint8Array.from(endKind),
  } as unknown as ThreadContext;
}

it('a call begins a task unless it follows a request, or a reply that was not handed back', () => {
  const { none, request, reply } = CauseKind;
  const context = contextOf(
    [none, request, reply, reply],
    [EndKind.none, EndKind.none, EndKind.wake, EndKind.none],
  );
  expect([0, 1, 2, 3].map((client) => beginsTask(context, client))).toEqual([
    true,
    false,
    false,
    true,
  ]);
});

/** A helper whose every `every`-th call is handed back before it makes the next. */
function trustWhere(every: number): number {
  const calls = 400;
  const context = contextOf(
    Array.from({ length: calls }, (_, client) => (client === 0 ? CauseKind.none : CauseKind.reply)),
    Array.from({ length: calls }, (_, client) =>
      client % every === every - 1 ? EndKind.wake : EndKind.none,
    ),
  );
  const helped = new Uint8Array(calls).fill(1);
  return continuingTrust(context, new Int32Array(calls), 1, helped)[0]!;
}

it('where as many results are handed back before a call as at all, nothing continues', () => {
  expect(trustWhere(2)).toBeLessThan(0.1);
});

it('where hardly any is handed back, it cannot be told', () => {
  expect(trustWhere(200)).toBe(0.6);
});

it('calls that are never preceded by a result handed back continue', () => {
  const calls = 400;
  // Class 0: the call follows a reply at once. Class 1: the first call after a result was handed back.
  const context = contextOf(
    Array.from({ length: calls }, (_, client) => (client === 0 ? CauseKind.none : CauseKind.reply)),
    Array.from({ length: calls }, (_, client) => (client % 2 === 1 ? EndKind.wake : EndKind.none)),
  );
  const of = Int32Array.from({ length: calls }, (_, client) => (client % 2 === 1 ? 0 : 1));
  const [continuing, beginning] = continuingTrust(context, of, 2, new Uint8Array(calls).fill(1));
  expect(continuing).toBeGreaterThan(0.95);
  expect(beginning).toBeLessThan(0.1);
});
