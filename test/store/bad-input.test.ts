import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Int32, Table, tableToIPC, Vector, vectorFromArray } from 'apache-arrow';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { EVENT_COLUMNS } from '../../src/model/batch.js';
import { CodedError } from '../../src/model/errors.js';
import { emptyTable } from '../../src/model/tables.js';
import { readCatalog } from '../../src/store/catalog.js';
import { convertSegment } from '../../src/store/convert.js';
import { inspectPaths } from '../../src/store/inspect.js';
import { readParquet, writeParquet } from '../../src/store/parquet-file.js';
import { contentMetadata, headerToMetadata } from '../../src/store/segment-header.js';
import { openSegment } from '../../src/store/segment-reader.js';
import { SegmentWriter } from '../../src/store/segment-writer.js';
import { readTable } from '../../src/store/table-file.js';
import { sampleBatch, sampleHeader } from './sample-events.js';
import { useTemporaryDirectories } from './temporary.js';

const temporaryDirectory = useTemporaryDirectories();

/** A good closed segment of two row groups and a good open one, as bytes to spoil. */
let closedBytes: Buffer;
let partBytes: Buffer;
beforeAll(async () => {
  const directory = mkdtempSync(join(tmpdir(), 'aftertrace-store-'));
  const writer = SegmentWriter.open(directory, sampleHeader());
  writer.append(sampleBatch(66_000));
  closedBytes = readFileSync((await convertSegment(writer.close())).path);
  const small = SegmentWriter.open(directory, sampleHeader({ sequence: 2 }));
  small.append(sampleBatch(40));
  small.append(sampleBatch(40, 2));
  partBytes = readFileSync(small.close());
  rmSync(directory, { recursive: true });
});

async function readWhole(path: string): Promise<number> {
  const segment = await openSegment(path);
  let rows = 0;
  try {
    for await (const batch of segment.read()) rows += batch.rows;
  } finally {
    segment.close();
  }
  return rows;
}

function write(name: string, bytes: Uint8Array | string): string {
  const path = join(temporaryDirectory(), name);
  writeFileSync(path, bytes);
  return path;
}

const foreignArrow = () =>
  tableToIPC(
    new Table({ a: new Vector([vectorFromArray([1, 2], new Int32()).data[0]!]) }),
    'stream',
  );

test.each([
  ['empty.parquet', '', /empty/],
  ['empty.part', '', /empty/],
  ['text.parquet', 'time,event\n1,2\n', /not a Parquet file/],
  ['text.part', 'time,event\n1,2\n', /not an Arrow stream/],
  ['magic.parquet', 'PAR1', /truncated/],
  ['twice.parquet', 'PAR1PAR1', /truncated/],
  ['huge-footer.parquet', Buffer.from('PAR1xxxx\xff\xff\xff\xffPAR1', 'latin1'), /claims/],
  ['no-footer.parquet', Buffer.from('PAR1xxxxxxxx\x08\0\0\0PAR1', 'latin1'), /damaged/],
  [
    'huge-schema.part',
    Buffer.from('\xff\xff\xff\xff\xff\xff\xff\x7fxxxx', 'latin1'),
    /Arrow stream/,
  ],
])('%s is refused by name', async (name, bytes, message) => {
  const path = write(name, bytes);
  const error = await openSegment(path).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(CodedError);
  expect(error).toMatchObject({ code: 'INPUT', place: path });
  expect((error as CodedError).message).toMatch(message);
});

test('a foreign Parquet file, a foreign Arrow stream and another table are refused', async () => {
  const directory = temporaryDirectory();
  const parquet = join(directory, 'foreign.parquet');
  await writeParquet(
    parquet,
    { a: { type: 'int64', doc: '' } },
    { rows: 1, a: new BigInt64Array(1) },
  );
  await expect(openSegment(parquet)).rejects.toMatchObject({
    code: 'INPUT',
    message: 'was not written by aftertrace.',
  });
  const part = join(directory, 'foreign.part');
  writeFileSync(part, foreignArrow());
  await expect(openSegment(part)).rejects.toMatchObject({ code: 'INPUT', place: part });
  const spans = join(directory, 'spans.parquet');
  const table = emptyTable(EVENT_COLUMNS, 1);
  await writeParquet(spans, EVENT_COLUMNS, table, contentMetadata('spans'));
  await expect(openSegment(spans)).rejects.toMatchObject({ message: 'holds spans, not events.' });
});

