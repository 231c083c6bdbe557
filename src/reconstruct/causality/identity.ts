import type { ProcessIndex } from './process-index.js';

/** An id that more requests of one process carry than this is a constant, not an identity. */
const MOST_REQUESTS_PER_ID = 50;

/** In-band identifiers: which calls carry the same identity as which requests. */
export interface IdentityMatches {
  /** Per client: servers that carried the same identity, undefined where none did. */
  readonly servers: readonly (ReadonlySet<number> | undefined)[];
  /** Per client: the identifier that matched, '' if none. */
  readonly by: readonly string[];
  /** Per client: 1 where it carries an identity at all. */
  readonly present: Uint8Array;
  /** Per server: 1 where it carries an identity at all. */
  readonly serverPresent: Uint8Array;
  /** True where most identified calls carry the identity of an open request: the process forwards it. */
  readonly forwards: boolean;
}

/** Identity keys of an exchange: trace ids by kind, then the request id. */
function keysOf(traceContext: string, requestId: string): string[] {
  const keys: string[] = [];
  for (const token of traceContext.split(' ')) {
    const [kind, traceId] = token.split(':');
    if (kind !== undefined && traceId !== undefined && traceId !== '')
      keys.push(`${kind}:${traceId}`);
  }
  if (requestId !== '') keys.push(`request-id:${requestId}`);
  return keys;
}

/**
 * Finds requests and calls that share a trace id (W3C, B3, Jaeger) or a request id.
 * Ids that many requests share are not trusted.
 */
export function matchIdentities(index: ProcessIndex): IdentityMatches {
  const { exchanges: x } = index;
  const byKey = new Map<string, number[]>();
  const serverPresent = new Uint8Array(index.servers.length);
  index.servers.forEach((row, server) => {
    for (const key of keysOf(x.trace_context[row]!, x.request_id[row]!)) {
      serverPresent[server] = 1;
      const list = byKey.get(key);
      if (list === undefined) byKey.set(key, [server]);
      else list.push(server);
    }
  });
  const present = new Uint8Array(index.clients.length);
  const by: string[] = new Array(index.clients.length).fill('');
  let identified = 0;
  let matched = 0;
  const servers = Array.from(index.clients, (row, client) => {
    for (const key of keysOf(x.trace_context[row]!, x.request_id[row]!)) {
      present[client] = 1;
      const list = byKey.get(key);
      if (list === undefined || list.length > MOST_REQUESTS_PER_ID) continue;
      by[client] = key;
      return new Set(list);
    }
    return undefined;
  });
  for (let client = 0; client < present.length; client++) {
    if (present[client] === 1) identified++;
    if (servers[client] !== undefined) matched++;
  }
  return {
    servers,
    by,
    present,
    serverPresent,
    forwards: identified > 0 && matched / identified > 0.5,
  };
}
