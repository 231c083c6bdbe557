import { createHash } from 'node:crypto';
import { bootIdOf, hashOf } from './identity.js';
import type { DraftExchange } from './trace.js';

/** An exchange with its place in the table. */
export interface PlacedExchange {
  readonly draft: DraftExchange;
  /** Number of its call: both ends have the same. */
  call: number;
}

/** All that a row will show of an exchange, whatever ids and order the file had. */
function facts({ role, service, span }: DraftExchange): string {
  const { method, target, status, peer } = span.request;
  const times = `${span.startNs} ${span.endNs ?? '-'}`;
  return JSON.stringify([
    times,
    role,
    service,
    method,
    target,
    status,
    role === 'client' ? peer : '',
  ]);
}

/**
 * Puts exchanges in order of time and numbers their calls. Exchanges that begin at the same
 * nanosecond are ordered by a hash of what can be seen of them and of their other end, so
 * neither the order of the file nor any id of it shows.
 */
export function placeExchanges(drafts: readonly DraftExchange[]): PlacedExchange[] {
  const keyed = drafts.map((draft) => {
    const tie = hashOf(facts(draft), draft.peer === undefined ? '' : facts(draft.peer));
    return { draft, tie, call: 0 };
  });
  const compare = (a: (typeof keyed)[number], b: (typeof keyed)[number]) => {
    const [one, other] = [a.draft.span.startNs, b.draft.span.startNs];
    if (one !== other) return one < other ? -1 : 1;
    return a.tie - b.tie || a.call - b.call;
  };
  keyed.sort(compare);
  const numbers = new Map<DraftExchange, number>();
  let calls = 0;
  for (const entry of keyed) {
    const known = entry.draft.peer === undefined ? undefined : numbers.get(entry.draft.peer);
    entry.call = known ?? ++calls;
    numbers.set(entry.draft, entry.call);
  }
  // Twins in every fact differ by the number of their call alone.
  return keyed.sort(compare);
}

/** Names an import by its content. */
export function contentId(placed: readonly PlacedExchange[], causes: readonly number[]): string {
  const hash = createHash('sha256');
  for (const [row, { draft, call }] of placed.entries()) {
    hash.update(`${facts(draft)} ${call} ${causes[row]}\n`);
  }
  return bootIdOf(hash);
}
