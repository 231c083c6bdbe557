/** Ids longer than this are no ids. */
const LONGEST_ID = 128;
/** Headers that carry an id of the request or of what it belongs to, the commonest first. */
const ID_HEADERS = [
  'x-request-id',
  'x-correlation-id',
  'request-id',
  'correlation-id',
  'x-trace-id',
  'x-amzn-requestid',
] as const;

/** `traceparent`: version-traceid-parentid-flags (W3C Trace Context, level 1). All-zero ids are invalid. */
function w3c(value: string): string {
  const match = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-|$)/i.exec(value);
  if (match === null || /^0+$/.test(match[1]!) || /^0+$/.test(match[2]!)) return '';
  return `w3c:${match[1]!.toLowerCase()}:${match[2]!.toLowerCase()}`;
}

/** `b3`: traceid-spanid[-sampled[-parentid]]; trace ids of 64 or 128 bits (openzipkin/b3-propagation). */
function b3Single(value: string): string {
  const match = /^([0-9a-f]{32}|[0-9a-f]{16})-([0-9a-f]{16})(?:-|$)/i.exec(value);
  return match === null ? '' : b3(match[1]!, match[2]!);
}

function b3(traceId: string, spanId: string): string {
  const valid = /^([0-9a-f]{32}|[0-9a-f]{16})$/i.test(traceId) && /^[0-9a-f]{16}$/i.test(spanId);
  if (!valid || /^0+$/.test(traceId)) return '';
  return `b3:${traceId.toLowerCase().padStart(32, '0')}:${spanId.toLowerCase()}`;
}

/** `uber-trace-id`: traceid:spanid:parentid:flags, hex without leading zeros (Jaeger). */
function jaeger(value: string): string {
  const match = /^([0-9a-f]{1,32}):([0-9a-f]{1,16}):[0-9a-f]{1,16}:[0-9a-f]{1,2}$/i.exec(
    value.replace(/%3a/gi, ':'),
  );
  if (match === null || /^0+$/.test(match[1]!)) return '';
  const [, traceId, spanId] = match;
  return `jaeger:${traceId!.toLowerCase().padStart(32, '0')}:${spanId!.toLowerCase().padStart(16, '0')}`;
}

/** An unsigned decimal of 64 bits as 16 hex digits, '' if it is none or zero. */
function decimalId(value: string): string {
  if (!/^\d{1,20}$/.test(value)) return '';
  const number = BigInt(value);
  return number === 0n || number >= 1n << 64n ? '' : number.toString(16).padStart(16, '0');
}

/** `x-datadog-trace-id`, `x-datadog-parent-id`: unsigned decimals of 64 bits (Datadog). */
function datadog(traceId: string, parentId: string): string {
  const trace = decimalId(traceId);
  return trace === '' ? '' : `datadog:${trace.padStart(32, '0')}:${decimalId(parentId)}`;
}

/** `x-amzn-trace-id`: Root=1-epoch-random;Parent=span;Sampled=flag, in any order (AWS X-Ray). */
function xray(value: string): string {
  const root = /(?:^|;)\s*Root=1-([0-9a-f]{8})-([0-9a-f]{24})(?:;|$)/i.exec(value);
  if (root === null) return '';
  const parent = /(?:^|;)\s*Parent=([0-9a-f]{16})(?:;|$)/i.exec(value);
  const traceId = `${root[1]}${root[2]}`.toLowerCase();
  return `xray:${traceId}:${parent?.[1]?.toLowerCase() ?? ''}`;
}

/** `x-cloud-trace-context`: traceid/span;o=flag, the span a decimal (Google Cloud Trace). */
function cloudTrace(value: string): string {
  const match = /^([0-9a-f]{32})(?:\/(\d{1,20}))?(?:;|$)/i.exec(value);
  if (match === null || /^0+$/.test(match[1]!)) return '';
  return `cloud:${match[1]!.toLowerCase()}:${decimalId(match[2] ?? '')}`;
}

/**
 * The one value of a header that may come several times: '' where copies contradict each
 * other, because then nobody knows which one the program believed.
 */
function single(values: readonly string[]): string {
  const [first = '', ...others] = values;
  return others.every((value) => value === first) ? first : '';
}

/**
 * The in-band identity of a request, in the form of the exchange columns: trace contexts
 * as "kind:traceId:parentId" joined by spaces, and a request or correlation id.
 *
 * @param headers gives all values of a header by lower-case name
 */
export function readIdentity(headers: (name: string) => readonly string[]): {
  traceContext: string;
  requestId: string;
} {
  const header = (name: string) => single(headers(name));
  const contexts = [
    w3c(header('traceparent')),
    b3Single(header('b3')) || b3(header('x-b3-traceid'), header('x-b3-spanid')),
    jaeger(header('uber-trace-id')),
    datadog(header('x-datadog-trace-id'), header('x-datadog-parent-id')),
    xray(header('x-amzn-trace-id')),
    cloudTrace(header('x-cloud-trace-context')),
  ].filter((context) => context !== '');
  const id = ID_HEADERS.map(header).find((value) => value !== '') ?? '';
  // Masked or absurd ids identify nothing.
  const requestId = /^[\x21-\x29\x2b-\x7e]+$/.test(id) && id.length <= LONGEST_ID ? id : '';
  return { traceContext: contexts.join(' '), requestId };
}
