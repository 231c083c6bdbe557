import type { Batch } from '../../model/batch.js';
import { EventFlag } from '../../model/event.js';

/** The calls of one connection by direction, as row numbers in capture order. */
export interface Flows {
  readonly sends: number[];
  readonly receives: number[];
  /** Plaintext that a TLS library took or gave: what `sends` and `receives` then carry is its ciphertext. */
  readonly plainSends: number[];
  readonly plainReceives: number[];
}

/** True for rows of plaintext that a TLS library took or gave. */
export function isPlaintext(events: Batch, row: number): boolean {
  return (events.flags[row]! & EventFlag.tls) !== 0;
}

/**
 * The events with positions that can be read as one stream: rows of plaintext carry TCP
 * positions of their ciphertext, and count their own bytes beside. Here these counts stand in
 * `sequence`, as they do in `peer_sequence`; other rows are unchanged.
 */
export function withPlaintextPositions(events: Batch): Batch {
  let sequence: Uint32Array | undefined;
  for (let row = 0; row < events.rows; row++) {
    if (!isPlaintext(events, row)) continue;
    sequence ??= events.sequence.slice();
    sequence[row] = Number(events.count[row]! & 0xffffffffn);
  }
  return sequence === undefined ? events : { ...events, sequence };
}

/** The rows that carry messages: the plaintext where it was recorded, else what went over the socket. */
export function messageRows(flows: Flows): Pick<Flows, 'sends' | 'receives'> {
  const { plainSends, plainReceives } = flows;
  return isEncrypted(flows) ? { sends: plainSends, receives: plainReceives } : flows;
}

/** True where plaintext of the connection was recorded. */
export function isEncrypted({ plainSends, plainReceives }: Flows): boolean {
  return plainSends.length + plainReceives.length > 0;
}
