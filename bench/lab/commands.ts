import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { goProgram, javaClasses, PROGRAMS } from '../../fixtures/host.mjs';
import { haproxyConfig, nginxConfig } from './proxies.js';
import type { Service } from './scenario.js';

/** How a program is started. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Record<string, string>;
}

const PLAN = join(PROGRAMS, 'plan');
/** Debian's own, which sees Debian's modules. */
const PYTHON = '/usr/bin/python3';

/** A name of its own for a program that several services run, so that results can tell them apart. */
function named(scratch: string, service: Service, program: string): string {
  const path = join(scratch, service.name + (/\.[a-z]+$/.exec(program)?.[0] ?? ''));
  symlinkSync(program, path);
  return path;
}

function built<T>(service: Service, result: T | undefined): T {
  if (result !== undefined) return result;
  throw new Error(
    `${service.name} (${service.runtime}) cannot be built here; run: node scripts/setup.mjs --for lab`,
  );
}

function gunicorn(scratch: string, service: Service, plan: string, port: number): Command {
  named(scratch, service, join(PLAN, 'wsgi_service.py'));
  const threads = service.pool ?? 8;
  const kind =
    service.runtime === 'gunicorn-sync' ? ['sync'] : ['gthread', '--threads', String(threads)];
  return {
    program: '/usr/bin/gunicorn',
    args: [
      ...['-w', String(service.processes ?? 2), '-k', ...kind, '--keep-alive', '120'],
      ...['--backlog', '1024', '-b', `127.0.0.1:${port}`, '--pythonpath', scratch],
      ...['--log-level', 'error', `${service.name}:app`],
    ],
    env: { PLAN: plan },
  };
}

function java(service: Service, plan: string): Command {
  const sources = ['Service', 'AsyncSteps', 'Steps', 'Truth', 'Json'];
  const classes = built(service, javaClasses(...sources.map((name) => join(PLAN, `${name}.java`))));
  const options = ['-Xmx384m', '-XX:+UseSerialGC', '-Dsun.net.httpserver.nodelay=true'];
  return { program: 'java', args: [...options, '-cp', classes, 'Service', plan] };
}

function go(scratch: string, service: Service, plan: string): Command {
  const program = built(service, goProgram(join(PLAN, 'service.go')));
  return { program: named(scratch, service, program), args: [plan] };
}

/** Writes what a service needs into `scratch`, and says how to start it. */
export function commandOf(
  service: Service,
  scratch: string,
  plan: string,
  ports: Readonly<Record<string, number>>,
): Command {
  const port = ports[service.name]!;
  const config = join(scratch, `${service.name}.conf`);
  switch (service.runtime) {
    case 'node':
      return {
        program: process.execPath,
        args: [named(scratch, service, join(PLAN, 'node-service.mjs')), plan],
      };
    case 'python-threads':
      return {
        program: PYTHON,
        args: ['-u', named(scratch, service, join(PLAN, 'threads_service.py')), plan],
      };
    case 'aiohttp':
      return {
        program: PYTHON,
        args: ['-u', named(scratch, service, join(PLAN, 'aio_service.py')), plan],
      };
    case 'gunicorn-sync':
    case 'gunicorn-gthread':
      return gunicorn(scratch, service, plan, port);
    case 'java':
      return java(service, plan);
    case 'go':
      return go(scratch, service, plan);
    case 'nginx':
      writeFileSync(config, nginxConfig(scratch, service, ports));
      return { program: 'nginx', args: ['-p', scratch, '-e', `${config}.log`, '-c', config] };
    case 'haproxy':
      writeFileSync(config, haproxyConfig(service, ports));
      return { program: 'haproxy', args: ['-db', '-q', '-f', config] };
  }
}
