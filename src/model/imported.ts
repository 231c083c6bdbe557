import type { TableOf } from './columns.js';

/** Content of the files of an import, as their metadata says. */
export const IMPORT_CONTENT = { exchanges: 'exchanges', sources: 'sources' } as const;

/** The kind of `trace_context` that names the request a file states as the cause of a call. */
export const IMPORT_CONTEXT = 'import';

/**
 * sources-*.parquet: which span of the imported file an exchange was made from. It lies
 * beside the exchanges, and only assemble reads it: what infers causes never sees the ids.
 */
export const SOURCE_COLUMNS = {
  span_id: {
    type: 'utf8',
    encoding: 'plain',
    doc: 'Span id that the exchange gets in spans.parquet.',
  },
  source_trace_id: { type: 'utf8', encoding: 'plain', doc: 'Trace id as the file wrote it.' },
  source_span_id: {
    type: 'utf8',
    encoding: 'plain',
    doc: 'Span id as the file wrote it; of a client exchange that was made, the callee’s.',
  },
} as const;
export type SourceTable = TableOf<typeof SOURCE_COLUMNS>;

/** What a file of imported exchanges says about itself. */
export interface ImportHeader {
  readonly tool: string;
  /** Stands for a host: all services of an import are processes of it. */
  readonly host: string;
  /** Hash of the exchanges: the same spans give the same ids. */
  readonly bootId: string;
  /** jaeger, otlp or zipkin. */
  readonly format: string;
  /** True if the file’s parents are in the exchanges as identities. */
  readonly parentsKept: boolean;
  /** Times in the exchanges count from here, UTC epoch ns. */
  readonly baseNs: bigint;
  /** Services; `process` in the exchanges is an index into them. */
  readonly services: readonly string[];
  /** Number of this file among the import's, from 1, and how many there are. */
  readonly part: number;
  readonly parts: number;
}
