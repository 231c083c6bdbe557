import type { TableOf } from './columns.js';

/** How sure a parent is. A wrong link is worse than none. */
export const Verdict = {
  /** Proved by evidence. */
  certain: 'certain',
  /** Inferred; the confidence is the probability. */
  probable: 'probable',
  /** Not linked: the candidates are kept. */
  unknown: 'unknown',
  /** No parent is expected: the outermost exchange recorded, with nothing that could have caused it. */
  root: 'root',
} as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/**
 * The least probability a link needs by default; docs/causality.md says what it trades.
 * Spans of other tracers have timing alone, and are imported to be repaired: more often right
 * than wrong is enough there.
 */
export const DEFAULT_MIN_CONFIDENCE = { recorded: 0.95, imported: 0.5 } as const;

/**
 * spans.parquet: one row per exchange, sorted by trace start, trace, start, span id.
 * A server span's parent is the client span at the other end of its hop; a client
 * span's parent is the server span that caused it.
 */
export const SPAN_COLUMNS = {
  trace_id: {
    type: 'utf8',
    doc: '32 hex digits. The recorded trace id where one was in band, else a hash of the root span.',
  },
  span_id: {
    type: 'utf8',
    encoding: 'plain',
    doc: '16 hex digits: hash of boot id, socket cookie, stream offset and role. The same input gives the same id.',
  },
  parent_span_id: {
    type: 'utf8',
    nullable: true,
    encoding: 'plain',
    doc: 'Span id of the parent; NULL where it is a root or unknown.',
  },
  service: { type: 'utf8', doc: 'Name of the service, derived from the command line.' },
  host: { type: 'utf8', doc: 'Host name.' },
  pid: { type: 'uint32', doc: 'Process id.' },
  tid: {
    type: 'uint32',
    doc: 'Thread that began the exchange here: sent (client) or received (server) the request’s first byte.',
  },
  role: { type: 'utf8', doc: 'client or server.' },
  protocol: {
    later: true,
    type: 'utf8',
    doc: 'http, redis, postgresql, mysql, mongodb, kafka, memcached, dns, fastcgi or unknown.',
  },
  method: {
    type: 'utf8',
    doc: 'HTTP method as recorded; other protocols: the operation, empty where unknown.',
  },
  target: {
    type: 'utf8',
    doc: 'Request target as recorded, secrets masked; other protocols: topic or name, if any.',
  },
  authority: { type: 'utf8', nullable: true, doc: 'Host header as recorded.' },
  status: {
    type: 'uint16',
    nullable: true,
    doc: 'Status code; NULL where no response was recorded.',
  },
  peer: { type: 'utf8', doc: 'address:port of the other end.' },
  local: { type: 'utf8', doc: 'address:port of this end.' },
  connection: { type: 'uint64', doc: 'Socket cookie: finds the raw events in the segments.' },
  start_ns: { type: 'int64', encoding: 'delta', doc: 'First byte of the request, UTC epoch ns.' },
  first_byte_ns: {
    type: 'int64',
    nullable: true,
    doc: 'First byte of the response, UTC epoch ns; NULL if none.',
  },
  end_ns: { type: 'int64', doc: 'Last recorded byte of the exchange, UTC epoch ns.' },
  request_bytes: { type: 'uint64', doc: 'Bytes of the request on the wire.' },
  response_bytes: { type: 'uint64', doc: 'Bytes of the response on the wire.' },
  parent_verdict: { type: 'utf8', doc: 'certain, probable, unknown or root.' },
  parent_confidence: {
    type: 'float64',
    nullable: true,
    doc: 'Probability that the parent is right, 0..1; for unknown, that of the best candidate; NULL for a root.',
  },
  parent_method: {
    type: 'utf8',
    nullable: true,
    doc: 'The strongest evidence: hop (same bytes at both ends), or a rule of causality.',
  },
  candidates: { type: 'uint16', doc: 'How many spans could have been the parent.' },
  critical_ns: {
    type: 'uint64',
    doc: 'How much of the trace’s critical path is this span’s own time, ns.',
  },
  loss_flags: { type: 'uint32', doc: 'LossFlag bits: what is missing or odd.' },
  source_trace_id: {
    type: 'utf8',
    nullable: true,
    encoding: 'plain',
    doc: 'Imported spans: trace id in the file they came from. NULL for recorded traffic.',
  },
  source_span_id: {
    type: 'utf8',
    nullable: true,
    encoding: 'plain',
    doc: 'Imported spans: span id in that file. A client exchange that was made for a server span has the server span’s id: role tells the two apart.',
  },
} as const;
export type SpanTable = TableOf<typeof SPAN_COLUMNS>;

/** traces.parquet: one row per trace, sorted by start, trace id. */
export const TRACE_COLUMNS = {
  trace_id: { type: 'utf8', encoding: 'plain', doc: '32 hex digits.' },
  root_span_id: { type: 'utf8', encoding: 'plain', doc: 'Span id of the outermost span.' },
  service: {
    type: 'utf8',
    doc: 'Service of the outermost server span (of the root if there is none).',
  },
  method: { type: 'utf8', doc: 'Method of the root.' },
  target: { type: 'utf8', doc: 'Target of the root.' },
  status: {
    type: 'uint16',
    nullable: true,
    doc: 'Status of the root; NULL where none was recorded.',
  },
  start_ns: { type: 'int64', encoding: 'delta', doc: 'Start of the root, UTC epoch ns.' },
  end_ns: { type: 'int64', doc: 'End of the root, UTC epoch ns.' },
  spans: { type: 'uint32', doc: 'Spans in the trace.' },
  services: { type: 'uint16', doc: 'Distinct services.' },
  errors: { type: 'uint32', doc: 'Spans with status >= 500, a reset, or no response.' },
  unknown_links: {
    type: 'uint32',
    doc: 'Spans of this trace that might belong to another trace or have lost children: rivals were close.',
  },
  min_confidence: {
    type: 'float64',
    doc: 'Least confidence of any link in the trace; 1 if all are certain.',
  },
  loss_flags: { type: 'uint32', doc: 'LossFlag bits of all its spans, joined.' },
} as const;
export type TraceTable = TableOf<typeof TRACE_COLUMNS>;

/** links.parquet: one row per considered parent, the chosen one and its rivals; sorted by span id, then rank. */
export const LINK_COLUMNS = {
  span_id: { type: 'utf8', encoding: 'plain', doc: 'The span whose parent is in question.' },
  candidate_span_id: { type: 'utf8', encoding: 'plain', doc: 'The span that may be its parent.' },
  rank: { type: 'uint16', doc: '0 is the most probable.' },
  chosen: { type: 'uint8', doc: '1 where this candidate became the parent.' },
  confidence: { type: 'float64', doc: 'Probability, 0..1.' },
  method: { type: 'utf8', doc: 'The strongest evidence for it.' },
  evidence: {
    type: 'utf8',
    doc: 'JSON array of {rule, weight, text}: what speaks for (weight > 0) or against it, in nats.',
  },
} as const;
export type LinkTable = TableOf<typeof LINK_COLUMNS>;
