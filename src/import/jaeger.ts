import { isObject, type JsonObject, nsOfMicroseconds, objectsIn, textOf } from './json.js';
import { requestFacts, type TagReader } from './request.js';
import type { ImportedSpan, ParsedDocument, SpanFormat, SpanKind } from './span.js';

const KINDS: Readonly<Record<string, SpanKind>> = {
  server: 'server',
  consumer: 'server',
  client: 'client',
  producer: 'client',
  internal: 'internal',
};

function tagReader(tags: unknown): TagReader {
  const values = new Map(objectsIn(tags).map((tag) => [textOf(tag.key), textOf(tag.value)]));
  return (name) => values.get(name) ?? '';
}

/**
 * The parent: a CHILD_OF before a FOLLOWS_FROM. A FOLLOWS_FROM of another trace is a link;
 * a CHILD_OF is the parent whatever trace it names, for tools that rename only one of the two.
 */
function parentOf(span: JsonObject, traceId: string): string {
  const references = objectsIn(span.references);
  const own = references.filter((reference) => textOf(reference.traceID || traceId) === traceId);
  const isChild = ({ refType }: JsonObject) => refType === 'CHILD_OF';
  const found = own.find(isChild) ?? own[0] ?? references.find(isChild);
  return found === undefined ? textOf(span.parentSpanID) : textOf(found.spanID);
}

function serviceOf(span: JsonObject, processes: unknown): string {
  const named = isObject(processes) ? processes[textOf(span.processID)] : undefined;
  const process = isObject(span.process) ? span.process : named;
  return (isObject(process) && textOf(process.serviceName)) || 'unknown';
}

function readSpan(span: JsonObject, trace: JsonObject): ImportedSpan | string {
  const traceId = textOf(span.traceID) || textOf(trace.traceID);
  const spanId = textOf(span.spanID);
  const startNs = nsOfMicroseconds(span.startTime);
  if (spanId === '') return 'a span has no spanID';
  if (startNs === undefined) return `span ${spanId} has no startTime in microseconds`;
  const duration = nsOfMicroseconds(span.duration);
  const tag = tagReader(span.tags);
  return {
    traceId,
    spanId,
    parentId: parentOf(span, traceId),
    service: serviceOf(span, trace.processes),
    kind: KINDS[tag('span.kind').toLowerCase()] ?? '',
    startNs,
    endNs: duration === undefined ? undefined : startNs + duration,
    request: requestFacts(textOf(span.operationName), tag, tag('otel.status_code') === 'ERROR'),
  };
}

function readTrace(trace: JsonObject, problems: string[]): ImportedSpan[] {
  const spans: ImportedSpan[] = [];
  for (const span of Array.isArray(trace.spans) ? trace.spans : []) {
    const read = isObject(span) ? readSpan(span, trace) : 'a span is no object';
    if (typeof read === 'string') problems.push(read);
    else spans.push(read);
  }
  return spans;
}

function isTrace(value: unknown): value is JsonObject {
  return isObject(value) && Array.isArray(value.spans);
}

/** A trace, or what Jaeger's interface saves: `{data: [trace, ...]}`. */
function parse(value: unknown): ParsedDocument | undefined {
  if (!isObject(value)) return undefined;
  const traces: unknown[] = Array.isArray(value.data) ? value.data : [value];
  const problems: string[] = [];
  const lists: ImportedSpan[][] = [];
  for (const trace of traces) {
    if (isTrace(trace)) lists.push(readTrace(trace, problems));
    else problems.push('a trace has no list of spans');
  }
  return lists.length === 0 && traces.length > 0 ? undefined : { traces: lists, problems };
}

/** Jaeger's JSON of traces, times in microseconds. https://www.jaegertracing.io */
export const JAEGER: SpanFormat = { title: 'Jaeger', wholeTraces: true, parse };
