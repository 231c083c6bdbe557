import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { type Batch, EVENT_COLUMNS } from '../../src/model/batch.js';
import { takeRows } from '../../src/model/tables.js';
import { convertSegment, SegmentConverter } from '../../src/store/convert.js';
import { recoverDirectory } from '../../src/store/recover.js';
import { type EventColumn, openSegment, type ReadOptions } from '../../src/store/segment-reader.js';
import { SegmentWriter } from '../../src/store/segment-writer.js';
import { concatParts } from '../../src/store/table-file.js';
import {
  inTimeOrder,
  lastTime,
  SAMPLE_START_NS,
  sampleBatch,
  sampleHeader,
} from './sample-events.js';
import { useTemporaryDirectories } from './temporary.js';

const temporaryDirectory = useTemporaryDirectories();
const ALL = Object.keys(EVENT_COLUMNS) as EventColumn[];

/** `count` batches that follow each other in time. */
function batches(count: number, rows: number): Batch[] {
  const list: Batch[] = [];
  let start = SAMPLE_START_NS;
  for (let i = 0; i < count; i++) {
    const batch = sampleBatch(rows, i + 1, start);
    list.push(batch);
    start = lastTime(batch) + 1n;
  }
  return list;
}

function writePart(directory: string, list: readonly Batch[], sequence = 1): string {
  const writer = SegmentWriter.open(directory, sampleHeader({ sequence }));
  for (const batch of list) writer.append(batch);
  return writer.close();
}

async function readAll(path: string, options?: ReadOptions): Promise<Batch> {
  const segment = await openSegment(path);
  const parts: Batch[] = [];
  for await (const batch of segment.read(options)) parts.push(batch);
  segment.close();
  return concatParts(EVENT_COLUMNS, ALL, parts);
}

const joined = (list: readonly Batch[]): Batch => concatParts(EVENT_COLUMNS, ALL, list);

test('columns that view the same memory are stored once, and come back each by itself', async () => {
  const rows = 100;
  const zeros = new ArrayBuffer(8 * rows + 8);
  const sample = sampleBatch(rows, 1);
  const shared: Batch = {
    ...sample,
    error: new Uint16Array(zeros, 0, rows),
    netns: new Uint32Array(zeros, 0, rows),
    cgroup: new BigUint64Array(zeros, 0, rows),
    wait_word: new BigUint64Array(zeros, 0, rows),
    name: { offsets: new Int32Array(zeros, 0, rows + 1), data: new Uint8Array(0) },
  };
  const own: Batch = {
    ...shared,
    error: new Uint16Array(rows),
    netns: new Uint32Array(rows),
    cgroup: new BigUint64Array(rows),
    wait_word: new BigUint64Array(rows),
    name: { offsets: new Int32Array(rows + 1), data: new Uint8Array(0) },
  };
  const directory = temporaryDirectory();
  const part = writePart(directory, [shared]);
  const apart = writePart(directory, [own], 2);
  // Of 2 + 4 + 8 + 8 + 4 bytes a row, 8 are left.
  expect(statSync(apart).size - statSync(part).size).toBeGreaterThanOrEqual(18 * rows);
  expect(await readAll(part)).toEqual(own);
  const { path } = await convertSegment(part);
  expect(inTimeOrder(await readAll(path))).toEqual(inTimeOrder(own));
});

test('events come back from the open segment and from the closed one', async () => {
  const list = batches(5, 700);
  const part = writePart(temporaryDirectory(), list);
  expect(await readAll(part)).toEqual(joined(list));
  const closed = (await convertSegment(part)).path;
  expect(inTimeOrder(await readAll(closed))).toEqual(inTimeOrder(joined(list)));
  expect(statSync(part, { throwIfNoEntry: false })).toBeUndefined();
});

test('the writer counts, and reports each append’s bytes', () => {
  const [batch] = batches(1, 100);
  const writer = SegmentWriter.open(temporaryDirectory(), sampleHeader());
  const before = writer.bytes;
  const bytes = writer.append(batch!);
  expect(writer.rows).toBe(100);
  expect(writer.bytes).toBe(before + bytes);
  expect(statSync(writer.path).size).toBe(writer.bytes);
  expect(writer.append(takeRows(EVENT_COLUMNS, batch!, new Uint32Array(0)))).toBe(0);
  writer.sync();
  expect(writer.close()).toBe(writer.path);
});

