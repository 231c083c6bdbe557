import type { ProcessIndex } from './process-index.js';

/** How a call learned its parent from what happened afterwards. */
export const BackwardKind = {
  none: 0,
  /** Its own reply was the last thing read before the response. */
  closing: 1,
  /** A call of the same burst has the evidence. */
  sibling: 2,
  /** The next call, made when this one's reply arrived, has the evidence. */
  successor: 3,
  /** The thread that read its reply woke the one that answered. */
  closingByWake: 4,
  /** The thread that made it next answered this request. */
  worker: 5,
  /** The thread that made it next woke the thread that answers this request. */
  handBack: 6,
  /** The thread that woke the one which made it next answered this request, or handed back. */
  dispatched: 7,
  /** Its reply was read in the slice of the Go scheduler in which the response was written. */
  slice: 8,
  /** The goroutine numbered next to the one that waits for it has the evidence. */
  neighbour: 9,
  /** The goroutine that waits for it waited for another call before or after, which has the evidence. */
  goroutine: 10,
  /** The thread that read its reply posted a message, and who took that answered. */
  closingByPost: 11,
} as const;

/** A label of which less than this share is right is none. */
const LEAST_RELIABILITY = 0.05;

/** What the responses say about the calls before them. */
export class BackwardLabels {
  /** Per client: BackwardKind. */
  readonly kind: Uint8Array;
  /** Per client: the server, -1 none. */
  readonly server: Int32Array;
  /** Per client: the client that the label came from, itself for its own, -1 none. */
  readonly from: Int32Array;
  /** Per client: probability that the server is the parent. */
  readonly reliability: Float64Array;

  constructor(private readonly index: ProcessIndex) {
    const count = index.clients.length;
    this.kind = new Uint8Array(count);
    this.server = new Int32Array(count).fill(-1);
    this.from = new Int32Array(count).fill(-1);
    this.reliability = new Float64Array(count);
  }

  /** Takes a label if it is surer than the one at hand and its request was open by then. */
  offer(client: number, kind: number, server: number, from: number, reliability: number): void {
    if (server < 0 || reliability < LEAST_RELIABILITY) return;
    if (reliability <= this.reliability[client]!) return;
    if (this.index.serverStart[server]! > this.index.clientStart[client]!) return;
    this.kind[client] = kind;
    this.server[client] = server;
    this.from[client] = from;
    this.reliability[client] = reliability;
  }
}
