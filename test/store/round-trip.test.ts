import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EVENT_COLUMNS } from '../../src/model/batch.js';
import type { ColumnArrays, ColumnSpec, ColumnSpecs, TableOf } from '../../src/model/columns.js';
import { EXCHANGE_COLUMNS } from '../../src/model/exchange.js';
import { LINK_COLUMNS, SPAN_COLUMNS, TRACE_COLUMNS } from '../../src/model/span.js';
import { readParquet, writeParquet } from '../../src/store/parquet-file.js';
import { readTable, readTableMetadata, writeTable } from '../../src/store/table-file.js';
import { bytesColumn, sampleBatch } from './sample-events.js';
import { useTemporaryDirectories } from './temporary.js';

const temporaryDirectory = useTemporaryDirectories();

function column(spec: ColumnSpec, rows: number): fc.Arbitrary<ColumnArrays[keyof ColumnArrays]> {
  const list = <T>(value: fc.Arbitrary<T>) => fc.array(value, { minLength: rows, maxLength: rows });
  const text = fc.oneof(fc.constant(''), fc.string({ unit: 'binary', maxLength: 12 }));
  switch (spec.type) {
    case 'uint8':
      return list(fc.nat(0xff)).map((values) => Uint8Array.from(values));
    case 'uint16':
      return list(fc.nat(0xffff)).map((values) => Uint16Array.from(values));
    case 'uint32':
      return list(fc.nat(0xffffffff)).map((values) => Uint32Array.from(values));
    case 'int64':
      return list(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)).map((v) => BigInt64Array.from(v));
    case 'uint64':
      return list(fc.bigInt(0n, 2n ** 64n - 1n)).map((values) => BigUint64Array.from(values));
    case 'float64':
      return list(fc.double()).map((values) => Float64Array.from(values));
    case 'utf8':
      return list(text);
    case 'text':
      return list(text).map(bytesColumn);
    case 'binary':
      return list(fc.uint8Array({ maxLength: 20 })).map(bytesColumn);
  }
}

function tableOf<S extends ColumnSpecs>(specs: S): fc.Arbitrary<TableOf<S>> {
  return fc.nat(40).chain((rows) => {
    const columns: Record<string, fc.Arbitrary<unknown>> = { rows: fc.constant(rows) };
    for (const [name, spec] of Object.entries(specs)) columns[name] = column(spec, rows);
    return fc.record(columns) as fc.Arbitrary<TableOf<S>>;
  });
}

/** 21 columns are a lot for the shrinker: a spec of every type, nullable and not, in each encoding. */
const EVERY_TYPE = {
  u8: { type: 'uint8', doc: '' },
  u16: { type: 'uint16', doc: '', nullable: true },
  u32: { type: 'uint32', doc: '', encoding: 'plain' },
  i64: { type: 'int64', doc: '', encoding: 'delta' },
  i64_null: { type: 'int64', doc: '', nullable: true },
  u64: { type: 'uint64', doc: '', nullable: true, encoding: 'plain' },
  f64: { type: 'float64', doc: '' },
  f64_null: { type: 'float64', doc: '', nullable: true },
  utf8: { type: 'utf8', doc: '', encoding: 'plain' },
  utf8_null: { type: 'utf8', doc: '', nullable: true },
  text: { type: 'text', doc: '' },
  text_null: { type: 'text', doc: '', nullable: true },
  binary: { type: 'binary', doc: '', encoding: 'plain' },
  binary_null: { type: 'binary', doc: '', nullable: true },
} as const satisfies ColumnSpecs;

test('an Arrow table file gives back any table', async () => {
  const path = join(temporaryDirectory(), 'table.arrow');
  await fc.assert(
    fc.asyncProperty(tableOf(EVERY_TYPE), async (table) => {
      await writeTable(path, EVERY_TYPE, table, { key: 'value' });
      expect(await readTable(path, EVERY_TYPE)).toEqual(table);
    }),
    { numRuns: 150 },
  );
  expect(await readTableMetadata(path)).toEqual({ key: 'value' });
});

test('a Parquet file gives back any table', async () => {
  const path = join(temporaryDirectory(), 'table.parquet');
  await fc.assert(
    fc.asyncProperty(tableOf(EVERY_TYPE), async (table) => {
      await writeParquet(path, EVERY_TYPE, table);
      expect(await readParquet(path, EVERY_TYPE)).toEqual(table);
    }),
    { numRuns: 150 },
  );
});

