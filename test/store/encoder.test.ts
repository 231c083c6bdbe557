import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { parquetMetadata } from 'hyparquet';
import { describe, expect, test } from 'vitest';
import { type Batch, EVENT_COLUMNS } from '../../src/model/batch.js';
import type { ColumnArrays, ColumnSpec } from '../../src/model/columns.js';
import { EventKind } from '../../src/model/event.js';
import { batchOf } from '../../src/recorder/rows.js';
import { convertSegment } from '../../src/store/convert.js';
import { ParquetReader, readParquet, writeParquet } from '../../src/store/parquet-file.js';
import { SegmentWriter } from '../../src/store/segment-writer.js';
import { concatParts } from '../../src/store/table-file.js';
import { bytesColumn, inTimeOrder, sampleBatch, sampleHeader } from './sample-events.js';
import { useTemporaryDirectories } from './temporary.js';

const temporaryDirectory = useTemporaryDirectories();
const ALL = Object.keys(EVENT_COLUMNS) as (keyof typeof EVENT_COLUMNS)[];

/** Values as columns hold them: all the same, few, or any, with the edges of every width. */
function values<T>(rows: number, edges: readonly T[], any: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  const list = (value: fc.Arbitrary<T>) => fc.array(value, { minLength: rows, maxLength: rows });
  return fc.oneof(
    list(any),
    list(fc.constantFrom(...edges)),
    any.map((value) => new Array<T>(rows).fill(value)),
  );
}

function column(spec: ColumnSpec, rows: number): fc.Arbitrary<ColumnArrays[keyof ColumnArrays]> {
  const numbers = (most: number) => values(rows, [0, 1, most], fc.nat(most));
  const large = (least: bigint, most: bigint) =>
    values(rows, [0n, least, most], fc.bigInt(least, most));
  const texts = values(rows, ['', 'a', 'é'], fc.string({ unit: 'grapheme', maxLength: 12 }));
  const payloads = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes));
  switch (spec.type) {
    case 'uint8':
      return numbers(0xff).map((list) => Uint8Array.from(list));
    case 'uint16':
      return numbers(0xffff).map((list) => Uint16Array.from(list));
    case 'uint32':
      return numbers(0xffffffff).map((list) => Uint32Array.from(list));
    case 'int64':
      // Times: a batch whose times are not set ends a segment.
      return large(1n, 2n ** 63n - 1n).map((list) => BigInt64Array.from(list, (v) => v || 1n));
    case 'uint64':
      return large(0n, 2n ** 64n - 1n).map((list) => BigUint64Array.from(list));
    case 'text':
      return texts.map(bytesColumn);
    default:
      return values(rows, [Buffer.from(''), Buffer.from('x')], payloads).map(bytesColumn);
  }
}

const anyBatch: fc.Arbitrary<Batch> = fc.integer({ min: 1, max: 300 }).chain((rows) => {
  const columns: Record<string, fc.Arbitrary<unknown>> = { rows: fc.constant(rows) };
  for (const [name, spec] of Object.entries(EVENT_COLUMNS)) columns[name] = column(spec, rows);
  return fc.record(columns) as fc.Arbitrary<Batch>;
});

async function encoded(batches: readonly Batch[]): Promise<string> {
  const writer = SegmentWriter.open(temporaryDirectory(), sampleHeader());
  for (const batch of batches) writer.append(batch);
  return (await convertSegment(writer.close())).path;
}

test('any events come back as they do from the file that parquet-wasm writes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyBatch, { minLength: 1, maxLength: 3 }), async (batches) => {
      const whole = concatParts(EVENT_COLUMNS, ALL, batches);
      // A number of its own for each row, to put them back into order.
      whole.time_ns.forEach((_, i) => {
        whole.time_ns[i] = BigInt(1 + i);
      });
      const path = await encoded([whole]);
      const oracle = join(temporaryDirectory(), 'oracle.parquet');
      await writeParquet(oracle, EVENT_COLUMNS, whole);
      const expected = await readParquet(oracle, EVENT_COLUMNS);
      expect(inTimeOrder(await readParquet(path, EVENT_COLUMNS))).toEqual(expected);
      const [ours, theirs] = [new ParquetReader(path), new ParquetReader(oracle)];
      for (const name of ['time_ns', 'connection', 'cgroup', 'count'] as const) {
        expect(ours.footer.range(0, name)).toEqual(theirs.footer.range(0, name));
      }
      ours.close();
      theirs.close();
    }),
    { numRuns: 40 },
  );
});