test('names, modes and header are as documented', async () => {
  const directory = join(temporaryDirectory(), 'new', 'deeper');
  const header = sampleHeader({ host: '../we ird/host', sequence: 42, filters: 'port 80' });
  const part = SegmentWriter.open(directory, header).close();
  expect(basename(part)).toBe('__we_ird_host-0f8c2b1e-20260921T141320123Z-000042.part');
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  expect(statSync(part).mode & 0o777).toBe(0o600);
  const closed = (await convertSegment(part)).path;
  expect(statSync(closed).mode & 0o777).toBe(0o600);
  const segment = await openSegment(closed);
  expect(segment).toMatchObject({ header, rows: 0, partial: false });
  segment.close();
});

test('an existing segment is never overwritten by a new one', () => {
  const directory = temporaryDirectory();
  const path = SegmentWriter.open(directory, sampleHeader()).close();
  expect(() => SegmentWriter.open(directory, sampleHeader())).toThrowError(
    expect.objectContaining({ code: 'OUTPUT', place: path }),
  );
});

test('row groups outside the time range are skipped', async () => {
  const list = batches(3, 65_536);
  const closed = (await convertSegment(writePart(temporaryDirectory(), list))).path;
  const segment = await openSegment(closed);
  expect(segment).toMatchObject({
    batches: 3,
    fromNs: list[0]!.time_ns[0],
    toNs: lastTime(list[2]!),
  });
  const starts: bigint[] = [];
  const middle = { fromNs: list[1]!.time_ns[0]!, toNs: list[2]!.time_ns[0]! };
  for await (const batch of segment.read({ columns: ['time_ns'], ...middle })) {
    starts.push(batch.time_ns.reduce((a, b) => (a < b ? a : b)));
  }
  expect(starts).toEqual([list[1]!.time_ns[0]]);
  segment.close();
});

test('cut at any byte of the last frame, an open segment gives every whole batch', async () => {
  const directory = temporaryDirectory();
  const list = batches(3, 12);
  const writer = SegmentWriter.open(directory, sampleHeader());
  writer.append(list[0]!);
  writer.append(list[1]!);
  const good = writer.bytes;
  writer.append(list[2]!);
  const end = writer.bytes;
  writer.close();
  const whole = joined(list.slice(0, 2)).time_ns;
  for (let size = end - 1; size >= good; size--) {
    truncateSync(writer.path, size);
    const segment = await openSegment(writer.path);
    expect(segment).toMatchObject({ rows: 24, partial: true, tornBytes: size - good });
    if (size % 64 === 0) expect((await readAll(writer.path)).time_ns).toEqual(whole);
    segment.close();
  }
});

test.each([
  // All of the last batch's body, or its end only: the offsets of the payloads.
  { lost: 12_500 },
  { lost: 6000 },
])(
  'a last batch of zeros, as a power cut leaves it, is no batch ($lost bytes)',
  async ({ lost }) => {
    const list = batches(2, 50);
    const part = writePart(temporaryDirectory(), list);
    const bytes = readFileSync(part);
    // The end of file was written, the last batch's body was not.
    writeFileSync(part, bytes.fill(0, bytes.length - 8 - lost));
    const segment = await openSegment(part);
    expect(segment.rows).toBe(50);
    segment.close();
    writeFileSync(part, Buffer.concat([readFileSync(part).subarray(0, -8), Buffer.alloc(65_536)]));
    expect(await readAll(part)).toEqual(list[0]);
    expect(inTimeOrder(await readAll((await convertSegment(part)).path))).toEqual(
      inTimeOrder(list[0]!),
    );
  },
);

