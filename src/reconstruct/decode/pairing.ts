import { type Framing, requestFraming, responseFraming } from '../../http1/head.js';
import type { Batch } from '../../model/batch.js';
import { type Message, readMessages } from './messages.js';
import type { Stream } from './streams.js';

/** A request with its final response; either may be missing in the recording. */
export interface Pair {
  readonly request: Message | undefined;
  readonly response: Message | undefined;
}

/**
 * Pairs responses with requests while the responses are being read, because how a
 * response is framed depends on its request (HEAD, CONNECT). First in, first out, as
 * HTTP/1 demands. Where messages are missing, positions decide: when a request passed,
 * the other direction stood at its `peer_sequence`, and its response lies beyond that.
 */
class Pairing {
  readonly pairs: Pair[] = [];
  private next = 0;
  /** The response before the one at hand, interim ones included. */
  private last: Message | undefined;

  constructor(
    private readonly events: Batch,
    private readonly requests: readonly Message[],
  ) {}

  frame(response: Message): Framing {
    const { status } = response.head;
    const isInterim = status >= 100 && status < 200 && status !== 101;
    const previous = this.last;
    this.last = response;
    if (isInterim) return { kind: 'none' };
    const sequence = this.events.sequence[response.firstRow]!;
    this.skipUnanswered(sequence);
    if (this.isAfterGap(previous, sequence)) this.skipDoubtful(response);
    const request = this.requests[this.next];
    const fits = request !== undefined && this.lead(request, sequence) >= 0;
    if (fits) this.next++;
    this.pairs.push({ request: fits ? request : undefined, response });
    return responseFraming(response.head, fits ? request.head.method : '');
  }

  /** Requests that never got a response keep a pair of their own. */
  finish(): Pair[] {
    while (this.next < this.requests.length) this.passOver();
    return this.pairs;
  }

  /** How far `sequence` lies beyond where the other direction stood when the request passed. */
  private lead(request: Message, sequence: number): number {
    return (sequence - this.events.peer_sequence[request.firstRow]!) | 0;
  }

  private passOver(): void {
    this.pairs.push({ request: this.requests[this.next], response: undefined });
    this.next++;
  }

  /** Bytes are missing between what came before and a response that starts at `sequence`. */
  private isAfterGap(previous: Message | undefined, sequence: number): boolean {
    if (previous === undefined) {
      const request = this.requests[this.next];
      return request !== undefined && this.lead(request, sequence) > 0;
    }
    const end = this.events.sequence[previous.firstRow]! + previous.bytes;
    return ((sequence - end) | 0) > 0;
  }

  /**
   * Before this response bytes are missing, and after the request too: the response may
   * well answer a request that was not recorded. Rather none than the wrong one.
   */
  private skipDoubtful(response: Message): void {
    for (;;) {
      const request = this.requests[this.next];
      if (request === undefined) return;
      const end = this.events.sequence[request.firstRow]! + request.bytes;
      const stood = this.events.peer_sequence[response.firstRow]!;
      const following = this.requests[this.next + 1];
      const isNextSeen =
        following !== undefined && this.events.sequence[following.firstRow] === end >>> 0;
      if (((stood - end) | 0) <= 0 || isNextSeen) return;
      this.passOver();
    }
  }

  /**
   * A request whose successor was sent after more of the other direction had passed was
   * answered by then. If this response lies beyond that too, that answer is missing here.
   */
  private skipUnanswered(sequence: number): void {
    for (;;) {
      const request = this.requests[this.next];
      const following = this.requests[this.next + 1];
      if (request === undefined || following === undefined) return;
      const stood = this.events.peer_sequence[following.firstRow]!;
      if (this.lead(request, stood) <= 0 || this.lead(following, sequence) < 0) return;
      this.passOver();
    }
  }
}

/**
 * The exchanges of one connection, in stream order.
 *
 * @param closed true where the connection's end was recorded
 */
export function pairMessages(
  events: Batch,
  requestStream: Stream,
  responseStream: Stream,
  closed: boolean,
): Pair[] {
  const requests = readMessages(
    events,
    requestStream,
    ({ head }) => (head.kind === 'request' ? requestFraming(head) : { kind: 'unknown' }),
    closed,
  ).filter(({ head }) => head.kind === 'request');
  const pairing = new Pairing(events, requests);
  readMessages(
    events,
    responseStream,
    (message) => (message.head.kind === 'response' ? pairing.frame(message) : { kind: 'unknown' }),
    closed,
  );
  return pairing.finish();
}
