import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts, type Host, openHost, PROGRAMS } from '../../fixtures/host.mjs';
import { commandOf } from './commands.js';
import { startStores } from './databases.js';
import type { Scenario, Service, Steps } from './scenario.js';

/** What the users' program says of a run. */
export interface Driven {
  /** When the first request was sent, epoch ms. */
  readonly startMs: number;
  readonly seconds: number;
  readonly failed: number;
  readonly p50Ms: number;
}

export interface Topology {
  /** Where the truth logs are. */
  readonly truth: string;
  drive(users: number, requests: number, seed: number): Promise<Driven>;
  stop(): Promise<void>;
}

type Ports = Readonly<Record<string, number>>;

/** Steps as a program reads them: calls by address, files by path. */
function resolve(steps: Steps, ports: Ports, scratch: string): unknown {
  const text = JSON.stringify(steps, (name, value: unknown) => {
    if (typeof value !== 'string') return value;
    if (name === 'file') return join(scratch, value);
    if (name !== 'call') return value;
    const [to, ...path] = value.split('/');
    const port = ports[to!];
    if (port === undefined) throw new Error(`a step calls ${value}, but there is no service ${to}`);
    return `http://127.0.0.1:${port}/${path.join('/')}`;
  });
  return JSON.parse(text);
}

function planOf(service: Service, ports: Ports, stores: Ports, truth: string, scratch: string) {
  const { routes, background = [], stores: wanted = [], ...options } = service;
  return {
    ...options,
    port: ports[service.name],
    truth: join(truth, `${service.name}.jsonl`),
    routes: Object.fromEntries(
      Object.entries(routes).map(([path, steps]) => [path, resolve(steps, ports, scratch)]),
    ),
    background: background.map((job) => ({ ...job, steps: resolve(job.steps, ports, scratch) })),
    stores: Object.fromEntries(wanted.map((name) => [name, stores[name]])),
  };
}

async function startServices(host: Host, scenario: Scenario, truth: string, scratch: string) {
  const { services } = scenario;
  const free = await freePorts(services.length);
  const ports = Object.fromEntries(services.map(({ name }, i) => [name, free[i]!]));
  const stores = await startStores(host, scratch, new Set(services.flatMap((s) => s.stores ?? [])));
  writeFileSync(join(scratch, 'data.txt'), 'x'.repeat(4096));
  await Promise.all(
    services.map((service) => {
      const plan = join(scratch, `${service.name}.json`);
      writeFileSync(plan, JSON.stringify(planOf(service, ports, stores, truth, scratch)));
      const { program, args, env } = commandOf(service, scratch, plan, ports);
      return host.start(service.name, ports[service.name]!, program, args, { ...(env && { env }) });
    }),
  );
  return ports[scenario.entry]!;
}

/**
 * Starts every service of a scenario on loopback.
 *
 * @param directory gets truth/ and scratch/
 * @param cgroup directory of the cgroup that they all join
 */
export async function startTopology(
  scenario: Scenario,
  directory: string,
  cgroup?: string,
): Promise<Topology> {
  const truth = join(directory, 'truth');
  const scratch = join(directory, 'scratch');
  for (const path of [truth, scratch]) mkdirSync(path, { recursive: true });
  const host = openHost({ cwd: scratch, ...(cgroup !== undefined && { cgroup }) });
  try {
    const port = await startServices(host, scenario, truth, scratch);
    const program = join(PROGRAMS, 'plan', 'users.mjs');
    const log = join(truth, 'load.jsonl');
    return {
      truth,
      drive: (users, requests, seed) =>
        host.ask('the users', process.execPath, [
          ...[program, port, log, users, requests, seed].map(String),
          JSON.stringify(scenario.mix),
          scenario.identity ?? '',
        ]) as Promise<Driven>,
      stop: () => host.stop(),
    };
  } catch (error) {
    await host.stop();
    throw error;
  }
}
