import type { Candidates } from './candidates.js';
import type { ProcessIndex } from './process-index.js';

/** An id that more requests of one process carry than this is a constant, not an identity. */
const MOST_REQUESTS_PER_ID = 50;
/** A process forwards a kind of id where at least this share of its calls with one have it from an open request. */
const LEAST_FORWARDED = 0.5;
/** Requests with the same id that were open at once: more say nothing. */
const MOST_MATCHES = 4;
/** Ids tell a process's calls where this share of those with rivals has exactly one request by them. */
const TOLD = 0.99;

const NONE: readonly number[] = [];

/** In-band identifiers: which calls carry the same identity as which open requests. */
export interface IdentityMatches {
  /** Servers that carry the identity of a client and may have caused it: at most four. */
  of(client: number): readonly number[];
  /** The identifier that matched, '' if none. */
  by(client: number): string;
  /** True where a call carries an id of a kind that the process forwards, but no open request has it. */
  isStray(client: number): boolean;
}

/** Nothing known. */
export const NO_IDENTITIES: IdentityMatches = {
  of: () => NONE,
  by: () => '',
  isStray: () => false,
};

/** Identity keys of an exchange, "kind:id": trace ids, then the request id. */
function keysOf(traceContext: string, requestId: string): string[] {
  const keys: string[] = [];
  if (traceContext !== '') {
    for (const token of traceContext.split(' ')) {
      const kind = token.indexOf(':');
      const end = token.indexOf(':', kind + 1);
      const key = end === -1 ? token : token.slice(0, end);
      if (kind > 0 && key.length > kind + 1) keys.push(key);
    }
  }
  if (requestId !== '') keys.push(`request-id:${requestId}`);
  return keys;
}

const kindOf = (key: string) => key.slice(0, key.indexOf(':'));

function serversByKey({ exchanges: x, servers }: ProcessIndex): Map<string, number[]> {
  const byKey = new Map<string, number[]>();
  for (let server = 0; server < servers.length; server++) {
    const row = servers[server]!;
    for (const key of keysOf(x.trace_context[row]!, x.request_id[row]!)) {
      const list = byKey.get(key);
      if (list === undefined) byKey.set(key, [server]);
      else list.push(server);
    }
  }
  return byKey;
}

/** How many calls carry an id of a kind, and for how many an open request carries it too. */
class Forwarding {
  private readonly carried = new Map<string, number>();
  private readonly matched = new Map<string, number>();

  add(kind: string, isMatched: boolean): void {
    this.carried.set(kind, (this.carried.get(kind) ?? 0) + 1);
    if (isMatched) this.matched.set(kind, (this.matched.get(kind) ?? 0) + 1);
  }

  isForwarded(kind: string): boolean {
    const matched = this.matched.get(kind) ?? 0;
    return matched > 0 && matched / this.carried.get(kind)! >= LEAST_FORWARDED;
  }
}

/** What several ids of one call agree on; where they contradict each other, all that any of them names. */
function combine(sets: readonly (readonly number[])[]): readonly number[] {
  const [first, ...others] = sets;
  if (first === undefined) return NONE;
  const common = first.filter((server) => others.every((set) => set.includes(server)));
  return common.length > 0 ? common : [...new Set(sets.flat())];
}

/**
 * Finds requests and calls that share a trace id or a request id. Ids that many requests
 * share are not trusted, nor are kinds of ids that the process makes anew for its calls.
 */
export function matchIdentities(index: ProcessIndex, candidates: Candidates): IdentityMatches {
  const { exchanges: x, clients } = index;
  const byKey = serversByKey(index);
  const forwarding = new Forwarding();
  const keys = new Map<number, string[]>();
  const openWith = (key: string, client: number) =>
    (byKey.get(key) ?? NONE).filter((server) => candidates.has(client, server));
  const isConstant = (key: string) => (byKey.get(key)?.length ?? 0) > MOST_REQUESTS_PER_ID;
  for (let client = 0; byKey.size > 0 && client < clients.length; client++) {
    const row = clients[client]!;
    if (x.trace_context[row] === '' && x.request_id[row] === '') continue;
    const own = keysOf(x.trace_context[row]!, x.request_id[row]!).filter((key) => !isConstant(key));
    if (own.length === 0) continue;
    keys.set(client, own);
    for (const key of own) forwarding.add(kindOf(key), openWith(key, client).length > 0);
  }
  const trusted = (client: number) =>
    (keys.get(client) ?? []).filter((key) => forwarding.isForwarded(kindOf(key)));
  const known: (readonly number[])[] = new Array(clients.length);
  const find = (client: number) => {
    const sets = trusted(client).map((key) => openWith(key, client));
    const found = combine(sets.filter((set) => set.length > 0));
    return found.length <= MOST_MATCHES ? found : NONE;
  };
  // Asked for several times of each call.
  for (const client of keys.keys()) known[client] = find(client);
  return {
    of: (client) => known[client] ?? NONE,
    by: (client) =>
      keys.has(client)
        ? (trusted(client).find((key) => openWith(key, client).length > 0) ?? '')
        : '',
    isStray: (client) => {
      const own = keys.has(client) ? trusted(client) : [];
      return own.length > 0 && own.every((key) => openWith(key, client).length === 0);
    },
  };
}

/** Whether ids name the one request of nearly all calls for which there are several. */
export function isTold(identities: IdentityMatches, candidates: Candidates): boolean {
  let calls = 0;
  let told = 0;
  for (let client = 0; client < candidates.open.length; client++) {
    if (candidates.open[client]! < 2) continue;
    calls++;
    if (identities.of(client).length === 1) told++;
  }
  return told > 0 && told >= TOLD * calls;
}
