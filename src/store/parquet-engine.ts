/** The one place that touches parquet-wasm: its memory must be freed by hand, and a panic becomes a CodedError. */
import type { WriterProperties } from 'parquet-wasm';
import type { ColumnSpecs } from '../model/columns.js';

export type ParquetEngine = typeof import('parquet-wasm');

let engine: Promise<ParquetEngine> | undefined;

/** Loads the WebAssembly module (100 ms of CPU), once, when the first Parquet file is met. */
export function loadEngine(): Promise<ParquetEngine> {
  engine ??= import('parquet-wasm');
  return engine;
}

/** Rows of a row group: the unit of reading, and of the work of a task. */
const ROW_GROUP_ROWS = 65_536;
/** Bounds the memory of a row group where payloads are large. */
const ROW_GROUP_BYTES = 64 * 1024 * 1024;

/**
 * `compact` is what aftertrace writes: ZSTD, and each column's encoding from its spec.
 * `compat` is what every reader knows, parquetjs-lite too: Snappy, PLAIN, no dictionary.
 */
export type ParquetProfile = 'compact' | 'compat';

/** Writer properties for one file. They are used up by the write. */
export function writerProperties(
  wasm: ParquetEngine,
  specs: ColumnSpecs,
  metadata: ReadonlyMap<string, string>,
  profile: ParquetProfile,
): WriterProperties {
  const { Compression, EnabledStatistics, Encoding } = wasm;
  let builder = new wasm.WriterPropertiesBuilder()
    .setCompression(profile === 'compat' ? Compression.SNAPPY : Compression.ZSTD)
    .setDictionaryEnabled(profile === 'compact')
    .setMaxRowGroupSize(ROW_GROUP_ROWS)
    .setMaxRowGroupBytes(ROW_GROUP_BYTES)
    // Page statistics cost 7 % of the CPU and help no reader of these files.
    .setStatisticsEnabled(EnabledStatistics.Chunk)
    .setKeyValueMetadata(new Map(metadata));
  for (const [name, spec] of Object.entries(specs)) {
    if (spec.type === 'binary') {
      builder = builder.setColumnStatisticsEnabled(name, EnabledStatistics.None);
    }
    if (profile === 'compact' && (spec.encoding === 'plain' || spec.encoding === 'delta')) {
      const encoding = spec.encoding === 'delta' ? Encoding.DELTA_BINARY_PACKED : Encoding.PLAIN;
      builder = builder.setColumnDictionaryEnabled(name, false).setColumnEncoding(name, encoding);
    }
  }
  return builder.build();
}