test('a newer format version says so and what to do', async () => {
  const path = join(temporaryDirectory(), 'future.parquet');
  const metadata = { ...headerToMetadata(sampleHeader()), format_version: '2' };
  await writeParquet(path, EVENT_COLUMNS, emptyTable(EVENT_COLUMNS, 1), metadata);
  await expect(openSegment(path)).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    place: path,
    message: 'has format version 2; this aftertrace reads up to 1.',
    remedy: expect.stringContaining('at least as new'),
  });
});

test('a header without one of its fields is damaged', async () => {
  const path = join(temporaryDirectory(), 'x.parquet');
  const { boot_id: _, ...metadata } = headerToMetadata(sampleHeader());
  await writeParquet(path, EVENT_COLUMNS, emptyTable(EVENT_COLUMNS, 1), metadata);
  await expect(openSegment(path)).rejects.toMatchObject({
    code: 'INPUT',
    message: 'is damaged: boot_id is missing in its metadata.',
  });
});

test('a missing or retyped column is named', async () => {
  const path = join(temporaryDirectory(), 'x.parquet');
  await writeParquet(path, { a: { type: 'uint32', doc: '' } }, { rows: 1, a: new Uint32Array(1) });
  await expect(readParquet(path, { b: { type: 'uint32', doc: '' } })).rejects.toMatchObject({
    message: 'has no column b.',
    place: path,
  });
  await expect(readParquet(path, { a: { type: 'int64', doc: '' } })).rejects.toMatchObject({
    message: 'has column a as Uint32, expected Int64.',
  });
});

test('missing files, directories and pipes are refused and never wait', async () => {
  const directory = temporaryDirectory();
  const missing = join(directory, 'missing.parquet');
  await expect(openSegment(missing)).rejects.toMatchObject({ code: 'INPUT', place: missing });
  await expect(readTable(directory, EVENT_COLUMNS)).rejects.toMatchObject({ code: 'INPUT' });
  const pipe = join(directory, 'pipe.parquet');
  execFileSync('mkfifo', [pipe]);
  await expect(openSegment(pipe)).rejects.toMatchObject({ code: 'INPUT', place: pipe });
});

test('a Parquet file cut anywhere is refused', async () => {
  const path = write('cut.parquet', closedBytes);
  for (const share of [0.999, 0.9, 0.5, 0.1, 0.001]) {
    truncateSync(path, Math.floor(closedBytes.length * share));
    await expect(readWhole(path)).rejects.toMatchObject({ code: 'INPUT', place: path });
  }
});

test('damage in the middle names file and row group, and the next file still reads', async () => {
  const spoiled = Buffer.from(closedBytes);
  const path = write('damaged.parquet', spoiled.fill(0xa5, 200_000, 400_000));
  const error = await readWhole(path).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(CodedError);
  expect(error).toMatchObject({ code: 'INPUT', place: path });
  expect((error as CodedError).message).toMatch(/^is damaged in row group 0: /);
  expect(await readWhole(write('good.parquet', closedBytes))).toBe(66_000);
});

test('damage anywhere gives rows or a CodedError, never anything else', async () => {
  const path = join(temporaryDirectory(), 'x.parquet');
  const part = join(temporaryDirectory(), 'x.part');
  const small = join(temporaryDirectory(), 'small.part');
  writeFileSync(small, partBytes);
  const smallClosed = readFileSync((await convertSegment(small)).path);
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.uint8Array({ minLength: 1, maxLength: 40 }),
      async (open, where, patch) => {
        const bytes = Buffer.from(open ? partBytes : smallClosed);
        bytes.set(
          patch.subarray(0, bytes.length),
          Math.floor(where * (bytes.length - patch.length)),
        );
        writeFileSync(open ? part : path, bytes);
        try {
          const file = open ? part : path;
          expect(await readWhole(file)).toBeLessThanOrEqual(80);
          if (open) expect((await convertSegment(file)).rows).toBeLessThanOrEqual(80);
        } catch (error) {
          expect(error).toBeInstanceOf(CodedError);
        }
      },
    ),
    { numRuns: 1500 },
  );
});

