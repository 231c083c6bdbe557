import { createHash } from 'node:crypto';

/**
 * Id of a span: the first 8 bytes of SHA-1 over what names an exchange for good (boot,
 * socket, role, position in the stream), as 16 hex digits. The same recording gives the
 * same ids on every run; an all-zero id, which W3C forbids, cannot practically occur.
 */
export function spanId(
  bootId: string,
  connection: bigint,
  role: number,
  sequence: number,
  order: number,
): string {
  const name = `span|${bootId}|${connection}|${role}|${sequence}|${order}`;
  return createHash('sha1').update(name).digest('hex').slice(0, 16);
}

/** Id of a trace that carries none of its own: 32 hex digits made from its root span's id. */
export function traceIdOfRoot(rootSpanId: string): string {
  return createHash('sha1').update(`trace|${rootSpanId}`).digest('hex').slice(0, 32);
}
