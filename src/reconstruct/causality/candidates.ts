import type { ProcessIndex } from './process-index.js';

/** A call may have begun this much after its request's response ended and still be its work, ns. */
const AFTERWARDS_NS = 5e6;
/**
 * Spans of other tracers may carry times of two clocks, or the callee's times for the
 * caller's: a call may begin and end this much outside its request, ns.
 */
const FOREIGN_TOLERANCE_NS = 1e6;

/** Which servers could have caused each call: how many there are, and whether one is among them. */
export interface Candidates {
  /** Per client: servers that were open (not yet answered) when it was sent. */
  readonly open: Uint32Array;
  /** Per client: those, and the ones that may still cause it after their response. */
  readonly count: Uint32Array;
  /** Per client: how many servers had begun when it was sent: candidates are numbered below. */
  readonly begun: Uint32Array;
  /** Per client: a server that was taken in though it was answered long before; -1 none. */
  readonly admitted: Int32Array;
  /** True where times are another tracer's, which no thread vouches for. */
  readonly foreign: boolean;
  isOpen(client: number, server: number): boolean;
  has(client: number, server: number): boolean;
  /**
   * Takes in a server that had begun, however long before the call it was answered; one for each call, and
   * only where it is no candidate yet.
   */
  admit(client: number, server: number): void;
}

/** Candidates one after another: those of the i-th chosen client are list[offsets[i] .. offsets[i + 1]], by start time. */
export interface CandidateLists {
  readonly offsets: Uint32Array;
  readonly list: Uint32Array;
}

/** Times that no thread vouches for are another tracer's. */
function isForeign({ exchanges: x, servers, clients }: ProcessIndex): boolean {
  const isThread = (row: number) =>
    x.request_start_tid[row] !== 0 || x.response_start_tid[row] !== 0;
  return !servers.some(isThread) && !clients.some(isThread);
}

/** Per client: how many of the sorted `times` are not after its time plus `late`. */
function countUpTo(times: Float64Array, at: Float64Array, late: number): Uint32Array {
  const out = new Uint32Array(at.length);
  let next = 0;
  for (let client = 0; client < at.length; client++) {
    const limit = at[client]! + late;
    while (next < times.length && times[next]! <= limit) next++;
    out[client] = next;
  }
  return out;
}

/** Per client: how many of the sorted `times` lie before its time plus `late`. */
function countBefore(times: Float64Array, at: Float64Array, late: number): Uint32Array {
  const out = new Uint32Array(at.length);
  let next = 0;
  for (let client = 0; client < at.length; client++) {
    const limit = at[client]! + late;
    while (next < times.length && times[next]! < limit) next++;
    out[client] = next;
  }
  return out;
}

/**
 * Servers that were open when a call was sent, and those answered less than
 * {@link AFTERWARDS_NS} before, for work that outlives its response. In spans of other
 * tracers a call must end within its request, give or take {@link FOREIGN_TOLERANCE_NS}.
 */
export function findCandidates(index: ProcessIndex): Candidates {
  const { serverStart, serverEnd, clientStart, clientEnd } = index;
  const foreign = isForeign(index);
  const early = foreign ? FOREIGN_TOLERANCE_NS : 0;
  const late = foreign ? 0 : AFTERWARDS_NS;
  const ends = Float64Array.from(serverEnd).sort();
  const begun = countUpTo(serverStart, clientStart, early);
  const ended = countBefore(ends, clientStart, 0);
  const gone = countBefore(ends, clientStart, -late);
  const open = begun.map((count, client) => Math.max(0, count - ended[client]!));
  const count = begun.map((started, client) => Math.max(0, started - gone[client]!));
  const admitted = new Int32Array(clientStart.length).fill(-1);
  const isOpen = (client: number, server: number) =>
    server < begun[client]! && serverEnd[server]! >= clientStart[client]!;
  const has = (client: number, server: number) =>
    server < begun[client]! &&
    ((serverEnd[server]! + late >= clientStart[client]! &&
      (!foreign || clientEnd[client]! <= serverEnd[server]! + FOREIGN_TOLERANCE_NS)) ||
      admitted[client] === server);
  const admit = (client: number, server: number) => {
    if (server >= begun[client]! || admitted[client]! >= 0 || has(client, server)) return;
    admitted[client] = server;
    count[client]!++;
  };
  const candidates = { open, count, begun, admitted, foreign, isOpen, has, admit };
  if (!foreign) return candidates;
  const { offsets } = listCandidates(index, candidates, new Uint8Array(count.length).fill(1));
  const inside = count.map((_, client) => offsets[client + 1]! - offsets[client]!);
  return { ...candidates, open: inside, count: inside };
}

/** The candidates of the clients that `isChosen` marks; of others none. One sweep over servers and clients. */
export function listCandidates(
  index: ProcessIndex,
  candidates: Candidates,
  isChosen: Uint8Array,
): CandidateLists {
  const { serverEnd, clientStart } = index;
  const late = candidates.foreign ? 0 : AFTERWARDS_NS;
  const offsets = new Uint32Array(clientStart.length + 1);
  const list: number[] = [];
  const active: number[] = [];
  let next = 0;
  for (let client = 0; client < clientStart.length; client++) {
    const at = clientStart[client]!;
    while (next < candidates.begun[client]!) active.push(next++);
    if (isChosen[client] === 1) {
      let admitted = candidates.admitted[client]!;
      let kept = 0;
      for (const server of active) {
        if (serverEnd[server]! + late < at) continue;
        active[kept++] = server;
        if (!candidates.has(client, server)) continue;
        if (admitted >= 0 && admitted < server) {
          list.push(admitted);
          admitted = -1;
        }
        list.push(server);
      }
      if (admitted >= 0) list.push(admitted);
      active.length = kept;
    }
    offsets[client + 1] = list.length;
  }
  return { offsets, list: Uint32Array.from(list) };
}

/**
 * Adds candidates of a client, the latest to begin first, behind the first `count` of `servers`,
 * which are left out, until there are `most`.
 *
 * @returns how many there are then
 */
export function addLatest(
  candidates: Candidates,
  client: number,
  servers: Int32Array,
  count: number,
  most: number,
): number {
  let filled = count;
  // Long-lived requests may lie far back: not worth a search for a rival that nothing names.
  const least = Math.max(0, candidates.begun[client]! - 64);
  for (let server = candidates.begun[client]! - 1; server >= least && filled < most; server--) {
    if (!candidates.has(client, server)) continue;
    let isNamed = false;
    for (let i = 0; i < count; i++) if (servers[i] === server) isNamed = true;
    if (!isNamed) servers[filled++] = server;
  }
  return filled;
}
