/** `FF FF FF FF`, the length of the metadata. */
const PREFIX = 8;
/** Where the fixed parts of the metadata lie; see the constructor. */
const AT = {
  messageFields: 4,
  message: 16,
  batchFields: 40,
  batch: 52,
  nodeCount: 76,
  nodes: 80,
} as const;
const METADATA_V5 = 4;
const RECORD_BATCH = 3;

/**
 * The head of a record batch frame: prefix and metadata. The flatbuffer of a flat schema
 * always has the same form, so it is laid out once and only its numbers are set.
 * https://github.com/apache/arrow/blob/main/format/Message.fbs
 */
export class BatchMessage {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #buffers: number;
  #node = 0;
  #buffer = 0;
  #body = 0;

  constructor(columns: number, buffers: number) {
    const bufferCount = AT.nodes + 16 * columns + 4;
    this.#buffers = bufferCount + 4;
    const length = this.#buffers + 16 * buffers;
    this.#bytes = new Uint8Array(PREFIX + length);
    new DataView(this.#bytes.buffer).setInt32(0, -1, true);
    new DataView(this.#bytes.buffer).setInt32(4, length, true);
    this.#view = new DataView(this.#bytes.buffer, PREFIX);
    this.#u32(0, AT.message);
    // Message: version at 16, header type at 18, header at 4, body length at 8.
    this.#u16s(AT.messageFields, [12, 20, 16, 18, 4, 8]);
    this.#u32(AT.message, AT.message - AT.messageFields);
    this.#u32(AT.message + 4, AT.batch - (AT.message + 4));
    this.#u16s(AT.message + 16, [METADATA_V5, RECORD_BATCH]);
    // RecordBatch: length at 12, nodes at 4, buffers at 8.
    this.#u16s(AT.batchFields, [10, 20, 12, 4, 8]);
    this.#u32(AT.batch, AT.batch - AT.batchFields);
    this.#u32(AT.batch + 4, AT.nodeCount - (AT.batch + 4));
    this.#u32(AT.batch + 8, bufferCount - (AT.batch + 8));
    this.#u32(AT.nodeCount, columns);
    this.#u32(bufferCount, buffers);
  }

  /** Begins a frame of `rows` rows: its columns follow in order, each with its buffers. */
  begin(rows: number): void {
    this.#node = AT.nodes;
    this.#buffer = this.#buffers;
    this.#body = 0;
    this.#count(AT.batch + 12, rows);
  }

  node(rows: number, nullCount: number): void {
    this.#count(this.#node, rows);
    this.#count(this.#node + 8, nullCount);
    this.#node += 16;
  }

  /** Makes room at the end of the body, padded to 8 bytes. @returns where in the body it begins */
  place(length: number): number {
    const at = this.#body;
    this.#body += length + (-length & 7);
    return at;
  }

  /** The next buffer of the columns: bytes of the body, which others may share. */
  buffer(offset: number, length: number): void {
    this.#count(this.#buffer, offset);
    this.#count(this.#buffer + 8, length);
    this.#buffer += 16;
  }

  /** Makes the frame as long as a multiple of `alignment`. @returns how many bytes the body ends with */
  align(alignment: number): number {
    const padding = -(this.#bytes.length + this.#body) & (alignment - 1);
    this.#body += padding;
    return padding;
  }

  /** The finished head; it holds until the next {@link begin}. */
  end(): Uint8Array {
    this.#count(AT.message + 8, this.#body);
    return this.#bytes;
  }

  #u32(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  #u16s(at: number, values: readonly number[]): void {
    for (const [i, value] of values.entries()) this.#view.setUint16(at + 2 * i, value, true);
  }

  /** A 64-bit count below 2^53. */
  #count(at: number, value: number): void {
    this.#u32(at, value >>> 0);
    this.#u32(at + 4, Math.floor(value / 2 ** 32));
  }
}
