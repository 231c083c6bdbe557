import type { ImportedSpan, RequestFacts } from './span.js';
import { buildTree, type DraftExchange, idKey, type TraceTree } from './trace.js';

/** Exchanges of all traces, and what was counted on the way. */
export interface Collected {
  readonly drafts: readonly DraftExchange[];
  readonly traces: number;
  readonly internalSpans: number;
  readonly duplicateSpans: number;
  readonly missingParents: number;
}

function firstOf<T>(known: Map<string, T>, key: string, value: T): T {
  const first = known.get(key);
  if (first === undefined) known.set(key, value);
  return first ?? value;
}

/** Gathers spans to traces, and traces to exchanges. */
export class TraceCollector {
  /** Spans added so far. */
  spans = 0;
  readonly #byTrace = new Map<string, ImportedSpan[]>();
  /** Traces that begin with a client: what that means, the rest of the files tells. */
  readonly #undecided: TraceTree[] = [];
  readonly #drafts: DraftExchange[] = [];
  readonly #wholeTraces: boolean;
  /** What spans say of their requests repeats: one copy of each is kept. */
  readonly #requests = new Map<string, RequestFacts>();
  readonly #services = new Map<string, string>();
  #hasNestedCalls = false;
  #traces = 0;
  #internal = 0;
  #duplicates = 0;
  #missingParents = 0;

  /** @param wholeTraces each list that is added is a trace; else traces are gathered by id */
  constructor(wholeTraces: boolean) {
    this.#wholeTraces = wholeTraces;
  }

  add(spans: readonly ImportedSpan[]): void {
    this.spans += spans.length;
    const shared = spans.map((span) => this.#share(span));
    if (this.#wholeTraces) {
      this.#addTrace(shared);
      return;
    }
    for (const span of shared) {
      const id = idKey(span.traceId);
      const known = this.#byTrace.get(id);
      if (known === undefined) this.#byTrace.set(id, [span]);
      else known.push(span);
    }
  }

  #share(span: ImportedSpan): ImportedSpan {
    const { method, target, peer, status } = span.request;
    const request = firstOf(this.#requests, `${method} ${status} ${target}\n${peer}`, span.request);
    return { ...span, request, service: firstOf(this.#services, span.service, span.service) };
  }

  #addTrace(spans: readonly ImportedSpan[]): void {
    if (spans.length === 0) return;
    this.#traces++;
    const tree = buildTree(spans);
    this.#hasNestedCalls ||= tree.hasNestedCalls;
    if (tree.beginsWithClient && !this.#hasNestedCalls) this.#undecided.push(tree);
    else this.#take(tree, false);
  }

  #take(tree: TraceTree, entryIsServer: boolean): void {
    const { exchanges, internal, duplicates, missingParents } = tree.draft(entryIsServer);
    for (const exchange of exchanges) this.#drafts.push(exchange);
    this.#internal += internal;
    this.#duplicates += duplicates;
    this.#missingParents += missingParents;
  }

  finish(): Collected {
    for (const [id, spans] of this.#byTrace) {
      this.#addTrace(spans);
      this.#byTrace.delete(id);
    }
    // Where no client span hangs below another span, the tracer marks the entry of a trace alone so.
    for (const tree of this.#undecided.splice(0)) this.#take(tree, !this.#hasNestedCalls);
    return {
      drafts: this.#drafts,
      traces: this.#traces,
      internalSpans: this.#internal,
      duplicateSpans: this.#duplicates,
      missingParents: this.#missingParents,
    };
  }
}
