/** Writes a play as Jaeger's JSON, one trace a line, with the true parents. */
import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { seededDraws } from './random.js';
import type { Play, Played } from './simulate.js';

const EPOCH = 1.7e15;

/** @param seed of clocks and losses */
export function writeJaegerFile(
  path: string,
  { services, traits, played }: Play,
  seed: number,
): void {
  const random = seededDraws(seed + 3e6);
  const skews = services.map(() => Math.round((random.share() - 0.5) * traits.skew));
  const tick = (time: number) => Math.floor(time / traits.tick) * traits.tick;
  const lost = played.map(({ parent }) => parent !== -1 && random.share() < traits.lost);
  const traces = new Map<number, object[]>();
  const id = (index: number, side: string) => `${side}${index.toString(16).padStart(15, '0')}`;
  const add = (
    own: Played,
    spanID: string,
    parent: string | undefined,
    at: { service: number; from: number; to: number; kind: 'client' | 'server' },
  ) => {
    const from = tick(EPOCH + at.from + skews[at.service]!);
    const tags = [
      ...(traits.clientSpans ? [{ key: 'span.kind', type: 'string', value: at.kind }] : []),
      ...(own.failed ? [{ key: 'error', type: 'bool', value: true }] : []),
    ];
    const spans = traces.get(own.trace) ?? [];
    traces.set(own.trace, spans);
    spans.push({
      traceID: own.trace.toString(16).padStart(16, '0'),
      spanID,
      operationName: `service-${own.service}/do-${own.route}`,
      references:
        parent === undefined
          ? []
          : [
              {
                refType: 'CHILD_OF',
                traceID: own.trace.toString(16).padStart(16, '0'),
                spanID: parent,
              },
            ],
      startTime: from,
      duration: tick(EPOCH + at.to + skews[at.service]!) - from,
      tags,
      processID: `p${at.service}`,
    });
  };
  for (const [index, own] of played.entries()) {
    const { caller, service } = own;
    const above = own.parent === -1 ? undefined : id(own.parent, 'a');
    const hasClient = traits.clientSpans && caller !== -1;
    if (hasClient) {
      add(own, id(index, 'c'), above, {
        service: caller,
        from: own.sent,
        to: own.replied,
        kind: 'client',
      });
    }
    if (lost[index]) continue;
    add(own, id(index, 'a'), hasClient ? id(index, 'c') : above, {
      service,
      from: own.start,
      to: own.end,
      kind: 'server',
    });
  }
  const processes = Object.fromEntries(
    services.map(({ name }, service) => [`p${service}`, { serviceName: name, tags: [] }]),
  );
  const lines = [...traces.values()].map((spans) =>
    JSON.stringify({ traceID: (spans[0] as { traceID: string }).traceID, spans, processes }),
  );
  writeFileSync(path, gzipSync(`${lines.join('\n')}\n`));
}

/** Writes a file of traces several times over, each copy after the end of the one before, with ids of its own. */
export function repeatJaegerFile(from: string, to: string, times: number): void {
  interface Span {
    traceID: string;
    spanID: string;
    startTime: number;
    duration: number;
    references?: { traceID: string; spanID: string }[];
  }
  const traces = gunzipSync(readFileSync(from))
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { traceID: string; spans: Span[] });
  const spans = traces.flatMap((trace) => trace.spans);
  const first = spans.reduce((least, { startTime }) => Math.min(least, startTime), Infinity);
  const last = spans.reduce((most, own) => Math.max(most, own.startTime + own.duration), 0);
  const lines: string[] = [];
  for (let copy = 0; copy < times; copy++) {
    const id = (own: string) =>
      `${own.slice(0, -2)}${copy.toString(16).padStart(2, '0')}${own.slice(-2)}`;
    for (const trace of traces) {
      const moved = trace.spans.map((span) => ({
        ...span,
        traceID: id(span.traceID),
        spanID: id(span.spanID),
        startTime: span.startTime + copy * (last - first + 1e6),
        references: span.references?.map((reference) => ({
          ...reference,
          traceID: id(reference.traceID),
          spanID: id(reference.spanID),
        })),
      }));
      lines.push(JSON.stringify({ ...trace, traceID: id(trace.traceID), spans: moved }));
    }
  }
  writeFileSync(to, gzipSync(`${lines.join('\n')}\n`));
}