test('times of any size, in any order, come back', async () => {
  await fc.assert(
    fc.asyncProperty(anyBatch, async (batch) => {
      const read = await readParquet(await encoded([batch]), EVENT_COLUMNS, ['time_ns']);
      const sorted = (times: BigInt64Array) => Array.from(times).sort((a, b) => (a < b ? -1 : 1));
      expect(sorted(read.time_ns)).toEqual(sorted(batch.time_ns));
    }),
    { numRuns: 40 },
  );
});

test('ill-formed text is repaired, so that other readers take the file', async () => {
  const batch = sampleBatch(3);
  const names = [Buffer.from([0x61, 0xff, 0x62]), Buffer.from([0xe2, 0x82]), Buffer.from('ok')];
  const path = await encoded([{ ...batch, name: bytesColumn(names) }]);
  const { name } = inTimeOrder(await readParquet(path, EVENT_COLUMNS));
  expect(Buffer.from(name.data).toString('utf8')).toBe('a\ufffdb\ufffdok');
});

describe('the order of a row group', () => {
  const { clock, connection, receive, send } = EventKind;
  const row = (timeNs: number, kind: number, id: bigint, ports: [number, number] = [0, 0]) => ({
    timeNs: BigInt(timeNs),
    kind,
    connection: id,
    ...(ports[0] === 0
      ? {}
      : {
          localAddress: '10.0.0.1',
          remoteAddress: '10.0.0.1',
          localPort: ports[0],
          remotePort: ports[1],
        }),
  });
  const timesOf = async (rows: Parameters<typeof batchOf>[0]) => {
    const { time_ns } = await readParquet(await encoded([batchOf(rows)]), EVENT_COLUMNS);
    return Array.from(time_ns, Number);
  };

  test('keeps a connection together by direction, and within it what was captured first', async () => {
    const large = 2n ** 63n + 1n;
    const times = await timesOf([
      row(1, clock, 0n),
      row(2, send, 7n),
      row(3, receive, large),
      row(4, receive, 7n),
      row(5, send, 7n),
      row(6, receive, large),
      row(7, clock, 0n),
      row(8, receive, 7n),
    ]);
    expect(times).toEqual([1, 7, 2, 5, 4, 8, 3, 6]);
  });

  test('puts what one end sent before what the other end received of it', async () => {
    const times = await timesOf([
      row(1, connection, 1n, [1000, 80]),
      row(2, connection, 2n, [80, 1000]),
      row(3, send, 1n),
      row(4, receive, 2n),
      row(5, send, 2n),
      row(6, receive, 1n),
      row(7, send, 1n),
      row(8, receive, 2n),
    ]);
    const blocks = [times.indexOf(3), times.indexOf(7), times.indexOf(4), times.indexOf(8)];
    expect(blocks).toEqual([blocks[0], blocks[0]! + 1, blocks[0]! + 2, blocks[0]! + 3]);
    expect(times.indexOf(6)).toBe(times.indexOf(5) + 1);
  });
});

test('a column that is empty throughout costs next to nothing', async () => {
  const path = await encoded([sampleBatch(5000)]);
  const bytes = new Uint8Array(readFileSync(path)).buffer;
  const { row_groups: groups } = parquetMetadata(bytes);
  const chunk = groups[0]!.columns.find(({ meta_data: m }) => m?.path_in_schema[0] === 'wait_word');
  expect(Number(chunk!.meta_data!.total_compressed_size)).toBeLessThan(60);
});
