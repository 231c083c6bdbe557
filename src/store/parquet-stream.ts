import type { Table } from 'parquet-wasm';
import type { ColumnSpecs } from '../model/columns.js';
import type { DurableFile } from './durable-file.js';
import {
  loadEngine,
  type ParquetEngine,
  type ParquetProfile,
  writerProperties,
} from './parquet-engine.js';

export interface ParquetStream {
  readonly specs: ColumnSpecs;
  readonly metadata: ReadonlyMap<string, string>;
  readonly profile: ParquetProfile;
  /** Arrow IPC streams of a bounded size with the same schema, one after the other; at least one. */
  readonly parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

type PartIterator = Iterator<Uint8Array> | AsyncIterator<Uint8Array>;

function iterate(parts: ParquetStream['parts']): PartIterator {
  return Symbol.asyncIterator in parts ? parts[Symbol.asyncIterator]() : parts[Symbol.iterator]();
}

/** The batches inside WebAssembly, one part at a time, as the writer asks for them. */
function batchStream(wasm: ParquetEngine, first: Table, rest: PartIterator): ReadableStream {
  let part: Table | undefined = first;
  return new ReadableStream(
    {
      async pull(controller) {
        // A pull that enqueues nothing is not repeated: go on to the next part with rows.
        for (let count = 0; count === 0; ) {
          if (part === undefined) {
            controller.close();
            return;
          }
          for (const batch of part.recordBatches()) {
            controller.enqueue(batch);
            count++;
          }
          // The batches hold what they need; without this the table's share leaks.
          part.free();
          const next = await rest.next();
          part = next.done ? undefined : wasm.Table.fromIPCStream(next.value);
        }
      },
    },
    { highWaterMark: 0 },
  );
}

/** Writes batches as Parquet while they come: memory is bounded by a few row groups. */
export async function writeParquetStream(out: DurableFile, stream: ParquetStream): Promise<void> {
  const wasm = await loadEngine();
  const { specs, metadata, profile } = stream;
  const properties = writerProperties(wasm, specs, metadata, profile);
  const parts = iterate(stream.parts);
  const next = await parts.next();
  if (next.done) throw new Error('a Parquet stream needs at least one part');
  const first = wasm.Table.fromIPCStream(next.value);
  if (first.numBatches === 0) {
    // Without a batch the stream writer knows no schema. Consumes the table.
    out.write(wasm.writeParquet(first, properties));
    return;
  }
  const chunks = await wasm.transformParquetStream(batchStream(wasm, first, parts), properties);
  for await (const chunk of chunks) out.write(chunk as Uint8Array);
}
