import { isObject, type JsonObject, nsOfMicroseconds, textOf } from './json.js';
import { requestFacts, type TagReader } from './request.js';
import type { ImportedSpan, ParsedDocument, SpanFormat, SpanKind } from './span.js';

const KINDS: Readonly<Record<string, SpanKind>> = {
  SERVER: 'server',
  CONSUMER: 'server',
  CLIENT: 'client',
  PRODUCER: 'client',
};

function serviceName(endpoint: unknown): string {
  return isObject(endpoint) ? textOf(endpoint.serviceName) : '';
}

/** Tags, and the peer where the span names its remote end. */
function tagReader(span: JsonObject): TagReader {
  const tags = isObject(span.tags) ? span.tags : {};
  const peer = serviceName(span.remoteEndpoint);
  return (name) => {
    if (name === 'peer.service' && peer !== '') return peer;
    return Object.hasOwn(tags, name) ? textOf(tags[name]) : '';
  };
}

function readSpan(span: JsonObject): ImportedSpan | string {
  const traceId = textOf(span.traceId);
  const spanId = textOf(span.id);
  if (traceId === '' || spanId === '') return 'a span has no traceId or no id';
  const startNs = nsOfMicroseconds(span.timestamp);
  if (startNs === undefined) return `span ${spanId} has no timestamp in microseconds`;
  const duration = nsOfMicroseconds(span.duration);
  const tag = tagReader(span);
  // Its presence means a failure, whatever it says.
  const failed = isObject(span.tags) && Object.hasOwn(span.tags, 'error');
  return {
    traceId,
    spanId,
    parentId: textOf(span.parentId),
    service: serviceName(span.localEndpoint) || 'unknown',
    kind: KINDS[textOf(span.kind)] ?? '',
    startNs,
    endNs: duration === undefined ? undefined : startNs + duration,
    request: requestFacts(textOf(span.name), tag, failed),
  };
}

/** Version 1 has annotations with endpoints instead of a localEndpoint. */
function isSpan(value: unknown): value is JsonObject {
  if (!isObject(value)) return false;
  return Object.hasOwn(value, 'traceId') && !Object.hasOwn(value, 'binaryAnnotations');
}

function parse(value: unknown): ParsedDocument | undefined {
  const list: unknown[] = (Array.isArray(value) ? value : [value]).flat();
  if (list.length > 0 && !list.some(isSpan)) return undefined;
  const problems: string[] = [];
  const spans: ImportedSpan[] = [];
  for (const span of list) {
    const read = isSpan(span) ? readSpan(span) : 'a span is not of version 2';
    if (typeof read === 'string') problems.push(read);
    else spans.push(read);
  }
  return { traces: [spans], problems };
}

/** Zipkin v2: spans, arrays of spans, or arrays of traces. https://zipkin.io/zipkin-api */
export const ZIPKIN: SpanFormat = { title: 'Zipkin v2', wholeTraces: false, parse };
