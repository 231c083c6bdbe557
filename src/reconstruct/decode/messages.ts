import { type Framing, type Head, parseHead } from '../../http1/head.js';
import { type MessageHandler, MessageScanner } from '../../http1/scanner.js';
import type { Batch } from '../../model/batch.js';
import { LossFlag } from '../../model/exchange.js';
import type { Stream } from './streams.js';

/** One HTTP message: which records hold its first and last byte, and what it says. */
export interface Message {
  readonly head: Head;
  readonly firstRow: number;
  /** Row of the last recorded byte; grows while the message is read. */
  lastRow: number;
  /** Bytes on the wire, missing ones included. */
  bytes: number;
  /** True once its end was seen or inferred. */
  ended: boolean;
  /** LossFlag bits. */
  flags: number;
}

/** Collects the messages of one direction as the scanner finds them. */
class Collector implements MessageHandler {
  readonly messages: Message[] = [];
  private row = -1;
  private rowStart = 0;
  private previousRow = -1;
  private startRow = -1;
  private startOffset = 0;
  private flags = 0;
  private open: Message | undefined;

  constructor(private readonly frame: (message: Message) => Framing) {}

  enter(row: number, offset: number): void {
    this.previousRow = this.row;
    this.row = row;
    this.rowStart = offset;
    if (this.open !== undefined) this.open.lastRow = row;
  }

  start(offset: number): void {
    this.startRow = this.row;
    this.startOffset = offset;
    this.flags = 0;
  }

  head(bytes: Uint8Array, complete: boolean): Framing {
    const head = parseHead(bytes, complete);
    if (!complete) this.flags |= LossFlag.truncated;
    if (head.malformed) this.flags |= LossFlag.malformed;
    this.open = {
      head,
      firstRow: this.startRow,
      lastRow: this.row,
      bytes: 0,
      ended: false,
      flags: this.flags,
    };
    this.messages.push(this.open);
    return this.frame(this.open);
  }

  end(offset: number): void {
    const message = this.open;
    if (message === undefined) return;
    message.bytes = offset - this.startOffset;
    // Ended before the record at hand, which begins the next message.
    if (offset <= this.rowStart && message.lastRow === this.row) message.lastRow = this.previousRow;
    message.ended = true;
    this.open = undefined;
  }

  abandon(): void {
    this.startRow = -1;
  }

  /** The recording of the stream ended while a message was under way. */
  cut(): void {
    if (this.open !== undefined) this.open.flags |= LossFlag.endUnseen;
  }

  gap(): void {
    this.flags |= LossFlag.gap;
    if (this.open !== undefined) this.open.flags |= LossFlag.gap;
  }
}

/**
 * Finds the messages of one direction.
 *
 * @param frame tells how the body of a message is framed; called in stream order
 * @param closed true where the connection's end was recorded, so that a body without
 *   length is complete
 */
export function readMessages(
  events: Batch,
  stream: Stream,
  frame: (message: Message) => Framing,
  closed: boolean,
): Message[] {
  const collector = new Collector(frame);
  const scanner = new MessageScanner(collector);
  const { offsets, data } = events.payload;
  let position = 0;
  for (let i = 0; i < stream.rows.length; i++) {
    const row = stream.rows[i]!;
    const overlap = stream.overlaps[i]!;
    const gap = stream.gaps[i]!;
    if (gap > 0) {
      collector.gap();
      scanner.gap(gap);
      position += gap;
    }
    const length = events.bytes[row]! - overlap;
    const from = Math.min(offsets[row + 1]!, offsets[row]! + overlap);
    collector.enter(row, position);
    scanner.record(data.subarray(from, offsets[row + 1]!), length);
    position += length;
  }
  if (scanner.isInside || !closed) collector.cut();
  scanner.close();
  return collector.messages;
}
