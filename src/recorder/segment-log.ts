import { existsSync } from 'node:fs';
import type { Batch } from '../model/batch.js';
import { describeError } from '../model/errors.js';
import { EventKind, LossCause, type LossDetail } from '../model/event.js';
import { FORMAT_VERSION, type SegmentHeader } from '../model/segment.js';
import { TOOL } from '../model/tool.js';
import type { Envelope } from '../store/age.js';
import { SegmentWriter } from '../store/segment-writer.js';
import { Backlog, kernelRows } from './backlog.js';
import { LossLedger } from './loss-ledger.js';
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
  /** The clocks as they stand: a row that every segment begins and ends with. */
  readonly clockRow: () => Row;
  /** Rows that every segment begins with. */
  readonly describe: (timeNs: bigint) => Row[];
  /** A segment was closed and may be converted. */
  readonly onClosed: (partPath: string, envelope: Envelope | undefined) => void;
  /** Keys to encrypt segments with; without, they are not. */
  readonly seal?: () => Envelope;
  /** Something the operator should know. */
  readonly onNote: (text: string) => void;
}

/** After a failed write, the disk is tried again this often. */
const RETRY_MS = 1000;
/** A write that takes longer makes the disk slow. */
const SLOW_MS = 1000;
/** A slow disk is mentioned at most this often. */
const SLOW_NOTE_MS = 60_000;
/** Rows of the ledger that wait for the disk at most; beyond, the oldest that only tell of life go. */
const MOST_NOTES = 20_000;

const REFUSED = 'events refused by the disk';
const DELETED = 'events in a segment that was deleted while it was written';

/**
 * The open segment and its rotation. Never throws for what the disk does: while it
 * refuses, the newest events wait in memory, and what has to go for them is counted and written
 * to the ledger when the disk works again.
 */
export class SegmentLog {
  private writer: SegmentWriter | undefined;
  private sequence = 0;
  private openedMs = 0;
  private failedMs: number | undefined;
  private slowNotedMs = -Infinity;
  private readonly refused = new LossLedger();
  private readonly backlog = new Backlog();
  /** Rows of the ledger that wait for the disk. */
  private notes: Row[] = [];
  /** Why nothing may be written although the disk would take it. */
  private held: string | undefined;
  /** Events in the open segment, and the first one's time. */
  private openEvents = 0;
  private openFromNs = 0n;
  /** Rows and bytes stored by this recording, closed segments included. */
  rows = 0;
  bytes = 0;
  /** Rows of kernel kinds in {@link rows} that only repeat what earlier segments say. */
  repeated = 0;
  /** Events that the disk refused, or that vanished with a segment. */
  lost = 0;

  private limits: Pick<SegmentLogOptions, 'rotateBytes' | 'rotateMs'>;

  constructor(private readonly options: SegmentLogOptions) {
    this.limits = options;
  }

  /** Name of the open segment, '' while there is none. */
  get path(): string {
    return this.writer?.path ?? '';
  }

  /** Events that wait in memory for the disk. */
  get waiting(): number {
    return this.backlog.rows;
  }

  /** Epoch ns on the recording's own clock: monotonic time plus its fixed offset. */
  now(): bigint {
    return process.hrtime.bigint() + this.options.monotonicOffsetNs;
  }

  /** Changes when segments are rotated. */
  configure({ rotateBytes, rotateMs }: Pick<SegmentLogOptions, 'rotateBytes' | 'rotateMs'>): void {
    this.limits = { rotateBytes, rotateMs };
  }

  /** Appends a batch to the open segment, or keeps it in memory. */
  write(batch: Batch): void {
    if (batch.rows === 0) return;
    if (this.backlog.isEmpty && this.ensureOpen() && this.tryAppend(batch)) this.rotateIfFull();
    else this.keep(batch);
  }

  /** Writes rows of the ledger; while the disk refuses they wait, and are not lost. */
  note(rows: readonly Row[]): void {
    if (rows.length === 0) return;
    this.notes.push(...rows);
    if (this.writer !== undefined && this.failedMs === undefined) this.writeNotes();
    if (this.notes.length > MOST_NOTES) this.notes = thin(this.notes);
  }

  /** Stops writing for a reason outside this log, or goes on (undefined). */
  hold(reason: string | undefined): void {
    if (reason === this.held) return;
    this.held = reason;
    if (reason === undefined) return;
    this.rotate();
    this.options.onNote(`${reason} Recording goes on in memory; what does not fit is counted.`);
    this.failedMs = Date.now();
  }

  /** About once a second: makes appended data durable, writes what waited, rotates by age. */
  tick(): void {
    if (!this.ensureOpen()) return;
    this.writeNotes();
    this.writeBacklog();
    try {
      this.timed(() => this.writer?.sync());
    } catch (error) {
      this.fail(error);
    }
    if (this.writer === undefined) return;
    this.noteRecovery();
    if (Date.now() - this.openedMs >= this.limits.rotateMs) this.rotate();
  }

