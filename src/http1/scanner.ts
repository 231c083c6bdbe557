import type { Framing } from './head.js';
import { recognizeStart } from './start-line.js';

/** Heads are kept up to this many bytes; longer ones count as cut. */
const LONGEST_HEAD = 16_384;
const CR = 13;
const LF = 10;

/** Told about the messages of one direction of a connection, in stream order. */
export interface MessageHandler {
  /** A message starts at this offset of the stream. */
  start(offset: number): void;
  /**
   * The head ended, or what was captured of it did (`complete` false). `bytes` are valid
   * during the call only. Answers how the body is framed.
   */
  head(bytes: Uint8Array, complete: boolean): Framing;
  /**
   * The message ended just before `offset`. `inferred` where no framing said so: a new
   * message began, or the stream ended.
   */
  end(offset: number, inferred: boolean): void;
  /** What had been started turned out not to be HTTP. */
  abandon(): void;
}

const State = {
  /** Between messages, or before the first: a message starts where bytes look like one. */
  idle: 0,
  head: 1,
  /** `left` more bytes of body. */
  length: 2,
  chunkSize: 3,
  /** `left` more bytes of chunk data and its line end. */
  chunkData: 4,
  trailer: 5,
  /** A body whose end is not known: until a record looks like a new message. */
  unframed: 6,
  /** Until the connection ends, whatever the bytes look like. */
  untilClose: 7,
} as const;

/**
 * Resumable framing of one direction of an HTTP/1 connection, fed record by record. Made
 * for partial captures: records mostly have only their first bytes captured, some are
 * lost, and the capture may begin anywhere. Never throws; memory is bounded by
 * {@link LONGEST_HEAD}. Grammar: RFC 9112; a bare LF ends a line as well.
 */
export class MessageScanner {
  private state: number = State.idle;
  private left = 0;
  private line = 0;
  /** Stream offset of the next byte. */
  private position = 0;
  private readonly head = new Uint8Array(LONGEST_HEAD);
  private headLength = 0;

  constructor(private readonly handler: MessageHandler) {}

  /**
   * One record: the next `length` bytes of the stream, of which `bytes` are captured.
   */
  record(bytes: Uint8Array, length: number): void {
    const captured = bytes.length > length ? bytes.subarray(0, length) : bytes;
    this.beginRecord(captured);
    const base = this.position;
    let at = 0;
    while (at < captured.length) {
      at = this.step(captured, at, base);
      this.position = base + at;
    }
    if (length > captured.length) this.skip(length - captured.length);
  }

  /** `count` bytes are missing in the recording: what was going on cannot be followed further. */
  gap(count: number): void {
    this.position += count;
    if (this.state === State.head) this.finishHead(false, this.position);
    if (this.state === State.idle || this.state === State.untilClose) return;
    this.state = State.unframed;
  }

  /** The stream ended. */
  close(): void {
    if (this.state === State.head) this.finishHead(false, this.position);
    if (this.state !== State.idle) this.handler.end(this.position, true);
    this.state = State.idle;
  }

  /** True while a message is under way whose framing says that more bytes must come. */
  get isInside(): boolean {
    return this.state >= State.head && this.state <= State.trailer;
  }

  /** A body without known end ends where a record looks like the start of a message. */
  private beginRecord(captured: Uint8Array): void {
    if (this.state !== State.unframed) return;
    const start = recognizeStart(captured);
    if (start === undefined || start.partial) return;
    this.handler.end(this.position, true);
    this.state = State.idle;
  }

  private step(bytes: Uint8Array, at: number, base: number): number {
    switch (this.state) {
      case State.idle:
        return this.stepIdle(bytes, at, base);
      case State.head:
        return this.stepHead(bytes, at, base);
      case State.length:
      case State.chunkData: {
        const taken = Math.min(this.left, bytes.length - at);
        this.consume(taken, base + at + taken);
        return at + taken;
      }
      case State.chunkSize:
        return this.stepChunkSize(bytes, at);
      case State.trailer:
        return this.stepTrailer(bytes, at, base);
      default:
        return bytes.length;
    }
  }

