import { type CandidateLists, type Candidates, listCandidates } from '../candidates.js';
import type { ProcessIndex } from '../process-index.js';

/** How likely a request is answered before the reply to one of its calls was read, against others. */
const LATE = 0.02;
/** How likely a call is not of the request that its task tells. */
const UNTOLD = 0.001;

/**
 * What is believed of every call's parent, over its candidates: by entry of the lists. `up` comes from what
 * led to the call, `down` from what its reply led to; their product is the belief.
 */
export class TurnParents {
  readonly lists: CandidateLists;
  /** Sums to 1 per call. */
  readonly up: Float64Array;
  /** Likelihoods: only ratios within a call count. */
  down: Float64Array;
  /** Before anything is known; sums to 1 per call. Requests answered before the reply are unlikely. */
  readonly prior: Float64Array;
  /** The same without the division: 1 or less. */
  readonly fit: Float64Array;

  /** @param told per client: the server that its task tells; -1 none */
  constructor(index: ProcessIndex, candidates: Candidates, told: Int32Array) {
    const { exchanges: x, servers, clients, clientEnd } = index;
    this.lists = listCandidates(index, candidates, new Uint8Array(clients.length).fill(1));
    const { offsets, list } = this.lists;
    this.fit = new Float64Array(list.length);
    this.prior = new Float64Array(list.length);
    this.down = new Float64Array(list.length).fill(1);
    for (let client = 0; client < clients.length; client++) {
      let sum = 0;
      for (let at = offsets[client]!; at < offsets[client + 1]!; at++) {
        const answered = x.response_start[servers[list[at]!]!]!;
        this.fit[at] = clientEnd[client]! > answered ? LATE : 1;
        if (told[client]! >= 0 && told[client] !== list[at]) this.fit[at]! *= UNTOLD;
        sum += this.fit[at]!;
      }
      for (let at = offsets[client]!; at < offsets[client + 1]!; at++) {
        this.prior[at] = this.fit[at]! / sum;
      }
    }
    this.up = this.prior.slice();
  }

  /** Entry of a server among the candidates of a call; -1 none. */
  find(client: number, server: number): number {
    const { offsets, list } = this.lists;
    let low = offsets[client]!;
    let high = offsets[client + 1]!;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (list[middle]! < server) low = middle + 1;
      else high = middle;
    }
    return low < offsets[client + 1]! && list[low] === server ? low : -1;
  }

  /** Makes the entries of a call sum to 1; as in `other` where all are 0. */
  normalise(values: Float64Array, client: number, other: Float64Array): void {
    const [from, to] = [this.lists.offsets[client]!, this.lists.offsets[client + 1]!];
    let sum = 0;
    for (let at = from; at < to; at++) sum += values[at]!;
    for (let at = from; at < to; at++) values[at] = sum > 0 ? values[at]! / sum : other[at]!;
  }
}