  /** Closes the open segment; the next write opens another. */
  rotate(): void {
    const { writer } = this;
    if (writer === undefined) return;
    this.writer = undefined;
    try {
      this.append(writer, batchOf([...this.notes.splice(0), this.options.clockRow()]));
      this.options.onClosed(writer.close(), writer.envelope);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Ends the log: a last try to store what waits, then what is left counts as lost. */
  finish(): void {
    if (this.failedMs !== undefined) this.failedMs = 0;
    this.tick();
    for (let batch = this.backlog.shift(); batch !== undefined; batch = this.backlog.shift()) {
      this.loseBatch(batch);
    }
    if (this.writer !== undefined) this.note(this.takeRefused());
    this.rotate();
  }

  private rotateIfFull(): void {
    if (this.writer !== undefined && this.writer.bytes >= this.limits.rotateBytes) this.rotate();
  }

  private ensureOpen(): boolean {
    if (this.writer !== undefined) return true;
    if (this.held !== undefined) return false;
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
    const header: SegmentHeader = {
      ...this.options.header,
      formatVersion: FORMAT_VERSION,
      tool: TOOL,
      sequence: ++this.sequence,
      startNs: startNs.toString(),
      monotonicOffsetNs: this.options.monotonicOffsetNs.toString(),
    };
    this.writer = SegmentWriter.open(this.options.directory, header, this.options.seal?.());
    this.openedMs = Date.now();
    this.openEvents = 0;
    const rows = this.options.describe(startNs);
    this.append(this.writer, batchOf([this.options.clockRow(), ...rows]));
    this.repeated += rows.filter(({ kind }) => kind < EventKind.process).length;
    this.notes.push(...this.takeRefused());
    this.writeNotes();
  }

  private takeRefused(): Row[] {
    const rows = this.refused.rows();
    this.refused.clear();
    return rows;
  }

  private writeNotes(): void {
    if (this.notes.length === 0 || this.writer === undefined) return;
    if (this.tryAppend(batchOf(this.notes))) this.notes = [];
  }

  private writeBacklog(): void {
    for (let batch = this.backlog.peek(); batch !== undefined; batch = this.backlog.peek()) {
      if (!this.ensureOpen() || !this.tryAppend(batch)) return;
      this.backlog.shift();
      this.rotateIfFull();
    }
  }

  private keep(batch: Batch): void {
    for (const gone of this.backlog.push(batch)) this.loseBatch(gone);
  }

  /** Descriptions of processes come again with the next segment: only events are a loss. */
  private loseBatch(batch: Batch): void {
    const events = kernelRows(batch);
    if (events === 0) return;
    this.lost += events;
    const toNs = batch.time_ns[batch.rows - 1]!;
    this.refused.add(LossCause.disk, events, batch.time_ns[0]!, toNs, REFUSED);
  }

  /** A disk that is nearly full takes a new segment and then refuses: only what waited tells, when it is written. */
  private noteRecovery(): void {
    if (this.failedMs === undefined) return;
    this.failedMs = undefined;
    this.options.onNote('the disk takes data again');
  }

  private tryAppend(batch: Batch): boolean {
    const { writer } = this;
    if (writer === undefined) return false;
    try {
      this.timed(() => this.append(writer, batch));
      return true;
    } catch (error) {
      this.fail(error);
      return false;
    }
  }

  private timed(action: () => void): void {
    const beginMs = Date.now();
    action();
    const endMs = Date.now();
    if (endMs - beginMs < SLOW_MS || endMs - this.slowNotedMs < SLOW_NOTE_MS) return;
    this.slowNotedMs = endMs;
    const seconds = ((endMs - beginMs) / 1000).toFixed(1);
    this.options.onNote(
      `${this.options.directory}: the disk is slow, a write took ${seconds} s. Events wait in memory meanwhile; what does not fit is counted.`,
    );
  }

  private append(writer: SegmentWriter, batch: Batch): void {
    this.bytes += writer.append(batch);
    this.rows += batch.rows;
    const events = kernelRows(batch);
    if (events > 0 && this.openEvents === 0) this.openFromNs = batch.time_ns[0]!;
    this.openEvents += events;
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
    if (!existsSync(writer.path)) this.loseOpenSegment();
    try {
      this.options.onClosed(writer.close(), writer.envelope);
    } catch {
      // What it holds up to its last whole batch is recovered at the next start.
    }
  }

  private loseOpenSegment(): void {
    const { openEvents, openFromNs } = this;
    this.openEvents = 0;
    this.lost += openEvents;
    this.refused.add(LossCause.disk, openEvents, openFromNs, this.now(), DELETED);
  }
}

/** Fewer rows: losses of one cause and scope as one, and of the rest the newest. */
function thin(rows: readonly Row[]): Row[] {
  const ledger = new LossLedger();
  const others: Row[] = [];
  for (const row of rows) {
    if (row.kind !== EventKind.loss) others.push(row);
    else {
      const { fromNs, scope } = JSON.parse(row.detail ?? '{}') as LossDetail;
      const cause = row.name as LossCause;
      ledger.add(cause, Number(row.count), BigInt(fromNs), row.timeNs, scope);
    }
  }
  return [...ledger.rows(), ...others.slice(-MOST_NOTES / 4)];
}