test('recovery converts what crashed recorders left, and doing it again changes nothing', async () => {
  const directory = temporaryDirectory();
  const list = batches(4, 30);
  const torn = writePart(directory, list.slice(0, 2), 1);
  truncateSync(torn, statSync(torn).size - 100);
  const whole = writePart(directory, list.slice(2), 2);
  writeFileSync(join(directory, 'x.part'), '');
  writeFileSync(join(directory, 'y.parquet.tmp'), 'half a file');
  writeFileSync(join(directory, 'z.part'), 'not a segment at all');
  const report = await recoverDirectory(directory);
  expect(report.recovered.map(({ rows }) => rows)).toEqual([30, 60]);
  expect(report.recovered[0]!.tornBytes).toBeGreaterThan(0);
  expect(report.recovered[1]!.tornBytes).toBe(0);
  expect(report.removed.map((path) => basename(path)).sort()).toEqual(['x.part', 'y.parquet.tmp']);
  expect(report.unreadable).toMatchObject([{ file: join(directory, 'z.part') }]);
  expect(inTimeOrder(await readAll(report.recovered[0]!.path))).toEqual(inTimeOrder(list[0]!));
  expect(inTimeOrder(await readAll(report.recovered[1]!.path))).toEqual(
    inTimeOrder(joined(list.slice(2))),
  );
  expect(statSync(whole, { throwIfNoEntry: false })).toBeUndefined();
  const before = readdirSync(directory).sort();
  expect((await recoverDirectory(directory)).recovered).toEqual([]);
  expect(readdirSync(directory).sort()).toEqual(before);
});

test('a crash between conversion and removal is repaired to the same bytes', async () => {
  const directory = temporaryDirectory();
  const part = writePart(directory, batches(2, 500));
  copyFileSync(part, `${part}.saved`);
  const closed = (await convertSegment(part)).path;
  const bytes = readFileSync(closed);
  renameSync(`${part}.saved`, part);
  const report = await recoverDirectory(directory);
  expect(report.recovered).toMatchObject([{ path: closed, rows: 1000, tornBytes: 0 }]);
  expect(readFileSync(closed).equals(bytes)).toBe(true);
});

test.runIf(process.platform === 'linux')(
  'a segment that is being written is left alone',
  async () => {
    const directory = temporaryDirectory();
    const writer = SegmentWriter.open(directory, sampleHeader());
    writer.append(sampleBatch(10));
    const report = await recoverDirectory(directory);
    expect(report).toMatchObject({ recovered: [], inUse: [writer.path] });
    writer.close();
    expect((await recoverDirectory(directory)).recovered).toHaveLength(1);
  },
);

test('a directory that is not there has nothing to recover', async () => {
  const report = await recoverDirectory(join(temporaryDirectory(), 'missing'));
  expect(report).toEqual({ recovered: [], inUse: [], unreadable: [], removed: [] });
});

test('the converter works in its thread, one segment after the other', async () => {
  const directory = temporaryDirectory();
  const list = batches(3, 400);
  const parts = list.map((batch, i) => writePart(directory, [batch], i + 1));
  const converter = new SegmentConverter();
  const failing = converter.convert(join(directory, 'missing.part'));
  await expect(failing).rejects.toMatchObject({
    name: 'CodedError',
    code: 'INPUT',
    place: join(directory, 'missing.part'),
  });
  const results = parts.map((part) => converter.convert(part));
  await converter.close();
  const closed = await Promise.all(results);
  for (const [i, { path }] of closed.entries())
    expect(inTimeOrder(await readAll(path))).toEqual(inTimeOrder(list[i]!));
});

test('a reader that comes while a segment is closed gets the closed one', async () => {
  const part = writePart(temporaryDirectory(), batches(1, 10));
  const closed = (await convertSegment(part)).path;
  const segment = await openSegment(part);
  expect(segment).toMatchObject({ path: closed, partial: false, rows: 10 });
  segment.close();
});

test('deleting the open segment is noticed at the next sync', () => {
  const directory = temporaryDirectory();
  const writer = SegmentWriter.open(directory, sampleHeader());
  rmSync(writer.path);
  writer.append(sampleBatch(5));
  expect(() => writer.sync()).toThrowError(expect.objectContaining({ code: 'OUTPUT' }));
  expect(() => writer.close()).toThrowError(/deleted/);
});

test('a directory that cannot be made is an OUTPUT error', () => {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'a'));
  writeFileSync(join(directory, 'a', 'file'), '');
  expect(() => SegmentWriter.open(join(directory, 'a', 'file'), sampleHeader())).toThrowError(
    expect.objectContaining({ code: 'OUTPUT' }),
  );
});
