import type { ErrorGroup } from '../contract.js';
import { type OriginFinder, symptomOf } from './error-origin.js';
import type { Places } from './places.js';
import type { Sides } from './red.js';
import type { Requests } from './requests.js';
import type { SpanIndex } from './span-index.js';
import { isIn } from './windows.js';

/** Groups listed at most. */
const MAX_GROUPS = 50;

/** The services a failure passed, innermost first, with what each answered. */
function describePath(index: SpanIndex, places: Places, path: readonly number[]): string {
  const parts: string[] = [];
  for (const row of [...path].reverse()) {
    // A call and the request at its other end are one step; an unanswered call stands for its callee.
    const isOwnStep = index.isServer[row] === 1 || index.callee[row] === -1;
    const isOrigin = row === path[path.length - 1];
    if (!isOwnStep && !isOrigin) continue;
    parts.push(`${places.names[places.ofSpan[row]!]} ${symptomOf(index, row)}`);
  }
  return parts.join(' → ');
}

/** Groups the failed requests of both sides by where and how they began, most frequent first. */
export function groupErrors(
  index: SpanIndex,
  requests: Requests,
  places: Places,
  origins: OriginFinder,
  sides: Sides,
): ErrorGroup[] {
  const groups = new Map<string, { -readonly [K in keyof ErrorGroup]: ErrorGroup[K] }>();
  for (let i = 0; i < requests.rows; i++) {
    if (requests.failed[i] === 0) continue;
    const isDuring = isIn(sides.during, requests.start[i]!);
    if (!isDuring && !isIn(sides.baseline, requests.start[i]!)) continue;
    const origin = origins.find(requests.span[i]!);
    const facts = {
      service: places.names[origin.place]!,
      route: index.routes[index.route[origin.span]!]!,
      symptom: symptomOf(index, origin.span),
      path: describePath(index, places, origin.path),
    };
    const key = JSON.stringify(facts);
    let group = groups.get(key);
    if (group === undefined) {
      const exampleTraceId = index.table.trace_id[requests.span[i]!]!;
      group = { ...facts, before: 0, during: 0, uncertain: 0, exampleTraceId };
      groups.set(key, group);
    }
    // An example from the incident says more than one from before.
    if (isDuring && group.during === 0) {
      group.exampleTraceId = index.table.trace_id[requests.span[i]!]!;
    }
    if (isDuring) group.during++;
    else group.before++;
    if (origin.uncertain) group.uncertain++;
  }
  return [...groups.values()]
    .sort((a, b) => b.during - a.during || b.before - a.before || (a.path < b.path ? -1 : 1))
    .slice(0, MAX_GROUPS);
}
