import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { type AsyncBuffer, parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Batch, EVENT_COLUMNS } from '../../src/model/batch.js';
import type { Reconstruction } from '../../src/model/reconstruction.js';
import { LINK_COLUMNS, SPAN_COLUMNS, TRACE_COLUMNS } from '../../src/model/span.js';
import { emptyTable } from '../../src/model/tables.js';
import { exportCompat } from '../../src/store/compat.js';
import { convertSegment } from '../../src/store/convert.js';
import { openSegment } from '../../src/store/segment-reader.js';
import { SegmentWriter } from '../../src/store/segment-writer.js';
import { writeReconstruction } from '../../src/store/span-store.js';
import { inTimeOrder, SAMPLE_START_NS, sampleBatch, sampleHeader } from './sample-events.js';
import { useTemporaryDirectories } from './temporary.js';

const temporaryDirectory = useTemporaryDirectories();
const ROWS = 3000;

async function closedSegment(directory: string): Promise<{ path: string; batch: Batch }> {
  const batch = sampleBatch(ROWS);
  // The edges: sign bits of every width, and times that no double holds.
  batch.connection[1] = 2n ** 64n - 1n;
  batch.cgroup[1] = 2n ** 63n;
  batch.sequence[1] = 2 ** 32 - 1;
  batch.netns[1] = 2 ** 31;
  batch.local_port[1] = 65_535;
  const writer = SegmentWriter.open(directory, sampleHeader());
  writer.append(batch);
  const { path } = await convertSegment(writer.close());
  const [stored] = await readSegment(path);
  expect(inTimeOrder(stored!)).toEqual(inTimeOrder(batch));
  return { path, batch: stored! };
}

/** Its batches as our own reader gives them. */
async function readSegment(path: string): Promise<Batch[]> {
  const segment = await openSegment(path);
  const batches: Batch[] = [];
  for await (const batch of segment.read()) batches.push(batch);
  segment.close();
  return batches;
}

/** Row i as other readers should show it: numbers as bigint, bytes as text, empty as null. */
function expectedRow(batch: Batch, i: number): Record<string, bigint | string | null> {
  const row: Record<string, bigint | string | null> = {};
  for (const [name, spec] of Object.entries(EVENT_COLUMNS)) {
    const column = batch[name as keyof typeof EVENT_COLUMNS];
    if ('offsets' in column) {
      const bytes = column.data.subarray(column.offsets[i], column.offsets[i + 1]);
      const nullable = 'nullable' in spec && spec.nullable;
      row[name] = bytes.length === 0 && nullable ? null : Buffer.from(bytes).toString('latin1');
    } else {
      row[name] = BigInt(column[i]!);
    }
  }
  return row;
}

function asBuffer(path: string): AsyncBuffer {
  const bytes = new Uint8Array(readFileSync(path));
  return {
    byteLength: bytes.length,
    slice: (from, to) => bytes.buffer.slice(from, to ?? bytes.length),
  };
}

/** The same form as expectedRow, whatever the reader calls its values. */
function plainRow(row: Readonly<Record<string, unknown>>): Record<string, bigint | string | null> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      if (value === undefined || value === null) return [name, null];
      if (value instanceof Uint8Array) return [name, Buffer.from(value).toString('latin1')];
      if (typeof value === 'string') return [name, Buffer.from(value).toString('latin1')];
      return [name, BigInt(value as number | bigint)];
    }),
  );
}

test('hyparquet reads every value of the compat export', async () => {
  const directory = temporaryDirectory();
  const { path, batch } = await closedSegment(directory);
  const out = join(directory, 'compat.parquet');
  expect(await exportCompat(path, out)).toMatchObject({ path: out, rows: ROWS });
  // hyparquet alone knows no ZSTD; the compat export has the same schema.
  const rows = await parquetReadObjects({ file: asBuffer(out), utf8: false });
  expect(rows).toHaveLength(ROWS);
  for (const [i, row] of rows.entries()) expect(plainRow(row)).toEqual(expectedRow(batch, i));
});

