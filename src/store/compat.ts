import { lstatSync } from 'node:fs';
import { type Batch, EVENT_COLUMNS } from '../model/batch.js';
import { CodedError } from '../model/errors.js';
import type { Identities } from './age.js';
import { END_OF_STREAM } from './arrow-frames.js';
import { schemaFrame } from './arrow-schema.js';
import { DurableFile } from './durable-file.js';
import { packMetadata } from './file-metadata.js';
import { FrameEncoder } from './frame-encoder.js';
import { ioError } from './io-error.js';
import { writeParquetStream } from './parquet-stream.js';
import { headerToMetadata } from './segment-header.js';
import { openSegment, type Segment } from './segment-reader.js';

export interface CompatExport {
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
}

/** The segment's batches as Arrow streams; at least one, so that the schema is known. */
async function* streamsOf(segment: Segment, schema: Uint8Array): AsyncGenerator<Uint8Array> {
  let count = 0;
  for await (const batch of segment.read()) {
    count++;
    yield streamOf(schema, batch);
  }
  if (count === 0) {
    yield Buffer.concat([schema, END_OF_STREAM]);
  }
}

function streamOf(schema: Uint8Array, batch: Batch): Uint8Array {
  const frame = new FrameEncoder(EVENT_COLUMNS).encode(batch);
  return Buffer.concat([schema, ...frame, END_OF_STREAM]);
}

function refuseExisting(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return;
  throw new CodedError('OUTPUT', 'exists already.', path, 'Remove it or name another file.');
}

/**
 * Writes a segment again as a Parquet file that old readers understand, parquetjs-lite
 * too: Snappy, PLAIN, no dictionary; the columns and values are the same, the file about
 * twice as large. parquetjs-lite shows unsigned values above the sign bit as negative
 * (`>>> 0` and `BigInt.asUintN(64, …)` turn them back).
 *
 * @throws CodedError INPUT if the segment cannot be read, OUTPUT if `outPath` exists or
 *   cannot be written
 */
export async function exportCompat(
  segmentPath: string,
  outPath: string,
  identities: Identities = [],
): Promise<CompatExport> {
  refuseExisting(outPath);
  const segment = await openSegment(segmentPath, identities);
  try {
    const metadata = packMetadata(headerToMetadata(segment.header));
    const schema = schemaFrame(EVENT_COLUMNS, metadata);
    const out = new DurableFile(outPath);
    try {
      await writeParquetStream(out, {
        specs: EVENT_COLUMNS,
        metadata: new Map(Object.entries(metadata)),
        profile: 'compat',
        parts: streamsOf(segment, schema),
      });
      out.commit();
    } catch (cause) {
      out.abandon();
      throw ioError('INPUT', segmentPath, 'export the segment', cause);
    }
    return { path: outPath, rows: segment.rows, bytes: out.bytes };
  } finally {
    segment.close();
  }
}
