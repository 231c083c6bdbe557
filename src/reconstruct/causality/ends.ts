import type { Candidates } from './candidates.js';
import { END_KINDS, EndKind } from './cause-kind.js';
import { ClassNumbers } from './class-numbers.js';
import type { Kinds } from './kinds.js';
import { Lateness } from './lateness.js';
import { shareInOnePiece } from './pieces.js';
import type { ProcessIndex } from './process-index.js';

/** Where at least this share of requests gets its result in one piece, the task of a worker is a whole request. */
const ONE_PIECE = 0.98;
/** The most that no witness can shake. */
const CEILING = 0.999;

/**
 * Trust in "what a thread did before it answered a request, or woke the thread that answers
 * it, was for that request", per client (0 where nothing ended so). By kind of call, kind of
 * request and kind of end: where it does not hold, many calls have no reply by then.
 *
 * @param end per client: the server; -1 none
 * @param kinds per client: EndKind
 * @param handBacks per server: how often a worker handed a result back to it
 */
export function endTrust(
  index: ProcessIndex,
  candidates: Candidates,
  calls: Kinds,
  requests: Kinds,
  end: Int32Array,
  kinds: Uint8Array,
  handBacks: Uint16Array,
): Float64Array {
  const numbers = new ClassNumbers();
  const of = new Int32Array(end.length).fill(-1);
  for (let client = 0; client < of.length; client++) {
    const server = end[client]!;
    if (server < 0 || !candidates.isOpen(client, server)) continue;
    const pair = calls.of[client]! * requests.count + requests.of[server]!;
    of[client] = numbers.of(pair * END_KINDS + kinds[client]!);
  }
  const out = new Float64Array(of.length);
  if (numbers.count === 0) return out;
  const lateness = new Lateness(index, candidates, numbers.count);
  for (let client = 0; client < of.length; client++) {
    if (of[client]! >= 0) lateness.add(of[client]!, client, end[client]!);
  }
  const trust = lateness.trust(CEILING, CEILING, 0);
  const isPiecemeal = shareInOnePiece(handBacks) < ONE_PIECE;
  for (let client = 0; client < of.length; client++) {
    // Where tasks are pieces of requests, calls before the last of a task may be of other tasks.
    if (isPiecemeal && kinds[client] === EndKind.earlierWake) continue;
    if (of[client]! >= 0) out[client] = trust[of[client]!]!;
  }
  return out;
}
