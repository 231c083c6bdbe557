import type { TableOf } from './columns.js';

export const Role = { server: 0, client: 1 } as const;
export type Role = (typeof Role)[keyof typeof Role];

/** What is missing or odd about an exchange (bit set). */
export const LossFlag = {
  /** Bytes of the request or response head were beyond the snap length. */
  truncated: 0x01,
  /** Bytes of the stream are missing in the recording. */
  gap: 0x02,
  /** Recording began in the middle of this exchange. */
  startUnseen: 0x04,
  /** No response was recorded: end is the last thing seen, the outcome is not known. */
  responseUnseen: 0x08,
  /** The response has no recorded end; end is its last recorded byte. */
  endUnseen: 0x10,
  /** The connection was reset or failed with an error during the exchange. */
  reset: 0x20,
  /** The head could not be understood in full. */
  malformed: 0x40,
  /** The other end of the hop was not recorded (client without server, or server without client). */
  peerUnseen: 0x80,
  /** To keep the recorder's budget, its other end or what followed was left out: that is neither lost nor failed. */
  unsampled: 0x100,
} as const;

/**
 * One row per exchange: request and response at one endpoint. Times are
 * nanoseconds after the reconstruction's base time, NaN where not recorded.
 */
export const EXCHANGE_COLUMNS = {
  host: { type: 'uint16', doc: 'Index into the plan’s hosts.' },
  process: { type: 'uint32', doc: 'Index into the plan’s processes.' },
  connection: { type: 'uint64', doc: 'Socket cookie.' },
  peer: {
    later: true,
    type: 'uint64',
    doc: 'Unix sockets: cookie of the socket at the other end; 0 unknown.',
  },
  protocol: {
    later: true,
    type: 'utf8',
    doc: 'http, or what the recorder recognised: redis, postgresql, dns ...; unknown where both ends took turns in a way it does not know. Empty means http.',
  },
  role: { type: 'uint8', doc: 'Role.' },
  encrypted: {
    later: true,
    type: 'uint8',
    doc: '1 where TLS encrypted it and its plaintext was recorded: sequence numbers are those of the ciphertext, and the two ends’ differ.',
  },
  order: { type: 'uint32', doc: 'How many exchanges the connection had before this one.' },
  request_sequence: { type: 'uint32', doc: 'TCP sequence number of the request’s first byte.' },
  response_sequence: {
    type: 'uint32',
    doc: 'TCP sequence number of the response’s first byte; 0 if none.',
  },
  local_address: { type: 'utf8', doc: 'IP address of this end.' },
  local_port: { type: 'uint16', doc: 'Port of this end.' },
  remote_address: { type: 'utf8', doc: 'IP address of the other end.' },
  remote_port: { type: 'uint16', doc: 'Port of the other end.' },
  connect_time: {
    type: 'float64',
    doc: 'Client, first exchange of the connection only: when connect() was called.',
  },
  connect_tid: { type: 'uint32', doc: 'The thread that called connect(); 0 unknown.' },
  request_start: { type: 'float64', doc: 'First byte of the request sent or received.' },
  request_end: { type: 'float64', doc: 'Last recorded byte of the request.' },
  response_start: { type: 'float64', doc: 'First byte of the (final) response.' },
  response_end: { type: 'float64', doc: 'Last recorded byte of the response.' },
  request_start_tid: { type: 'uint32', doc: 'Thread of request_start.' },
  request_end_tid: { type: 'uint32', doc: 'Thread of request_end.' },
  response_start_tid: { type: 'uint32', doc: 'Thread of response_start; 0 if none.' },
  response_end_tid: { type: 'uint32', doc: 'Thread of response_end; 0 if none.' },
  lease_tid: {
    later: true,
    type: 'uint32',
    doc: 'Client: the thread that last found the socket empty before the request was sent on it, as one that takes a pooled connection does, or that gave a pool of Python the task which sent it; 0 none.',
  },
  lease_age: {
    later: true,
    type: 'uint32',
    doc: 'ns from that moment to request_start; before Go 1.21: from when the creator started the caller, or what led to it.',
  },
  request_goroutine: {
    later: true,
    type: 'uint32',
    doc: 'Goroutine that sent the request (client) or read its last bytes (server); asyncio: task that sent it, Node: its async root (client); 0 not known.',
  },
  response_goroutine: {
    later: true,
    type: 'uint32',
    doc: 'Goroutine of response_start; asyncio: task that sent it, Node: its async root (server); 0 not known.',
  },
  caller: {
    later: true,
    type: 'uint32',
    doc: 'Client: goroutine that waits for the reply; asyncio: the task that the sender descends from; Node: the async root; 0 not known.',
  },
  creator: {
    later: true,
    type: 'uint32',
    doc: 'Client: goroutine that started the caller; asyncio: task that made the sender (server: of the response); 0 not known.',
  },
  request_slice: {
    later: true,
    type: 'uint32',
    doc: 'Go time slice in which the request was sent (client) or its last bytes read (server); 0 not known.',
  },
  response_slice: {
    later: true,
    type: 'uint32',
    doc: 'Go time slice of response_start; 0 not known.',
  },
  request_bytes: { type: 'float64', doc: 'Bytes of the request on the wire, head and body.' },
  response_bytes: { type: 'float64', doc: 'Bytes of the response on the wire, head and body.' },
  status: { type: 'uint16', doc: 'Status of the final response; 0 if none.' },
  method: {
    type: 'utf8',
    doc: 'Method as recorded. Other protocols: the operation, e.g. GET, SELECT; empty unknown.',
  },
  target: {
    type: 'utf8',
    doc: 'Request target as recorded (secrets masked). Other protocols: the topic or name asked for, if any.',
  },
  authority: { type: 'utf8', doc: 'Host header.' },
  trace_context: {
    type: 'utf8',
    doc: 'In-band trace identity of the request as "kind:traceId:parentId" (kind w3c, b3, jaeger, datadog, xray, cloud); several joined by a space. Imported: "import:number", the same on a request and the calls that the file puts below it.',
  },
  request_id: {
    type: 'utf8',
    doc: 'x-request-id, x-correlation-id or a like header of the request.',
  },
  tokens: {
    later: true,
    type: 'utf8',
    doc: 'What the headers of the request carry that may be passed on with calls, as "name=value" joined by a space; a value that begins with * is the mark of a masked secret.',
  },
  loss_flags: { type: 'uint32', doc: 'LossFlag bits.' },
} as const;

export type ExchangeTable = TableOf<typeof EXCHANGE_COLUMNS>;