test('the catalog keeps what is readable, sorted, and lists the rest', async () => {
  const directory = temporaryDirectory();
  const make = (host: string, sequence: number, startNs: string) => {
    const writer = SegmentWriter.open(directory, sampleHeader({ host, sequence, startNs }));
    writer.append(sampleBatch(5));
    return writer.close();
  };
  const b2 = (await convertSegment(make('b', 2, '1790000001000000000'))).path;
  const b1 = (await convertSegment(make('b', 1, '1790000000000000000'))).path;
  const a = make('a', 9, '1790000009000000000');
  writeFileSync(join(directory, 'notes.txt'), 'not looked at');
  writeFileSync(join(directory, 'garbage.parquet'), 'garbage');
  const catalog = await readCatalog([directory, b1]);
  expect(catalog.segments.map(({ path }) => path)).toEqual([a, b1, b2]);
  expect(catalog.segments.map(({ host, partial }) => [host, partial])).toEqual([
    ['a', true],
    ['b', false],
    ['b', false],
  ]);
  expect(catalog.unreadable).toEqual([
    {
      file: join(directory, 'garbage.parquet'),
      reason: 'is not a Parquet file. Name segments of aftertrace.',
    },
  ]);
});

test('an open segment that has just been closed counts once', async () => {
  const directory = temporaryDirectory();
  const writer = SegmentWriter.open(directory, sampleHeader());
  writer.append(sampleBatch(5));
  const part = writer.close();
  copyFileSync(part, `${part}.saved`);
  const closed = (await convertSegment(part)).path;
  copyFileSync(`${part}.saved`, part);
  const { segments } = await readCatalog([directory]);
  expect(segments.map(({ path }) => path)).toEqual([closed]);
});

test('a path that is missing or holds nothing at all is an INPUT error', async () => {
  const directory = temporaryDirectory();
  await expect(readCatalog([directory])).rejects.toMatchObject({
    code: 'INPUT',
    place: directory,
    message: 'holds no segments.',
  });
  const missing = join(directory, 'missing');
  await expect(readCatalog([missing])).rejects.toMatchObject({ code: 'INPUT', place: missing });
});

test.runIf(process.getuid?.() !== 0)(
  'a file of another user is listed, with the reason',
  async () => {
    const directory = temporaryDirectory();
    const writer = SegmentWriter.open(directory, sampleHeader());
    chmodSync(writer.close(), 0);
    const { unreadable } = await readCatalog([directory]);
    expect(unreadable[0]!.reason).toMatch(/permission denied/);
  },
);

test('inspect counts kinds and losses, and warns of what is missing, open or unreadable', async () => {
  const directory = temporaryDirectory();
  const write = (sequence: number) => {
    const writer = SegmentWriter.open(directory, sampleHeader({ sequence }));
    const batch = sampleBatch(202, sequence);
    if (sequence > 1) {
      writer.append(batch);
      return writer.close();
    }
    batch.kind[7] = 17;
    batch.count[7] = 12n;
    const name = Buffer.from('ring-full');
    const offsets = new Int32Array(203).fill(name.length, 8);
    writer.append({ ...batch, name: { offsets, data: new Uint8Array(name) } });
    return writer.close();
  };
  await convertSegment(write(1));
  const open = write(4);
  truncateSync(open, statSync(open).size - 3);
  const extra = SegmentWriter.open(directory, sampleHeader({ host: 'other', recordingId: 'r2' }));
  extra.append(sampleBatch(10));
  await convertSegment(extra.close());
  writeFileSync(join(directory, 'garbage.parquet'), 'garbage');
  const result = await inspectPaths([directory]);
  // Of 202 events each: 2 connections, and a loss in the first.
  expect(result.kinds).toEqual({
    receive: 100 + 100 + 4,
    send: 99 + 100 + 5,
    connection: 2 + 2 + 1,
    loss: 1,
  });
  expect(result.losses).toEqual({ 'ring-full': 12 });
  expect(result.hosts.map(({ host, segments }) => [host, segments])).toEqual([
    ['other', 1],
    ['shop-1', 2],
  ]);
  expect(result.recordings).toMatchObject([
    { recordingId: 'r2', firstSequence: 1, lastSequence: 1 },
    { recordingId: '5e0c9d2f', firstSequence: 1, lastSequence: 4 },
  ]);
  expect(result.warnings).toEqual([
    `${join(directory, 'garbage.parquet')}: is not a Parquet file. Name segments of aftertrace.`,
    expect.stringMatching(/is still open, or its recorder died\. Its last \d+ bytes/),
    'shop-1: segment 2..3 of recording 5e0c9d2f is missing.',
  ]);
});
