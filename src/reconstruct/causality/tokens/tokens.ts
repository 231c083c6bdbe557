import type { Candidates } from '../candidates.js';
import type { Kinds } from '../kinds.js';
import type { ProcessIndex } from '../process-index.js';
import { readTokens, type Tokens } from './read.js';
import { findMatches, type Matches, type Proof } from './trust.js';

/** Below this a shared value says nothing. */
const LEAST_TRUST = 0.6;
/** A call that belongs to no request shares a value with one at least this often. */
const LEAST_BACKGROUND = 0.02;

/** Which requests calls share rare values with: those of client i are at offsets[i] .. offsets[i + 1]. */
export interface TokenMatches {
  readonly offsets: Uint32Array;
  readonly server: Int32Array;
  /** Probability that this server is the parent, as a rule that names it alone, 0..1. */
  readonly trust: Float64Array;
  /** How likely a call of no request is to share a value with this server, times its candidates, 0..1. */
  readonly ifBackground: Float64Array;
  /** What is shared, and how far such sharing can be trusted here, in words. */
  textOf(client: number): string;
}

/** From this trust on, what is shared testifies how far other rules can be trusted. */
export const LEAST_WITNESS = 0.95;

/** The one request that a call shares a value with, and the trust in that; -1 none, or several. */
export function namedBy({ offsets, server, trust }: TokenMatches, client: number) {
  const at = offsets[client]!;
  if (offsets[client + 1]! - at !== 1) return { server: -1, trust: 0 };
  return { server: server[at]!, trust: trust[at]! };
}

/** No values are looked at. */
export function noTokens(clients: number): TokenMatches {
  return {
    offsets: new Uint32Array(clients + 1),
    server: new Int32Array(0),
    trust: new Float64Array(0),
    ifBackground: new Float64Array(0),
    textOf: () => '',
  };
}

/** The surest match of a call, and the servers on which it agrees with the others; none where they contradict each other. */
function chooseMatch(matches: Matches, first: number, after: number) {
  let best = -1;
  for (let match = first; match < after; match++) {
    if (matches.trust[match]! < LEAST_TRUST) continue;
    if (best === -1 || matches.trust[match]! > matches.trust[best]!) best = match;
  }
  if (best === -1) return undefined;
  let servers = matches.sharersOf(best);
  for (let match = first; match < after; match++) {
    if (matches.trust[match]! < LEAST_TRUST) continue;
    const others = matches.sharersOf(match);
    servers = servers.filter((server) => others.includes(server));
  }
  return servers.length === 0 ? undefined : { best, servers };
}

/** The trust of a rule that names one of n candidates, where k share a probability p alike. */
function trustOfEach(p: number, k: number, n: number): number {
  const odds = (p * (n - k)) / (k * (1 - p));
  return odds / (odds + n - 1);
}

function describe({ values, places }: Tokens, matches: Matches, match: number): string {
  const value = values[matches.value[match]!]!;
  const place = places[matches.place[match]!]!;
  const what = value.startsWith('*') ? `the secret with the mark ${value.slice(1)}` : value;
  const where = place.startsWith('/')
    ? 'in the path'
    : place.startsWith('?')
      ? `under ${place.slice(1)} in the query`
      : `in the header ${place}`;
  const others = matches.total[match]! - 1;
  const rarity = others === 0 ? 'no other request does' : `${others} other requests do`;
  const percent = (100 * matches.trust[match]!).toFixed(1);
  const alike = matches.alike[match]!;
  return `both carry ${what} (the call ${where}), and ${rarity}; calls like it that share such a value, ${alike} here, share it with their request in ${percent} %`;
}

/**
 * Finds rare values that a call shares with one of its candidates: identifiers in paths and queries,
 * marks of secrets, values of headers that say who or what a request is about. How far
 * sharing can be trusted is learned per kind of call and place of the value.
 *
 * @param proof what threads and goroutines prove
 */
export function matchTokens(
  index: ProcessIndex,
  candidates: Candidates,
  calls: Kinds,
  proof: Proof,
): TokenMatches {
  const count = index.clients.length;
  if (count === 0 || index.servers.length === 0) return noTokens(count);
  const tokens = readTokens(index);
  const matches = findMatches(index, tokens, candidates, calls, proof);
  const offsets = new Uint32Array(count + 1);
  const [server, trust, ifBackground]: [number[], number[], number[]] = [[], [], []];
  const chosen = new Map<number, number>();
  let next = 0;
  for (let client = 0; client < count; client++) {
    const first = next;
    while (next < matches.client.length && matches.client[next] === client) next++;
    const found = next === first ? undefined : chooseMatch(matches, first, next);
    if (found !== undefined) {
      const { best, servers } = found;
      chosen.set(client, best);
      for (const sharer of servers) {
        server.push(sharer);
        trust.push(trustOfEach(matches.trust[best]!, servers.length, candidates.count[client]!));
        ifBackground.push(Math.min(1, Math.max(LEAST_BACKGROUND, matches.expected[best]!)));
      }
    }
    offsets[client + 1] = server.length;
  }
  return {
    offsets,
    server: Int32Array.from(server),
    trust: Float64Array.from(trust),
    ifBackground: Float64Array.from(ifBackground),
    textOf: (client) => {
      const match = chosen.get(client);
      return match === undefined ? '' : describe(tokens, matches, match);
    },
  };
}
