import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Counter, Gauge, Registry } from 'prom-client';
import { CodedError } from '../model/errors.js';
import type { RecordStats } from './record.js';

/** Where metrics are served. */
export interface MetricsAddress {
  readonly host: string;
  readonly port: number;
}

export interface MetricsServer {
  /** address:port where it really listens: a port of 0 becomes a free one. */
  readonly place: string;
  /** Gives it something to serve; before, it answers 503. */
  begin(stats: () => RecordStats): void;
  close(): Promise<void>;
}

const PREFIX = 'aftertrace_recorder_';

/** A counter that is set to a running total whenever it is read. */
function total(registry: Registry, name: string, help: string, read: () => number): void {
  new Counter({
    name: `${PREFIX}${name}_total`,
    help,
    registers: [registry],
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}

function gauge(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name: PREFIX + name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}

/** The statistics of a recording as Prometheus metrics. */
function registryOf(stats: () => RecordStats): Registry {
  const registry = new Registry();
  total(registry, 'produced', 'Records that the kernel programs made.', () => stats().produced);
  total(registry, 'events', 'Events that reached the recorder.', () => stats().events);
  total(registry, 'stored_rows', 'Rows written to segments.', () => stats().storedRows);
  total(
    registry,
    'stored_bytes',
    'Bytes written to segments, before they are compressed.',
    () => stats().storedBytes,
  );
  new Counter({
    name: `${PREFIX}lost_total`,
    help: 'What is missing, poorer, left out on purpose or out of time, by cause (docs/format.md).',
    labelNames: ['cause'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [cause, count] of Object.entries(stats().dropped)) this.inc({ cause }, count);
    },
  });
  gauge(registry, 'waiting_events', 'Events that wait for the disk.', () => stats().waiting);
  gauge(registry, 'open_connections', 'Connections now open.', () => stats().openConnections);
  gauge(registry, 'budget_level', 'Steps of the budget now taken, 0 none.', () => stats().level);
  gauge(
    registry,
    'cpu_share',
    'CPU of recorder and kernel programs in the last second, share of one processor.',
    () => stats().cpuShare,
  );
  gauge(registry, 'resident_memory_bytes', 'Memory of the recorder.', () =>
    process.memoryUsage.rss(),
  );
  return registry;
}

function listen(server: Server, { host, port }: MetricsAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const place = `--metrics ${host}:${port}`;
      const remedy = 'Choose an address and port of this host that are free.';
      reject(new CodedError('USAGE', `cannot listen: ${cause.message}.`, place, remedy, cause));
    });
    server.listen(port, host, resolve);
  });
}

/**
 * Serves the statistics at /metrics. Its traffic is the recorder's own, which is never recorded.
 *
 * @throws CodedError USAGE when the address cannot be listened on
 */
export async function serveMetrics(address: MetricsAddress): Promise<MetricsServer> {
  let registry: Registry | undefined;
  const server = createServer((request, response) => {
    if (request.url !== '/metrics') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('Metrics are at /metrics.\n');
    } else if (registry === undefined) response.writeHead(503).end();
    else answer(registry, response);
  });
  // A scraper that never finishes its request must not hold a connection for good.
  server.requestTimeout = 10_000;
  await listen(server, address);
  const { address: host, port } = server.address() as AddressInfo;
  return {
    place: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
    begin: (stats) => {
      registry = registryOf(stats);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(registry: Registry, response: ServerResponse): void {
  registry.metrics().then(
    (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
    () => response.writeHead(500).end(),
  );
}
