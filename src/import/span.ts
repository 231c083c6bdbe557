/** Which side of a call a span speaks for; '' where the file does not say. */
export type SpanKind = 'server' | 'client' | 'internal' | '';

/** What a span says of its request, made from tags and the operation's name. */
export interface RequestFacts {
  readonly method: string;
  /** Request target; two operations of one service never share its route. */
  readonly target: string;
  /** Name of the other end as a client span gives it, '' if it does not. */
  readonly peer: string;
  /** 100..599. */
  readonly status: number;
}

/** A span of any format, in one form. */
export interface ImportedSpan {
  /** Ids as the file writes them. */
  readonly traceId: string;
  readonly spanId: string;
  /** Id of the parent in the same trace, '' for none. */
  readonly parentId: string;
  readonly service: string;
  readonly kind: SpanKind;
  /** UTC epoch ns. */
  readonly startNs: bigint;
  /** UTC epoch ns, never before the start; undefined for a span that was never ended. */
  readonly endNs: bigint | undefined;
  readonly request: RequestFacts;
}

/** What one JSON document of a file holds. */
export interface ParsedDocument {
  /** Lists of spans; in a format whose documents hold whole traces, one list per trace. */
  readonly traces: readonly (readonly ImportedSpan[])[];
  /** Why spans of the document were left out, one sentence each. */
  readonly problems: readonly string[];
}

/** How one format is read. */
export interface SpanFormat {
  /** For messages: `Jaeger`. */
  readonly title: string;
  /** True where a document holds whole traces; else spans are gathered by trace id over all files. */
  readonly wholeTraces: boolean;
  /** Reads a parsed JSON document; undefined if it is of another form. Never throws. */
  parse(value: unknown): ParsedDocument | undefined;
}
