import {
  type Framing,
  type Head,
  parseHead,
  requestFraming,
  responseFraming,
} from '../../src/http1/head.js';
import { type MessageHandler, MessageScanner } from '../../src/http1/scanner.js';

/** A message as the scanner told of it. */
interface Scanned {
  readonly head: Head;
  /** Offset of its first byte. */
  readonly start: number;
  /** Offset after its last byte, -1 while it has none. */
  end: number;
  /** True where no framing told the end. */
  inferred: boolean;
}

/**
 * Keeps what the scanner tells, and throws where it breaks the promises of MessageHandler:
 * start, head, end in this order, or start, abandon; offsets that never go back.
 */
class CheckedHandler implements MessageHandler {
  readonly messages: Scanned[] = [];
  abandoned = 0;
  private phase: 'idle' | 'head' | 'body' = 'idle';
  private startOffset = 0;
  private last = 0;

  constructor(private readonly methods: readonly string[]) {}

  private expect(phase: typeof this.phase, offset: number): void {
    if (this.phase !== phase) throw new Error(`told of a ${phase} while in ${this.phase}`);
    if (!(offset >= this.last)) throw new Error(`offset ${offset} after ${this.last}`);
    this.last = offset;
  }

  start(offset: number): void {
    this.expect('idle', offset);
    this.phase = 'head';
    this.startOffset = offset;
  }

  head(bytes: Uint8Array, complete: boolean): Framing {
    this.expect('head', this.last);
    this.phase = 'body';
    const head = parseHead(bytes, complete);
    const method = this.methods[this.messages.length] ?? '';
    this.messages.push({ head, start: this.startOffset, end: -1, inferred: false });
    return head.kind === 'request' ? requestFraming(head) : responseFraming(head, method);
  }

  end(offset: number, inferred: boolean): void {
    this.expect('body', offset);
    this.phase = 'idle';
    Object.assign(this.messages.at(-1)!, { end: offset, inferred });
  }

  abandon(): void {
    this.expect('head', this.last);
    this.phase = 'idle';
    this.abandoned++;
  }
}

/** One read or write: bytes that passed, of which a prefix may be captured; or bytes that are missing. */
export type Piece =
  | string
  | Uint8Array
  | { readonly captured: string | Uint8Array; readonly length: number }
  | { readonly missing: number };

export function bytesOf(text: string | Uint8Array): Uint8Array {
  return typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
}

/** Feeds one direction of a connection to a scanner. */
export class Scan {
  readonly handler: CheckedHandler;
  readonly scanner: MessageScanner;

  /** @param methods of the requests that the responses answer, in order */
  constructor(methods: readonly string[] = []) {
    this.handler = new CheckedHandler(methods);
    this.scanner = new MessageScanner(this.handler);
  }

  feed(...pieces: readonly Piece[]): this {
    for (const piece of pieces) {
      if (typeof piece === 'string' || piece instanceof Uint8Array) {
        const bytes = bytesOf(piece);
        this.scanner.record(bytes, bytes.length);
      } else if ('missing' in piece) this.scanner.gap(piece.missing);
      else this.scanner.record(bytesOf(piece.captured), piece.length);
    }
    return this;
  }

  close(): this {
    this.scanner.close();
    return this;
  }

  /** `start..end` of every message, `~` before an end that was inferred, `?` where there is none. */
  get extents(): string[] {
    return this.handler.messages.map(
      ({ start, end, inferred }) => `${start}..${end === -1 ? '?' : (inferred ? '~' : '') + end}`,
    );
  }

  get heads(): Head[] {
    return this.handler.messages.map(({ head }) => head);
  }
}