  private stepIdle(bytes: Uint8Array, at: number, base: number): number {
    // Stray line ends between messages are allowed (RFC 9112, 2.2).
    if (bytes[at] === CR || bytes[at] === LF) return at + 1;
    if (recognizeStart(bytes, at) === undefined) return bytes.length;
    this.handler.start(base + at);
    this.state = State.head;
    this.headLength = 0;
    this.line = 0;
    return at;
  }

  private stepHead(bytes: Uint8Array, at: number, base: number): number {
    for (let i = at; i < bytes.length; i++) {
      const byte = bytes[i]!;
      if (this.headLength === LONGEST_HEAD) {
        this.finishHead(false, base + i);
        return i;
      }
      this.head[this.headLength++] = byte;
      if (byte !== LF) {
        if (byte !== CR) this.line++;
        continue;
      }
      if (this.line === 0) {
        this.finishHead(true, base + i + 1);
        return i + 1;
      }
      this.line = 0;
    }
    return bytes.length;
  }

  private finishHead(complete: boolean, offset: number): void {
    const bytes = this.head.subarray(0, this.headLength);
    const start = recognizeStart(bytes);
    if (start === undefined || start.partial) {
      this.handler.abandon();
      this.state = State.idle;
      return;
    }
    this.enterBody(this.handler.head(bytes, complete), offset);
  }

  private enterBody(framing: Framing, offset: number): void {
    switch (framing.kind) {
      case 'none':
        this.handler.end(offset, false);
        this.state = State.idle;
        return;
      case 'length':
        this.state = State.length;
        this.left = framing.bytes;
        return;
      case 'chunked':
        this.state = State.chunkSize;
        this.left = 0;
        this.line = 0;
        return;
      case 'until-close':
      case 'tunnel':
        this.state = State.untilClose;
        return;
      default:
        this.state = State.unframed;
    }
  }

  /** Takes `count` <= left bytes of body or chunk data. */
  private consume(count: number, offset: number): void {
    this.left -= count;
    if (this.left > 0) return;
    if (this.state === State.length) {
      this.handler.end(offset, false);
      this.state = State.idle;
    } else {
      this.state = State.chunkSize;
      this.line = 0;
    }
  }

  private stepChunkSize(bytes: Uint8Array, at: number): number {
    for (let i = at; i < bytes.length; i++) {
      const byte = bytes[i]!;
      if (byte === LF && this.line !== 0) {
        this.endChunkSize();
        return i + 1;
      }
      const digit = hexDigit(byte);
      // Only the digits before the first other character count; extensions are passed over.
      if (digit >= 0 && this.line >= 0 && this.line < 8) {
        this.left = this.left * 16 + digit;
        this.line++;
      } else if (this.line === 0 || (digit >= 0 && this.line >= 8)) {
        this.state = State.unframed;
        return bytes.length;
      } else this.line = -Math.abs(this.line);
    }
    return bytes.length;
  }

  private endChunkSize(): void {
    this.line = 0;
    if (this.left === 0) this.state = State.trailer;
    else {
      this.left += 2;
      this.state = State.chunkData;
    }
  }

  private stepTrailer(bytes: Uint8Array, at: number, base: number): number {
    for (let i = at; i < bytes.length; i++) {
      const byte = bytes[i]!;
      if (byte === CR) continue;
      if (byte !== LF) {
        this.line++;
        continue;
      }
      if (this.line === 0) {
        this.handler.end(base + i + 1, false);
        this.state = State.idle;
        return i + 1;
      }
      this.line = 0;
    }
    return bytes.length;
  }

  /** Bytes that passed but were not captured. */
  private skip(count: number): void {
    const end = this.position + count;
    if (this.state === State.head) this.finishHead(false, this.position);
    // Without its framing bytes, where the chunk after this one ends cannot be known.
    if (this.state === State.chunkData && count > this.left) this.state = State.unframed;
    if (this.state === State.chunkSize || this.state === State.trailer) this.state = State.unframed;
    if (this.state === State.length || this.state === State.chunkData) {
      const taken = Math.min(this.left, count);
      this.consume(taken, this.position + taken);
    }
    this.position = end;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
