import { CauseKind } from './cause-kind.js';
import { countEvents, type EventKinds, timeOfEvents } from './forward.js';
import type { Kinds } from './kinds.js';
import { actorsWith, MarkKind, type Marks } from './marks.js';
import { EffectKind, type Posts } from './posts.js';
import { Observations, trustByRegularity } from './regularity.js';
import { ROLES, type Roles } from './roles.js';

/**
 * Trust in "what its poster had last done is the cause of a message", per message, from how regularly events
 * of that kind come before messages that lead to calls, or responses, of the same kind. Chance is how often
 * events of each kind occur; but timers fire at any time, and then it is for how long they were the last.
 * The lower trust counts. Of messages that were posted because of others it holds for all of them: the product.
 */
export function postTrust(
  posts: Posts,
  marks: Marks,
  kinds: EventKinds,
  calls: Kinds,
  requests: Kinds,
  roles: Roles,
): Float64Array {
  const trust = new Float64Array(posts.count);
  if (posts.count === 0) return trust;
  const groups = 1 + calls.count + requests.count;
  const groupOf = (message: number) => {
    const { kind, subject } = posts.effectOf(message);
    if (kind === EffectKind.call) return 1 + calls.of[subject]!;
    return kind === EffectKind.response ? 1 + calls.count + requests.of[subject]! : 0;
  };
  const observations = ROLES.map(() => new Observations(groups, kinds.count));
  const places = new Int32Array(posts.count).fill(-1);
  for (let message = 0; message < posts.count; message++) {
    const kind = posts.kind[message]!;
    if (kind === CauseKind.none) continue;
    const isPosted = posts.before[message] === -1 ? 0 : 1;
    const event = kinds.of(kind, posts.subject[message]!, isPosted);
    const group = groupOf(message);
    observations[roles.ofActor[posts.poster[message]!]!]!.add(group, event);
    places[message] = group * kinds.count + event;
  }
  const isPoster = actorsWith(marks, [MarkKind.posted]);
  const learned = ROLES.map((role) => {
    const isMeant = isPoster.map((flag, actor) => (roles.ofActor[actor] === role ? flag : 0));
    const trustOf = (baseOf: typeof countEvents) =>
      trustByRegularity(observations[role]!, baseOf(marks, posts, kinds, isMeant));
    const byTime = trustOf(timeOfEvents);
    return trustOf(countEvents).map((byCount, at) => Math.min(byCount, byTime[at]!));
  });
  for (let message = 0; message < posts.count; message++) {
    if (places[message] === -1) continue;
    const own = learned[roles.ofActor[posts.poster[message]!]!]![places[message]!]!;
    const before = posts.before[message]!;
    trust[message] = before === -1 ? own : own * trust[before]!;
  }
  return trust;
}
