import { describe, expect, it } from 'vitest';
import type { Scenario, Service, Steps } from '../../../bench/lab/scenario.js';
import { SETS } from '../../../bench/lab/sets.js';

/** Every `service/route` that these steps can call. */
function callsIn(steps: Steps): string[] {
  const found: string[] = [];
  JSON.stringify(steps, (name, value: unknown) => {
    if (name === 'call') found.push(String(value));
    return value;
  });
  return found;
}

const stepsOf = ({ routes, background = [] }: Service): Steps[] => [
  ...Object.values(routes),
  ...background.map(({ steps }) => steps),
];

function problemsOf({ name, services, entry, mix }: Scenario): string[] {
  const byName = new Map(services.map((service) => [service.name, service]));
  const isServed = (service: string, route: string): boolean => {
    const found = byName.get(service);
    const upstream = Object.entries(found?.upstreams ?? {}).find(([prefix]) =>
      route.startsWith(prefix),
    );
    if (upstream !== undefined) return isServed(upstream[1], route);
    return found?.routes[route] !== undefined;
  };
  const wanted = [
    ...Object.keys(mix).map((path) => `${entry}${path}`),
    ...services.flatMap(stepsOf).flatMap(callsIn),
  ];
  return wanted
    .filter((target) => {
      const [service, route] = target.split('/');
      return !isServed(service!, `/${route}`);
    })
    .map((target) => `${name}: nobody serves ${target}`);
}

/** Routes of the services that call others. */
const routesOf = (scenarios: readonly Scenario[]) =>
  new Set(
    scenarios.flatMap(({ entry, mix }) => Object.keys(mix).map((path) => `${entry} ${path}`)),
  );

describe.each(['tune', 'report'] as const)('the %s scenarios', (set) => {
  const scenarios: readonly Scenario[] = SETS[set];

  it('call only what their services serve', () => {
    expect(scenarios.flatMap(problemsOf)).toEqual([]);
  });

  it('cover every workload and every runtime', () => {
    const workloads = new Set(scenarios.map(({ workload }) => workload));
    expect([...workloads].sort()).toEqual(['hand-off', 'loop', 'open', 'threads']);
    const runtimes = new Set(scenarios.flatMap(({ services }) => services.map((s) => s.runtime)));
    expect(runtimes.size).toBe(9);
  });
});

it('tuning and reporting have no scenario, route or seed in common', () => {
  const all: readonly Scenario[] = [...SETS.tune, ...SETS.report];
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  expect(new Set(all.map(({ seed }) => seed)).size).toBe(all.length);
  const tuned = routesOf(SETS.tune);
  expect([...routesOf(SETS.report)].filter((route) => tuned.has(route))).toEqual([]);
});
