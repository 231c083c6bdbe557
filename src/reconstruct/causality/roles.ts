import { actorsWith, MarkKind, type Marks } from './marks.js';
import { OriginKind } from './origins.js';
import type { ThreadContext } from './thread-context.js';

/** How an actor comes by its work. */
export const Role = {
  /** It reads requests. */
  reader: 0,
  /** It reads none, but takes messages: they tell when it goes from one task to the next. */
  taker: 1,
  /**
   * A helper: it makes calls but does neither, as the threads of a pool to which those that read requests give
   * tasks in ways that are not seen. A task may be a whole request or a piece of one.
   */
  helper: 2,
} as const;
export const ROLES = Object.values(Role);

export interface Roles {
  /** Per actor: Role. */
  readonly ofActor: Uint8Array;
  /** Per client: Role of the actor that makes it. */
  readonly ofClient: Uint8Array;
}

/** Per OriginKind: the kind of mark that is the making of a call. */
const MARK_OF_ORIGIN: Readonly<Record<number, number>> = {
  [OriginKind.send]: MarkKind.callSent,
  [OriginKind.connect]: MarkKind.connected,
  [OriginKind.lease]: MarkKind.leased,
};

export function findRoles(context: ThreadContext, marks: Marks): Roles {
  const isReader = actorsWith(marks, [MarkKind.requestRead]);
  const isTaker = actorsWith(marks, [MarkKind.taken]);
  const ofActor = isReader.map((reads, actor) =>
    reads === 1 ? Role.reader : isTaker[actor] === 1 ? Role.taker : Role.helper,
  );
  const ofClient = new Uint8Array(context.origin.length);
  for (let mark = 0; mark < marks.count; mark++) {
    const client = marks.subject[mark]!;
    if (marks.kind[mark] === MARK_OF_ORIGIN[context.origin[client]!]) {
      ofClient[client] = ofActor[marks.actor[mark]!]!;
    }
  }
  return { ofActor, ofClient };
}

/** Per client: 1 where a helper makes it. */
export function callsOfHelpers({ ofClient }: Roles): Uint8Array {
  return ofClient.map((role) => (role === Role.helper ? 1 : 0));
}
