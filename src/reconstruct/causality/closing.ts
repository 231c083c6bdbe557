import type { Candidates } from './candidates.js';
import { CauseKind } from './cause-kind.js';
import { countEvents, type EventKinds } from './forward.js';
import type { Kinds } from './kinds.js';
import { actorsWith, MarkKind, type Marks } from './marks.js';
import { LEAST_POST_TRUST, temperByPosts } from './posts.js';
import type { ProcessIndex } from './process-index.js';
import { Observations, trustByRegularity } from './regularity.js';
import type { ThreadContext } from './thread-context.js';

/** No closing reply is trusted more: measured on Node with timers, files, DNS and pools, 99.9 % hold. */
const CEILING = 0.998;

/**
 * Trust in "the reply that came last before the response was written belongs to that
 * request", per client (0 where its reply closes none), from how regularly replies of its
 * kind come before responses of that kind of request.
 */
export function closingTrust(
  index: ProcessIndex,
  context: ThreadContext,
  marks: Marks,
  candidates: Candidates,
  kinds: EventKinds,
  requests: Kinds,
  posted: Float64Array,
): Float64Array {
  const observations = new Observations(requests.count, kinds.count);
  for (let server = 0; server < index.servers.length; server++) {
    const kind = context.lastKind[server]!;
    const last = context.last[server]!;
    if (kind === CauseKind.none) continue;
    // Its own request is no rival of a reply: nothing else can have come last then.
    if (kind === CauseKind.request && last === server) continue;
    if (kind === CauseKind.reply && candidates.open[last]! < 2) continue;
    observations.add(
      requests.of[server]!,
      kinds.of(kind, last, context.lastMessage[server] === -1 ? 0 : 1),
    );
  }
  const writers = actorsWith(marks, [MarkKind.responseWritten]);
  const trust = trustByRegularity(observations, countEvents(marks, context.posts, kinds, writers));
  const { closes, closesMessage } = context;
  const classes = closes.map((server, client) => {
    if (server < 0) return -1;
    const event = kinds.of(CauseKind.reply, client, closesMessage[client] === -1 ? 0 : 1);
    return requests.of[server]! * kinds.count + event;
  });
  for (const at of classes) if (at >= 0) trust[at] ||= CEILING;
  temperByPosts(classes, closesMessage, trust, posted);
  return Float64Array.from(classes, (at, client) => {
    if (at < 0) return 0;
    const isDoubtful = closesMessage[client]! >= 0 && trust[at]! < LEAST_POST_TRUST;
    return isDoubtful ? 0 : Math.min(CEILING, trust[at]!);
  });
}
