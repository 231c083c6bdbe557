/** The parents that a file of Jaeger traces states, read from the file itself, not by the import. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

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

export interface Truth {
  /** By trace and span id of a call: span id of the request that caused it, '' if none is in the file. */
  readonly requestOf: Map<string, string>;
  /** Services by how many services call them. */
  readonly callers: Map<string, Set<string>>;
  readonly traces: number;
}

function kindOf(span: JaegerSpan): unknown {
  return span.tags?.find(({ key }) => key === 'span.kind')?.value;
}

/** True where a client span hangs below another: then client spans are calls, in every trace of the file. */
function hasCalls({ spans }: JaegerTrace): boolean {
  const ids = new Set(spans.map((span) => span.spanID));
  return spans.some(
    (span) => kindOf(span) === 'client' && ids.has(span.references?.[0]?.spanID ?? ''),
  );
}

function addTrace(
  trace: JaegerTrace,
  hasClients: boolean,
  knowsClients: boolean,
  truth: Truth,
): void {
  const { traceID, spans, processes } = trace;
  const byId = new Map(spans.map((span) => [span.spanID, span]));
  const serviceOf = (span: JaegerSpan) => processes[span.processID]!.serviceName;
  const parentOf = (span: JaegerSpan) => byId.get(span.references?.[0]?.spanID ?? '');
  const isRequest = (span: JaegerSpan) => {
    const parent = parentOf(span);
    if (kindOf(span) === 'client' && knowsClients) return false;
    if (parent === undefined) return true;
    return hasClients ? kindOf(span) === 'server' : serviceOf(parent) !== serviceOf(span);
  };
  for (const span of spans) {
    const parent = parentOf(span);
    if (parent === undefined) {
      // A call whose request the file does not hold must be linked to none.
      if (!isRequest(span)) truth.requestOf.set(`${traceID} ${span.spanID}`, '');
      continue;
    }
    if (isRequest(span)) {
      const known = truth.callers.get(serviceOf(span)) ?? new Set<string>();
      truth.callers.set(serviceOf(span), known.add(serviceOf(parent)));
    }
    const isCall = hasClients ? kindOf(span) === 'client' : isRequest(span);
    if (!isCall) continue;
    let request: JaegerSpan | undefined = parent;
    while (request !== undefined && !isRequest(request)) request = parentOf(request);
    truth.requestOf.set(`${traceID} ${span.spanID}`, request?.spanID ?? '');
  }
}

/** @param knowsClients client spans without parent are calls, not the entry of a trace */
export function readTruth(path: string, knowsClients: boolean): Truth {
  const requestOf = new Map<string, string>();
  const callers = new Map<string, Set<string>>();
  const lines = gunzipSync(readFileSync(path)).toString().trim().split('\n');
  const truth = { requestOf, callers, traces: lines.length };
  const parsed = lines.map((line) => JSON.parse(line) as JaegerTrace);
  const hasClients = parsed.some(hasCalls);
  for (const trace of parsed) addTrace(trace, hasClients, knowsClients, truth);
  return truth;
}
