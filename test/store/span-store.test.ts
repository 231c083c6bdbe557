import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Reconstruction } from '../../src/model/reconstruction.js';
import { LINK_COLUMNS, SPAN_COLUMNS, TRACE_COLUMNS } from '../../src/model/span.js';
import { emptyTable } from '../../src/model/tables.js';
import {
  prepareOutput,
  readReconstruction,
  type StoredReconstruction,
  writeReconstruction,
} from '../../src/store/span-store.js';
import { useTemporaryDirectories } from './temporary.js';

const temporaryDirectory = useTemporaryDirectories();

const SUMMARY: Reconstruction = {
  version: 1,
  tool: 'aftertrace 0.1.0',
  fromNs: '1790000000000000001',
  toNs: '1790000001000000000',
  segments: [],
  unreadable: [{ file: 'x.parquet', reason: 'is empty.' }],
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

function sample(spans = 5): StoredReconstruction {
  const table = emptyTable(SPAN_COLUMNS, spans);
  for (let i = 0; i < spans; i++) {
    table.span_id[i] = i.toString(16).padStart(16, '0');
    table.trace_id[i] = 'café';
    table.start_ns[i] = 1_790_000_000_000_000_001n + BigInt(i);
    table.parent_confidence[i] = i === 0 ? Number.NaN : 0;
  }
  return {
    spans: table,
    traces: emptyTable(TRACE_COLUMNS, 1),
    links: emptyTable(LINK_COLUMNS, 0),
    reconstruction: SUMMARY,
  };
}

test('a reconstruction comes back as it was, from files of one owner', async () => {
  const out = join(temporaryDirectory(), 'out');
  await writeReconstruction(out, sample());
  expect(await readReconstruction(out)).toEqual(sample());
  expect(statSync(out).mode & 0o777).toBe(0o700);
  for (const name of readdirSync(out)) {
    expect(statSync(join(out, name)).mode & 0o777).toBe(0o600);
  }
});

test('the same reconstruction gives the same bytes', async () => {
  const [a, b] = [temporaryDirectory(), temporaryDirectory()];
  await writeReconstruction(a, sample());
  await writeReconstruction(b, sample());
  const names = readdirSync(a).sort();
  expect(names).toEqual([
    'links.parquet',
    'reconstruction.json',
    'spans.parquet',
    'traces.parquet',
  ]);
  for (const name of names) {
    expect(readFileSync(join(a, name)).equals(readFileSync(join(b, name)))).toBe(true);
  }
});

test('an earlier reconstruction is replaced only when asked', async () => {
  const out = temporaryDirectory();
  await prepareOutput(out, false);
  await writeReconstruction(out, sample());
  await expect(prepareOutput(out, false)).rejects.toMatchObject({ code: 'OUTPUT', place: out });
  await prepareOutput(out, true);
  await writeReconstruction(out, sample(7));
  expect((await readReconstruction(out)).spans.rows).toBe(7);
});

test('a directory without a finished reconstruction says so', async () => {
  const out = temporaryDirectory();
  await expect(readReconstruction(join(out, 'missing'))).rejects.toMatchObject({ code: 'INPUT' });
  await writeReconstruction(out, sample());
  rmSync(join(out, 'reconstruction.json'));
  await expect(readReconstruction(out)).rejects.toMatchObject({
    code: 'INPUT',
    place: out,
    message: 'holds no finished reconstruction.',
  });
});

test.each([
  ['not JSON', '{', 'INPUT', 'is damaged: not JSON.'],
  ['another JSON', '{"version":1}', 'INPUT', 'is not the summary of a reconstruction.'],
  ['no object', 'null', 'INPUT', 'is not the summary of a reconstruction.'],
  [
    'a newer version',
    '{"version":2}',
    'UNSUPPORTED',
    'has version 2; this aftertrace reads up to 1.',
  ],
])('a reconstruction.json with %s is refused by name', async (_what, text, code, message) => {
  const out = temporaryDirectory();
  await writeReconstruction(out, sample());
  writeFileSync(join(out, 'reconstruction.json'), text);
  const place = join(out, 'reconstruction.json');
  await expect(readReconstruction(out)).rejects.toMatchObject({ code, message, place });
});

test('a damaged or missing table is refused by name', async () => {
  const out = temporaryDirectory();
  await writeReconstruction(out, sample());
  const spans = join(out, 'spans.parquet');
  truncateSync(spans, 500);
  await expect(readReconstruction(out)).rejects.toMatchObject({ code: 'INPUT', place: spans });
  rmSync(spans);
  await expect(readReconstruction(out)).rejects.toMatchObject({ code: 'INPUT', place: spans });
});
