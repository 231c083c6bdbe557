import type { Batch } from '../model/batch.js';
import { describeError } from '../model/errors.js';
import { EventKind, LossCause } from '../model/event.js';
import { FORMAT_VERSION, type SegmentHeader } from '../model/segment.js';
import { TOOL } from '../model/tool.js';
import { SegmentWriter } from '../store/segment-writer.js';
import { LossLedger } from './loss-ledger.js';
import { wallNowNs } from './proc.js';
import { batchOf, type Row } from './rows.js';

/** Part of the header that all segments of a recording share. */
type RecordingHeader = Omit<
  SegmentHeader,
  'formatVersion' | 'tool' | 'sequence' | 'startNs' | 'monotonicOffsetNs'
>;

export interface SegmentLogOptions {
  readonly directory: string;
  readonly header: RecordingHeader;
  readonly monotonicOffsetNs: bigint;
  /** The open segment is closed when it has grown to this many bytes ... */
  readonly rotateBytes: number;
  /** ... or is this old. */
  readonly rotateMs: number;
  /** Rows that every segment begins with. */
  readonly describe: (timeNs: bigint) => Row[];
  /** A segment was closed and may be converted. */
  readonly onClosed: (partPath: string) => void;
  /** Something the operator should know. */
  readonly onNote: (text: string) => void;
}

/** After a failed write, the disk is tried again this often. */
const RETRY_MS = 1000;

/**
 * The open segment and its rotation. Never throws for what the disk does: while it
 * refuses, batches are dropped and counted, and the loss is written when it works again.
 */
export class SegmentLog {
  private writer: SegmentWriter | undefined;
  private sequence = 0;
  private openedMs = 0;
  private failedMs: number | undefined;
  private readonly refused = new LossLedger();
  /** Rows and bytes stored by this recording, closed segments included. */
  rows = 0;
  bytes = 0;
  /** Rows that the disk refused. */
  lost = 0;

  constructor(private readonly options: SegmentLogOptions) {}

  /** Name of the open segment, '' while there is none. */
  get path(): string {
    return this.writer?.path ?? '';
  }

  /** True while the disk refuses. */
  get isFailing(): boolean {
    return this.failedMs !== undefined;
  }

  /** Epoch ns on the recording's own clock: monotonic time plus its fixed offset. */
  now(): bigint {
    return process.hrtime.bigint() + this.options.monotonicOffsetNs;
  }

  /** Appends a batch to the open segment, or counts it as lost. */
  write(batch: Batch): void {
    if (batch.rows === 0) return;
    if (!this.ensureOpen() || !this.tryAppend(batch)) {
      const fromNs = batch.time_ns[0]!;
      this.refused.add(LossCause.disk, batch.rows, fromNs, this.now());
      this.lost += batch.rows;
      return;
    }
    if (this.writer !== undefined && this.writer.bytes >= this.options.rotateBytes) this.rotate();
  }

  /** About once a second: makes appended data durable, rotates by age. */
  tick(): void {
    if (this.writer === undefined) {
      this.ensureOpen();
      return;
    }
    try {
      this.writer.sync();
    } catch (error) {
      this.fail(error);
      return;
    }
    this.noteRecovery();
    if (Date.now() - this.openedMs >= this.options.rotateMs) this.rotate();
  }

  /** Closes the open segment; the next write opens another. */
  rotate(): void {
    const { writer } = this;
    if (writer === undefined) return;
    this.writer = undefined;
    try {
      this.append(writer, batchOf([this.clockRow()]));
      this.options.onClosed(writer.close());
    } catch (error) {
      this.fail(error);
    }
  }

  private ensureOpen(): boolean {
    if (this.writer !== undefined) return true;
    const { failedMs } = this;
    if (failedMs !== undefined && Date.now() - failedMs < RETRY_MS) return false;
    try {
      this.open();
      return true;
    } catch (error) {
      this.fail(error);
      return false;
    }
  }

  private open(): void {
    const startNs = this.now();
    this.writer = SegmentWriter.open(this.options.directory, {
      ...this.options.header,
      formatVersion: FORMAT_VERSION,
      tool: TOOL,
      sequence: ++this.sequence,
      startNs: startNs.toString(),
      monotonicOffsetNs: this.options.monotonicOffsetNs.toString(),
    });
    this.openedMs = Date.now();
    const losses = this.refused.rows('batches refused by the disk');
    this.append(
      this.writer,
      batchOf([this.clockRow(), ...losses, ...this.options.describe(startNs)]),
    );
    this.refused.clear();
  }

  /** A disk that is nearly full takes a new segment and then refuses: only a second of writing counts. */
  private noteRecovery(): void {
    if (this.failedMs === undefined) return;
    this.failedMs = undefined;
    this.options.onNote('the disk takes data again');
  }

  private tryAppend(batch: Batch): boolean {
    try {
      if (this.writer !== undefined) this.append(this.writer, batch);
      return true;
    } catch (error) {
      this.fail(error);
      return false;
    }
  }

  private append(writer: SegmentWriter, batch: Batch): void {
    this.bytes += writer.append(batch);
    this.rows += batch.rows;
  }

  private fail(error: unknown): void {
    if (this.failedMs === undefined) {
      this.options.onNote(
        `${describeError(error)} Recording goes on; what cannot be stored is counted.`,
      );
    }
    this.failedMs = Date.now();
    const { writer } = this;
    this.writer = undefined;
    if (writer === undefined) return;
    try {
      this.options.onClosed(writer.close());
    } catch {
      // What it holds up to its last whole batch is recovered at the next start.
    }
  }

  private clockRow(): Row {
    return { timeNs: this.now(), kind: EventKind.clock, count: wallNowNs() };
  }
}
