import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** The fields of a Jaeger span that links follow from. */
interface JaegerSpan {
  readonly spanID: string;
  readonly processID: string;
  readonly references?: readonly { readonly spanID: string }[];
  readonly tags?: readonly { readonly key: string; readonly value: unknown }[];
}
interface JaegerTrace {
  readonly traceID: string;
  readonly spans: readonly JaegerSpan[];
  readonly processes: Readonly<Record<string, { readonly serviceName: string }>>;
}

/** Calls of one trace with the request that caused each, `trace/span -> trace/span`. */
function linksOfTrace({ traceID, spans, processes }: JaegerTrace): string[] {
  const byId = new Map(spans.map((span) => [span.spanID, span]));
  const serviceOf = (span: JaegerSpan) => processes[span.processID]!.serviceName;
  const parentOf = (span: JaegerSpan) => byId.get(span.references?.[0]?.spanID ?? '');
  const kindOf = (span: JaegerSpan) => span.tags?.find(({ key }) => key === 'span.kind')?.value;
  const hasClients = spans.some((span) => kindOf(span) === 'client' && parentOf(span));
  const isRequest = (span: JaegerSpan) => {
    const parent = parentOf(span);
    if (parent === undefined) return true;
    return hasClients ? kindOf(span) === 'server' : serviceOf(parent) !== serviceOf(span);
  };
  const requestOf = (span: JaegerSpan): JaegerSpan =>
    isRequest(span) ? span : requestOf(parentOf(span)!);
  return spans.flatMap((span) => {
    const parent = parentOf(span);
    if (parent === undefined) return [];
    const isCall = hasClients ? kindOf(span) === 'client' : serviceOf(parent) !== serviceOf(span);
    return isCall ? [`${traceID}/${span.spanID} -> ${traceID}/${requestOf(parent).spanID}`] : [];
  });
}

/**
 * What a file of Jaeger traces, one a line, says of its calls; found as TraceWeaver's
 * own scorer finds it, without any code of the import.
 *
 * @returns one line per call: `trace/span -> trace/span of the request that caused it`
 */
export function statedLinks(path: string): string[] {
  const bytes = readFileSync(path);
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  return text
    .trim()
    .split('\n')
    .flatMap((line) => linksOfTrace(JSON.parse(line) as JaegerTrace));
}
