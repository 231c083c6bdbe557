import type { Candidates } from './candidates.js';
import { CauseKind } from './cause-kind.js';
import { countEvents, type EventKinds } from './forward.js';
import type { Kinds } from './kinds.js';
import { actorsWith, MarkKind, type Marks } from './marks.js';
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
): Float64Array {
  const observations = new Observations(requests.count, kinds.count);
  for (let server = 0; server < index.servers.length; server++) {
    const kind = context.lastKind[server]!;
    const last = context.last[server]!;
    if (kind === CauseKind.none) continue;
    // Its own request is no rival of a reply: nothing else can have come last then.
    if (kind === CauseKind.request && last === server) continue;
    if (kind === CauseKind.reply && candidates.open[last]! < 2) continue;
    observations.add(requests.of[server]!, kinds.of(kind, last, context.lastPosted[server]!));
  }
  const writers = actorsWith(marks, [MarkKind.responseWritten]);
  const trust = trustByRegularity(observations, countEvents(marks, context.posts, kinds, writers));
  const { closes } = context;
  const closing = new Float64Array(closes.length);
  for (let client = 0; client < closing.length; client++) {
    const server = closes[client]!;
    if (server < 0) continue;
    const event = kinds.of(CauseKind.reply, client, context.closesPosted[client]!);
    const at = requests.of[server]! * kinds.count + event;
    closing[client] = Math.min(CEILING, trust[at] || CEILING);
  }
  return closing;
}