/** The part of parquetjs-lite's API that is used here; the package has no types. */
interface ParquetJs {
  readonly ParquetReader: {
    openFile(path: string): Promise<{
      readonly metadata: { readonly num_rows: unknown };
      getCursor(): { next(): Promise<Readonly<Record<string, unknown>> | null> };
      getMetadata(): Readonly<Record<string, string>>;
      close(): Promise<void>;
    }>;
  };
}

/** parquetjs-lite reads unsigned columns as signed; the bits are right. */
function unsigned(row: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      const type = EVENT_COLUMNS[name as keyof typeof EVENT_COLUMNS].type;
      if (type === 'uint64') return [name, BigInt.asUintN(64, BigInt(value as bigint))];
      if (type === 'uint32') return [name, (value as number) >>> 0];
      return [name, value];
    }),
  );
}

test('parquetjs-lite reads every value of the compat export, times above 2^53 too', async () => {
  const directory = temporaryDirectory();
  const { path, batch } = await closedSegment(directory);
  const out = join(directory, 'compat.parquet');
  await exportCompat(path, out);
  const { ParquetReader } = createRequire(import.meta.url)('parquetjs-lite') as ParquetJs;
  const reader = await ParquetReader.openFile(out);
  const cursor = reader.getCursor();
  for (let i = 0; i < ROWS; i++) {
    const row = await cursor.next();
    expect(row).not.toBeNull();
    // A column without a value is left out of the row.
    const missing = Object.keys(EVENT_COLUMNS).filter((name) => !(name in row!));
    const absent = Object.fromEntries(missing.map((name) => [name, null]));
    expect(plainRow({ ...unsigned(row!), ...absent })).toEqual(expectedRow(batch, i));
  }
  expect(await cursor.next()).toBeNull();
  expect(JSON.parse(reader.getMetadata().aftertrace!)).toMatchObject({ host: 'shop-1' });
  await reader.close();
  expect(batch.time_ns[0]!).toBeGreaterThan(2n ** 53n);
});

test('the compat export is a segment like any other, and never overwrites', async () => {
  const directory = temporaryDirectory();
  const { path } = await closedSegment(directory);
  const out = join(directory, 'compat.parquet');
  await exportCompat(path, out);
  expect(statSync(out).mode & 0o777).toBe(0o600);
  const [original, copy] = [await openSegment(path), await openSegment(out)];
  expect(copy.header).toEqual(original.header);
  expect([copy.rows, copy.fromNs, copy.toNs]).toEqual([ROWS, original.fromNs, original.toNs]);
  original.close();
  copy.close();
  await expect(exportCompat(path, out)).rejects.toMatchObject({ code: 'OUTPUT', place: out });
  const empty = SegmentWriter.open(directory, sampleHeader({ sequence: 9 })).close();
  const result = await exportCompat(empty, join(directory, 'empty.parquet'));
  expect(result.rows).toBe(0);
});

