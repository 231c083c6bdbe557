import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BytesColumn } from '../../src/model/columns.js';
import type { EventKind } from '../../src/model/event.js';
import { openSegment } from '../../src/store/segment-reader.js';

export interface StoredRow {
  readonly timeNs: bigint;
  readonly kind: number;
  readonly flags: number;
  readonly pid: number;
  readonly connection: bigint;
  readonly parent: number;
  readonly count: bigint;
  readonly name: string;
  readonly detail: string;
  readonly payload: string;
}

function text(column: BytesColumn, row: number): string {
  const bytes = column.data.subarray(column.offsets[row], column.offsets[row + 1]);
  return Buffer.from(bytes).toString('latin1');
}

/** All rows of a segment in file order. */
export async function readRows(path: string): Promise<StoredRow[]> {
  const segment = await openSegment(path);
  const rows: StoredRow[] = [];
  try {
    for await (const batch of segment.read()) {
      for (let row = 0; row < batch.rows; row++) {
        rows.push({
          timeNs: batch.time_ns[row]!,
          kind: batch.kind[row]!,
          flags: batch.flags[row]!,
          pid: batch.pid[row]!,
          connection: batch.connection[row]!,
          parent: batch.parent[row]!,
          count: batch.count[row]!,
          name: text(batch.name, row),
          detail: text(batch.detail, row),
          payload: text(batch.payload, row),
        });
      }
    }
  } finally {
    segment.close();
  }
  return rows;
}

/** Segments of a directory, open and closed, oldest first. */
export function segmentPaths(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.parquet') || name.endsWith('.part'))
    .sort()
    .map((name) => join(directory, name));
}

/** All rows of all segments of a directory. */
export async function readAllRows(directory: string): Promise<StoredRow[]> {
  const rows: StoredRow[] = [];
  for (const path of segmentPaths(directory)) rows.push(...(await readRows(path)));
  return rows;
}

export function ofKind(rows: readonly StoredRow[], kind: EventKind): StoredRow[] {
  return rows.filter((row) => row.kind === kind);
}
