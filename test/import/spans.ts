// Small traces as their tracers would write them, and what a test asks of an import.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ExchangeTable, Role } from '../../src/model/exchange.js';
import { readReconstruction } from '../../src/store/span-store.js';

export interface JaegerFacts {
  readonly id: string;
  readonly parent?: string;
  readonly service: string;
  readonly kind?: string;
  readonly name?: string;
  readonly start?: number;
  readonly duration?: number;
  readonly tags?: Readonly<Record<string, string | number | boolean>>;
}

/** A Jaeger trace of these spans; times in microseconds after a fixed moment. */
export function jaegerTrace(traceID: string, spans: readonly JaegerFacts[]) {
  const services = [...new Set(spans.map(({ service }) => service))];
  return {
    traceID,
    spans: spans.map(({ id, parent, service, kind, name, start, duration, tags }) => ({
      traceID,
      spanID: id,
      operationName: name ?? `op-${id}`,
      references: parent === undefined ? [] : [{ refType: 'CHILD_OF', traceID, spanID: parent }],
      startTime: 1_790_000_000_000_000 + (start ?? 0),
      duration: duration ?? 1000,
      tags: Object.entries({ ...(kind === undefined ? {} : { 'span.kind': kind }), ...tags }).map(
        ([key, value]) => ({ key, value }),
      ),
      processID: `p${services.indexOf(service)}`,
    })),
    processes: Object.fromEntries(services.map((serviceName, i) => [`p${i}`, { serviceName }])),
  };
}

/** A shop: a request to the front, its call to the cart, and the cart's call to an unrecorded store. */
export const SHOP: readonly JaegerFacts[] = [
  { id: 'a', service: 'front', kind: 'server', name: 'GET /shop', duration: 9000 },
  { id: 'b', parent: 'a', service: 'front', kind: 'internal', start: 500, duration: 8000 },
  { id: 'c', parent: 'b', service: 'front', kind: 'client', start: 1000, duration: 6000 },
  { id: 'd', parent: 'c', service: 'cart', kind: 'server', start: 2000, duration: 4000 },
  {
    id: 'e',
    parent: 'd',
    service: 'cart',
    kind: 'client',
    name: 'get',
    start: 3000,
    tags: { 'peer.service': 'redis' },
  },
];

export function lines(values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('');
}

/** `role service method target -> role service` of every row and the other end of its hop. */
export function hopsOf(x: ExchangeTable, services: readonly string[]): string[] {
  const name = (row: number) =>
    `${x.role[row] === Role.server ? 'server' : 'client'} ${services[x.process[row]!]}`;
  const peer = (row: number) =>
    [...x.role.keys()].find(
      (other) =>
        x.role[other] !== x.role[row] &&
        x.remote_port[row] !== 0 &&
        x.request_sequence[other] === x.request_sequence[row] &&
        x.local_address[other] === x.remote_address[row] &&
        x.remote_address[other] === x.local_address[row] &&
        x.local_port[other] === x.remote_port[row] &&
        x.remote_port[other] === x.local_port[row],
    );
  return Array.from(x.role.keys(), (row) => {
    const found = peer(row);
    return `${name(row)} ${x.method[row]} ${x.target[row]} -> ${found === undefined ? '' : name(found)}`;
  });
}

/** The calls of a reconstruction with the request that each was linked to, by the ids of their file. */
export async function foundLinks(directory: string) {
  const { spans, reconstruction } = await readReconstruction(directory);
  const rows = new Map(spans.span_id.map((id, row) => [id, row]));
  const source = (row: number) => `${spans.source_trace_id[row]}/${spans.source_span_id[row]}`;
  const clients = [...spans.role.keys()].filter((row) => spans.role[row] === 'client');
  const links = clients.flatMap((row) => {
    const parent = rows.get(spans.parent_span_id[row]!);
    return parent === undefined ? [] : [`${source(row)} -> ${source(parent)}`];
  });
  return { links, spans, reconstruction };
}

export function bytesOf(directory: string, name: string): string {
  return readFileSync(join(directory, name), 'base64');
}