describe('DuckDB', () => {
  let directory: string;
  let batch: Batch;
  let connection: DuckDBConnection;
  let instance: DuckDBInstance;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'aftertrace-store-'));
    batch = (await closedSegment(join(directory, 'rec'))).batch;
    const spans = emptyTable(SPAN_COLUMNS, 3);
    // A server, its call, and the server that answered it.
    spans.span_id.splice(0, 3, 'a', 'b', 'c');
    spans.parent_span_id.splice(0, 3, '', 'a', 'b');
    spans.service.splice(0, 3, 'shop', 'shop', 'cart');
    spans.role.splice(0, 3, 'server', 'client', 'server');
    spans.parent_verdict.splice(0, 3, 'root', 'probable', 'certain');
    spans.start_ns.set([10n, 20n, 30n].map((ns) => SAMPLE_START_NS + ns * 1_000_000n));
    spans.end_ns.set([90n, 80n, 70n].map((ns) => SAMPLE_START_NS + ns * 1_000_000n));
    spans.status.set([200, 0, 503]);
    spans.candidates.set([0, 2, 1]);
    const traces = emptyTable(TRACE_COLUMNS, 1);
    const links = emptyTable(LINK_COLUMNS, 1);
    links.span_id[0] = 'b';
    links.candidate_span_id[0] = 'a';
    links.evidence[0] = JSON.stringify([{ rule: 'same-thread', weight: 4.2, text: 'same thread' }]);
    const out = join(directory, 'out');
    await writeReconstruction(out, { spans, traces, links, reconstruction: SUMMARY });
    instance = await DuckDBInstance.create();
    connection = await instance.connect();
    await connection.run(`SET file_search_path = '${directory}'`);
  });
  afterAll(() => {
    connection.closeSync();
    instance.closeSync();
    rmSync(directory, { recursive: true });
  });

  const rowsOf = async (sql: string) => (await connection.runAndReadAll(sql)).getRowObjectsJS();

  test('reads every value of a closed segment', async () => {
    const rows = await rowsOf("SELECT * FROM 'rec/*.parquet' ORDER BY time_ns, sequence");
    expect(rows).toHaveLength(ROWS);
    const order = Array.from({ length: ROWS }, (_, i) => i).sort((a, b) =>
      batch.time_ns[a]! === batch.time_ns[b]!
        ? batch.sequence[a]! - batch.sequence[b]!
        : batch.time_ns[a]! < batch.time_ns[b]!
          ? -1
          : 1,
    );
    for (const [i, row] of rows.entries()) {
      expect(plainRow(row)).toEqual(expectedRow(batch, order[i]!));
    }
  });

  const text = readFileSync(join(import.meta.dirname, '../../docs/format.md'), 'utf8');
  const queries = [...text.matchAll(/```sql\n([\s\S]*?)```/g)].map((match) => match[1]!);

  test('docs/format.md has queries to run', () => expect(queries.length).toBeGreaterThan(5));

  test.each(queries)('runs the documented query %#', async (query) => {
    const rows = await rowsOf(query);
    // Nothing was lost in the sample; every other query finds something.
    if (query.includes('kind = 17')) expect(rows).toEqual([]);
    else expect(rows.length).toBeGreaterThan(0);
  });

  test('finds who calls whom, and the evidence', async () => {
    const calls = queries.find((query) => query.includes('AS callee'))!;
    expect(await rowsOf(calls)).toEqual([
      { caller: 'shop', callee: 'cart', calls: 1n, network_ms: 20 },
    ]);
    const why = queries.find((query) => query.includes('links.parquet'))!;
    expect(await rowsOf(why)).toMatchObject([{ candidate_span_id: 'a', evidence: 'same thread' }]);
  });

  test('shows documented types, and NULL only where it is documented', async () => {
    const schema = await rowsOf("DESCRIBE SELECT * FROM 'rec/*.parquet'");
    const types = Object.fromEntries(schema.map((row) => [row.column_name, row.column_type]));
    expect(types).toMatchObject({
      time_ns: 'BIGINT',
      connection: 'UBIGINT',
      kind: 'UTINYINT',
      local_address: 'VARCHAR',
      payload: 'BLOB',
    });
    const [nulls] = await rowsOf(
      "SELECT count(*) FILTER (status IS NULL) AS status, count(*) FILTER (peer IS NULL) AS peer FROM 'out/spans.parquet'",
    );
    expect(nulls).toEqual({ status: 1n, peer: 0n });
  });
});

const SUMMARY: Reconstruction = {
  version: 1,
  tool: 'aftertrace 0.1.0',
  fromNs: '1',
  toNs: '2',
  segments: [],
  unreadable: [],
  losses: [],
  counts: {
    events: 0,
    connections: 0,
    opaqueConnections: 0,
    clientExchanges: 0,
    serverExchanges: 0,
    hops: 0,
    unmatched: 0,
    traces: 0,
  },
  links: { certain: 0, probable: 0, unknown: 0, root: 0 },
  services: [],
  skews: [],
};