test.each([
  ['events', EVENT_COLUMNS],
  ['exchanges', EXCHANGE_COLUMNS],
  ['spans', SPAN_COLUMNS],
  ['traces', TRACE_COLUMNS],
  ['links', LINK_COLUMNS],
])('%s: both forms give back any table of the model', async (_name, specs: ColumnSpecs) => {
  const directory = temporaryDirectory();
  await fc.assert(
    fc.asyncProperty(tableOf(specs), async (table) => {
      await writeTable(join(directory, 't.arrow'), specs, table);
      expect(await readTable(join(directory, 't.arrow'), specs)).toEqual(table);
      await writeParquet(join(directory, 't.parquet'), specs, table);
      expect(await readParquet(join(directory, 't.parquet'), specs)).toEqual(table);
    }),
    { numRuns: 12 },
  );
});

test('only the named columns are read', async () => {
  const directory = temporaryDirectory();
  const batch = sampleBatch(1000);
  await writeTable(join(directory, 't.arrow'), EVENT_COLUMNS, batch);
  await writeParquet(join(directory, 't.parquet'), EVENT_COLUMNS, batch);
  const expected = { rows: 1000, payload: batch.payload, time_ns: batch.time_ns };
  const names = ['payload', 'time_ns'] as const;
  expect(await readTable(join(directory, 't.arrow'), EVENT_COLUMNS, names)).toEqual(expected);
  expect(await readParquet(join(directory, 't.parquet'), EVENT_COLUMNS, names)).toEqual(expected);
});

test('a table of several row groups comes back whole', async () => {
  const path = join(temporaryDirectory(), 't.parquet');
  const batch = sampleBatch(150_000);
  await writeParquet(path, EVENT_COLUMNS, batch);
  const names = ['time_ns', 'payload', 'cgroup', 'local_address'] as const;
  const read = await readParquet(path, EVENT_COLUMNS, names);
  expect(read.rows).toBe(150_000);
  expect(read.time_ns).toEqual(batch.time_ns);
  expect(read.cgroup).toEqual(batch.cgroup);
  expect(Buffer.compare(read.payload.data, batch.payload.data)).toBe(0);
  expect(read.payload.offsets).toEqual(batch.payload.offsets);
  expect(Buffer.from(read.local_address.data)).toEqual(Buffer.from(batch.local_address.data));
});

test('ill-formed text is repaired, so that one task name cannot spoil a file', async () => {
  const directory = temporaryDirectory();
  const specs = { name: { type: 'text', doc: '' } } as const;
  // "café" cut inside the é, lone bytes, a byte order mark, and a whole character.
  const values = [Buffer.from('caf\xc3', 'latin1'), Buffer.from([0xff, 0xfe]), '\ufeffx', 'é', ''];
  const table = { rows: values.length, name: bytesColumn(values) };
  const expected = ['caf\ufffd', '\ufffd\ufffd', '\ufeffx', 'é', ''];
  await writeParquet(join(directory, 't.parquet'), specs, table);
  await writeTable(join(directory, 't.arrow'), specs, table);
  const strings = { name: { type: 'utf8', doc: '' } } as const;
  expect((await readParquet(join(directory, 't.parquet'), strings)).name).toEqual(expected);
  expect((await readTable(join(directory, 't.arrow'), strings)).name).toEqual(expected);
});

test('the same table gives the same bytes, whenever it is written', async () => {
  const directory = temporaryDirectory();
  const batch = sampleBatch(5000);
  await writeParquet(join(directory, 'a.parquet'), EVENT_COLUMNS, batch, { a: '1', b: '2' });
  await new Promise((done) => setTimeout(done, 1100));
  await writeParquet(join(directory, 'b.parquet'), EVENT_COLUMNS, batch, { a: '1', b: '2' });
  const bytes = ['a', 'b'].map((name) => readFileSync(join(directory, `${name}.parquet`)));
  expect(bytes[0]!.equals(bytes[1]!)).toBe(true);
});

test('files are readable by their owner only, and no temporary file is left', async () => {
  const directory = temporaryDirectory();
  const batch = sampleBatch(10);
  await writeParquet(join(directory, 't.parquet'), EVENT_COLUMNS, batch);
  await writeTable(join(directory, 't.arrow'), EVENT_COLUMNS, batch);
  for (const name of ['t.parquet', 't.arrow']) {
    expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory, `${name}.tmp`), { throwIfNoEntry: false })).toBeUndefined();
  }
});

test('a place that cannot be written is an OUTPUT error that names it', async () => {
  const path = join(temporaryDirectory(), 'missing', 't.parquet');
  await expect(writeParquet(path, EVENT_COLUMNS, sampleBatch(1))).rejects.toMatchObject({
    code: 'OUTPUT',
    place: path,
  });
});
