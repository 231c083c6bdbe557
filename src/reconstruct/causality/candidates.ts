import type { ProcessIndex } from './process-index.js';

/** A call may have begun this much after its request's response ended and still be its work, ns. */
const AFTERWARDS_NS = 5e6;

/**
 * Which servers could have caused each call: those that were being answered when it
 * was sent. Lists are stored one after another: the candidates of client c are
 * list[offsets[c] .. offsets[c + 1]], by start time.
 */
export interface Candidates {
  readonly offsets: Uint32Array;
  readonly list: Uint32Array;
  /** Per client: how many servers were open (not yet answered) when it was sent. */
  readonly open: Uint32Array;
}

/**
 * Sweeps over servers and clients in time order, keeping the servers that are still
 * open. Servers answered less than {@link AFTERWARDS_NS} ago stay in the list, for
 * work that outlives the response; `open` does not count them.
 */
export function findCandidates(index: ProcessIndex): Candidates {
  const { serverStart, serverEnd, clientStart } = index;
  const offsets = new Uint32Array(clientStart.length + 1);
  const open = new Uint32Array(clientStart.length);
  const list: number[] = [];
  let active: number[] = [];
  let next = 0;
  for (let client = 0; client < clientStart.length; client++) {
    const at = clientStart[client]!;
    while (next < serverStart.length && serverStart[next]! <= at) active.push(next++);
    active = active.filter((server) => serverEnd[server]! + AFTERWARDS_NS >= at);
    for (const server of active) {
      list.push(server);
      if (serverEnd[server]! >= at) open[client]!++;
    }
    offsets[client + 1] = list.length;
  }
  return { offsets, list: Uint32Array.from(list), open };
}
