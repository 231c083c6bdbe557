import { isObject, type JsonObject, nsOf, objectsIn, textOf } from './json.js';
import { requestFacts, type TagReader } from './request.js';
import type { ImportedSpan, ParsedDocument, SpanFormat, SpanKind } from './span.js';

/** Names and numbers of the enum SpanKind. */
const KINDS: Readonly<Record<string, SpanKind>> = {
  1: 'internal',
  2: 'server',
  3: 'client',
  4: 'client',
  5: 'server',
  SPAN_KIND_INTERNAL: 'internal',
  SPAN_KIND_SERVER: 'server',
  SPAN_KIND_CLIENT: 'client',
  SPAN_KIND_PRODUCER: 'client',
  SPAN_KIND_CONSUMER: 'server',
};
const NO_ID = /^0*$/;

function attributeText(value: unknown): string {
  if (!isObject(value)) return '';
  return textOf(value.stringValue ?? value.intValue ?? value.doubleValue ?? value.boolValue);
}

function attributeReader(attributes: unknown): TagReader {
  const values = new Map(
    objectsIn(attributes).map((entry) => [textOf(entry.key), attributeText(entry.value)]),
  );
  return (name) => values.get(name) ?? '';
}

function readSpan(span: JsonObject, service: string): ImportedSpan | string {
  const traceId = textOf(span.traceId);
  const spanId = textOf(span.spanId);
  if (NO_ID.test(traceId) || NO_ID.test(spanId)) return 'a span has no traceId or no spanId';
  const startNs = nsOf(span.startTimeUnixNano);
  if (startNs === undefined || startNs === 0n) return `span ${spanId} has no startTimeUnixNano`;
  const end = nsOf(span.endTimeUnixNano) ?? 0n;
  const parent = textOf(span.parentSpanId);
  const code = isObject(span.status) ? textOf(span.status.code) : '';
  const failed = code === '2' || code === 'STATUS_CODE_ERROR';
  return {
    traceId,
    spanId,
    parentId: NO_ID.test(parent) ? '' : parent,
    service,
    kind: KINDS[textOf(span.kind)] ?? '',
    startNs,
    endNs: end === 0n ? undefined : end < startNs ? startNs : end,
    request: requestFacts(textOf(span.name), attributeReader(span.attributes), failed),
  };
}

function parse(value: unknown): ParsedDocument | undefined {
  if (!isObject(value) || !Array.isArray(value.resourceSpans)) return undefined;
  const problems: string[] = [];
  const spans: ImportedSpan[] = [];
  for (const group of objectsIn(value.resourceSpans)) {
    const resource = isObject(group.resource) ? group.resource.attributes : undefined;
    const service = attributeReader(resource)('service.name') || 'unknown';
    // Before version 0.16 of the protocol scopes were instrumentation libraries.
    for (const scope of objectsIn(group.scopeSpans ?? group.instrumentationLibrarySpans)) {
      for (const span of objectsIn(scope.spans)) {
        const read = readSpan(span, service);
        if (typeof read === 'string') problems.push(read);
        else spans.push(read);
      }
    }
  }
  return { traces: [spans], problems };
}

/** OTLP/JSON: TracesData. https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/ */
export const OTLP: SpanFormat = { title: 'OTLP', wholeTraces: false, parse };
