import { chmodSync, copyFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { convertSegment } from '../../src/store/convert.js';
import { SegmentWriter } from '../../src/store/segment-writer.js';
import { sampleBatch, sampleHeader } from '../store/sample-events.js';

/** Writes a closed segment of sample events. @returns its path */
export async function writeSegment(directory: string, rows = 500, sequence = 1): Promise<string> {
  const writer = SegmentWriter.open(directory, sampleHeader({ sequence }));
  writer.append(sampleBatch(rows, sequence));
  writer.close();
  return (await convertSegment(writer.path)).path;
}

/** Fills `directory` with `count` segments of the same events: much to read, quick to make. */
export async function writeCopies(directory: string, rows: number, count: number): Promise<void> {
  const first = await writeSegment(directory, rows);
  renameSync(first, join(directory, 'copy-0.parquet'));
  for (let i = 1; i < count; i++) {
    copyFileSync(join(directory, 'copy-0.parquet'), join(directory, `copy-${i}.parquet`));
  }
}

/** Opens a directory to other users, as far as its own mode is concerned. */
export function openToOthers(directory: string): void {
  chmodSync(directory, 0o755);
}
