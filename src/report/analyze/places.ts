import type { SpanIndex } from './span-index.js';

/** Where time is spent and errors begin: services, then addresses whose process was not recorded. */
export interface Places {
  /** Names: the index's services first. */
  readonly names: readonly string[];
  /** How many of them are recorded services. */
  readonly recorded: number;
  /** Per span row: the place that its own time belongs to. */
  readonly ofSpan: Uint32Array;
}

/** Who answers where no process was recorded: its address, in front of it what it speaks. */
function peerName({ table }: SpanIndex, row: number): string {
  const protocol = table.protocol[row]!;
  const isHttp = protocol === '' || protocol === 'http';
  return isHttp ? table.peer[row]! : `${protocol} ${table.peer[row]}`;
}

/**
 * A server span's own time belongs to its service. A client span's own time, when it waits
 * for an answer that no recorded work explains, belongs to the one it waits for: requests
 * queue before a busy callee reads them.
 */
export function findPlaces(index: SpanIndex): Places {
  const names = [...index.services];
  const recorded = names.length;
  const numberOf = new Map<string, number>();
  const ofSpan = Uint32Array.from({ length: index.rows }, (_, row) => {
    if (index.isServer[row] === 1) return index.service[row]!;
    const callee = index.callee[row]!;
    if (callee !== -1) return index.service[callee]!;
    const peer = peerName(index, row);
    const known = numberOf.get(peer);
    if (known !== undefined) return known;
    numberOf.set(peer, names.length);
    return names.push(peer) - 1;
  });
  return { names, recorded, ofSpan };
}
