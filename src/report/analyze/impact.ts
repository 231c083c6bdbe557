import type { Impact } from '../contract.js';
import { addRequest, type Sides, Tally, tallyOf } from './red.js';
import type { Requests } from './requests.js';
import type { SpanIndex } from './span-index.js';

/** Routes listed at most: those with most requests. */
const MAX_ROUTES = 30;

/** What users felt: all entry requests, and by route, the worst hit first. */
export function measureImpact(index: SpanIndex, requests: Requests, sides: Sides): Impact {
  const all = new Tally(sides);
  const routes = new Map<string, Tally>();
  for (let i = 0; i < requests.rows; i++) {
    addRequest(all, requests, i);
    const service = index.services[index.service[requests.span[i]!]!]!;
    const key = JSON.stringify([service, index.routes[requests.route[i]!]!]);
    addRequest(tallyOf(routes, key, sides), requests, i);
  }
  const listed = [...routes].map(([key, tally]) => {
    const [service, route] = JSON.parse(key) as [string, string];
    return { service, route, ...tally.compare() };
  });
  listed.sort((a, b) => b.during.requests - a.during.requests || (a.route < b.route ? -1 : 1));
  const failureRate = ({ during }: (typeof listed)[number]) =>
    during.requests === 0 ? 0 : during.failed / during.requests;
  const slowdown = ({ before, during }: (typeof listed)[number]) =>
    before?.p95Ms && during.p95Ms ? during.p95Ms / before.p95Ms : 1;
  return {
    ...all.compare(),
    countedAt: requests.countedAt,
    routes: listed
      .slice(0, MAX_ROUTES)
      .sort((a, b) => failureRate(b) - failureRate(a) || slowdown(b) - slowdown(a)),
  };
}
