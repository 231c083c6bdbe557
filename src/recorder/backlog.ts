import { type Batch, EVENT_COLUMNS } from '../model/batch.js';
import { EventKind } from '../model/event.js';
import { concatTables } from '../model/tables.js';

/** Memory for batches that the disk does not take, bytes of their columns. */
export const BACKLOG_BYTES = 16 << 20;

/** A batch that waits, and what it costs. */
interface Waiting {
  readonly batch: Batch;
  readonly bytes: number;
}

function sizeOf(batch: Batch): number {
  let bytes = 0;
  for (const column of Object.values(batch)) {
    if (typeof column === 'number') continue;
    bytes +=
      'offsets' in column ? column.offsets.byteLength + column.data.byteLength : column.byteLength;
  }
  return bytes;
}

/** How many rows of a batch the kernel made: all or none. */
export function kernelRows(batch: Batch): number {
  return batch.rows > 0 && batch.kind[0]! < EventKind.process ? batch.rows : 0;
}

/** Batches that wait for the disk: the newest that fit. */
export class Backlog {
  private readonly waiting: Waiting[] = [];
  private bytes = 0;
  /** Rows of kernel kinds that wait. */
  rows = 0;

  constructor(private readonly mostBytes = BACKLOG_BYTES) {}

  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }

  /** Keeps a copy: the memory of a batch is used again. @returns batches that had to go for it, oldest first */
  push(batch: Batch): Batch[] {
    const copy = concatTables(EVENT_COLUMNS, [batch]);
    const bytes = sizeOf(copy);
    this.waiting.push({ batch: copy, bytes });
    this.bytes += bytes;
    this.rows += kernelRows(copy);
    const gone: Batch[] = [];
    while (this.bytes > this.mostBytes) gone.push(this.shift()!);
    return gone;
  }

  /** The oldest batch, left in its place. */
  peek(): Batch | undefined {
    return this.waiting[0]?.batch;
  }

  /** Takes the oldest batch out. */
  shift(): Batch | undefined {
    const first = this.waiting.shift();
    if (first === undefined) return undefined;
    this.bytes -= first.bytes;
    this.rows -= kernelRows(first.batch);
    return first.batch;
  }
}
