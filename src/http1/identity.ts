/** Ids longer than this are no ids. */
const LONGEST_ID = 128;

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

/**
 * The in-band identity of a request, in the form of the exchange columns: trace contexts
 * as "kind:traceId:parentId" joined by spaces, and a request or correlation id.
 *
 * @param header gives the first value of a header by lower-case name, '' if absent
 */
export function readIdentity(header: (name: string) => string): {
  traceContext: string;
  requestId: string;
} {
  const contexts = [
    w3c(header('traceparent')),
    b3Single(header('b3')) || b3(header('x-b3-traceid'), header('x-b3-spanid')),
    jaeger(header('uber-trace-id')),
  ].filter((context) => context !== '');
  const id = header('x-request-id') || header('x-correlation-id');
  // Masked or absurd ids identify nothing.
  const requestId = /^[\x21-\x29\x2b-\x7e]+$/.test(id) && id.length <= LONGEST_ID ? id : '';
  return { traceContext: contexts.join(' '), requestId };
}
