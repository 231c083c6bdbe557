// The trace SHOP of spans.ts as OTLP and Zipkin would write it.
import { SHOP } from './spans.js';

const TRACE = '5b8efff798038103d269b633813fc60c';
const KINDS = { internal: 1, server: 2, client: 3 } as const;
const START_US = 1_790_000_000_000_000;

/** OTLP wants eight bytes. */
const idOf = (id: string) => id.repeat(16);

/** One TracesData per service, as each service's exporter would write them. */
export function otlpShop() {
  return ['front', 'cart'].map((service) => ({
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
        scopeSpans: [
          {
            spans: SHOP.filter((span) => span.service === service).map((span) => ({
              traceId: TRACE,
              spanId: idOf(span.id).toUpperCase(),
              parentSpanId: span.parent === undefined ? '' : idOf(span.parent),
              name: span.name ?? `op-${span.id}`,
              kind: KINDS[span.kind as 'server'],
              startTimeUnixNano: `${START_US + (span.start ?? 0)}000`,
              endTimeUnixNano: `${START_US + (span.start ?? 0) + (span.duration ?? 1000)}000`,
              attributes: Object.entries(span.tags ?? {}).map(([key, value]) => ({
                key,
                value: { stringValue: value },
              })),
            })),
          },
        ],
      },
    ],
  }));
}

/** The server at the other end of c shares c's id, as Zipkin's own tracers do it. */
export const ZIPKIN_SHOP = SHOP.map((span) => ({
  traceId: TRACE,
  id: span.id === 'd' ? 'c' : span.id,
  ...(span.id === 'd' ? { parentId: 'b', shared: true } : {}),
  ...(span.parent === undefined || span.id === 'd'
    ? {}
    : { parentId: span.parent === 'd' ? 'c' : span.parent }),
  ...(span.kind === 'internal' ? {} : { kind: span.kind!.toUpperCase() }),
  name: span.name ?? `op-${span.id}`,
  timestamp: START_US + (span.start ?? 0),
  duration: span.duration ?? 1000,
  localEndpoint: { serviceName: span.service },
  tags: { ...span.tags },
}));
