import type { ProcessIndex } from './process-index.js';

/** A call may have begun this much after its request's response ended and still be its work, ns. */
const AFTERWARDS_NS = 5e6;
/**
 * Spans of other tracers may carry times of two clocks, or the callee's times for the
 * caller's: a call may begin and end this much outside its request, ns.
 */
const FOREIGN_TOLERANCE_NS = 1e6;

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

/** Times that no thread vouches for are another tracer's. */
export function isForeign(index: ProcessIndex): boolean {
  return index.marks.count === 0;
}

/**
 * Sweeps over servers and clients in time order, keeping the servers that are still
 * open. Servers answered less than {@link AFTERWARDS_NS} ago stay in the list, for
 * work that outlives the response; `open` does not count them. In spans of other tracers
 * a call must end within its request, give or take {@link FOREIGN_TOLERANCE_NS}.
 */
export function findCandidates(index: ProcessIndex): Candidates {
  const { serverStart, serverEnd, clientStart, clientEnd } = index;
  const foreign = isForeign(index);
  const early = foreign ? FOREIGN_TOLERANCE_NS : 0;
  const late = foreign ? 0 : AFTERWARDS_NS;
  const offsets = new Uint32Array(clientStart.length + 1);
  const open = new Uint32Array(clientStart.length);
  const list: number[] = [];
  let active: number[] = [];
  let next = 0;
  for (let client = 0; client < clientStart.length; client++) {
    const at = clientStart[client]!;
    while (next < serverStart.length && serverStart[next]! <= at + early) active.push(next++);
    active = active.filter((server) => serverEnd[server]! + late >= at);
    for (const server of active) {
      const end = serverEnd[server]! + FOREIGN_TOLERANCE_NS;
      if (foreign && clientEnd[client]! > end) continue;
      list.push(server);
      if (serverEnd[server]! >= at) open[client]!++;
    }
    offsets[client + 1] = list.length;
  }
  return { offsets, list: Uint32Array.from(list), open };
}
