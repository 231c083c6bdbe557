import type { MapEdge, MapNode, ServiceMap, ServiceStats } from '../contract.js';
import type { Places } from './places.js';
import { addSpan, type Sides, type Tally, tallyOf } from './red.js';
import type { SpanIndex } from './span-index.js';

/** Unrecorded addresses shown at most: the busiest. */
const MAX_UNRECORDED = 20;

/** Which service calls which, counted at the caller; services count what they answered. */
export function buildServiceMap(index: SpanIndex, places: Places, sides: Sides): ServiceMap {
  const nodes = new Map<number, Tally>();
  const edges = new Map<string, Tally>();
  for (let row = 0; row < index.rows; row++) {
    const own = index.service[row]!;
    tallyOf(nodes, own, sides);
    if (index.isServer[row] === 1) {
      addSpan(tallyOf(nodes, own, sides), index, row);
      continue;
    }
    const callee = places.ofSpan[row]!;
    // What an unrecorded callee answered is known from its callers alone.
    if (callee >= places.recorded) addSpan(tallyOf(nodes, callee, sides), index, row);
    addSpan(tallyOf(edges, `${own} ${callee}`, sides), index, row);
  }
  const made = [...nodes].map(
    ([place, tally]): MapNode => ({
      service: places.names[place]!,
      recorded: place < places.recorded,
      ...tally.compare(),
    }),
  );
  const unrecorded = made
    .filter(({ recorded }) => !recorded)
    .sort((a, b) => b.during.requests - a.during.requests || (a.service < b.service ? -1 : 1));
  const hidden = new Set(unrecorded.slice(MAX_UNRECORDED).map(({ service }) => service));
  const compareNames = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  return {
    nodes: made
      .filter(({ service }) => !hidden.has(service))
      .sort((a, b) => compareNames(a.service, b.service)),
    edges: [...edges]
      .map(([key, tally]): MapEdge => {
        const [from, to] = key.split(' ').map(Number) as [number, number];
        return { from: places.names[from]!, to: places.names[to]!, ...tally.compare() };
      })
      .filter(({ to }) => !hidden.has(to))
      .sort((a, b) => compareNames(a.from, b.from) || compareNames(a.to, b.to)),
  };
}

/** What each service answered, on all its hosts; in the order of the index. */
export function serviceStats(index: SpanIndex, sides: Sides): ServiceStats[] {
  const tallies = new Map<number, Tally>();
  const hosts = new Map<number, Set<string>>();
  for (let row = 0; row < index.rows; row++) {
    if (index.isServer[row] === 0) continue;
    const service = index.service[row]!;
    addSpan(tallyOf(tallies, service, sides), index, row);
    const known = hosts.get(service) ?? new Set<string>();
    hosts.set(service, known.add(index.table.host[row]!));
  }
  return [...tallies]
    .sort(([a], [b]) => a - b)
    .map(([service, tally]) => ({
      service: index.services[service]!,
      hosts: [...hosts.get(service)!].sort(),
      ...tally.compare(),
    }));
}
