import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type FormatName, type ImportOptions, importSpans } from '../../src/import/import.js';
import { reconstruct } from '../../src/reconstruct/reconstruct.js';
import { readCatalog } from '../../src/store/catalog.js';
import { readImportedExchanges } from '../../src/store/import-files.js';
import { inspectPaths } from '../../src/store/inspect.js';
import { writeSegment } from '../cli/segments.js';
import { useTemporaryDirectories } from '../store/temporary.js';
import { otlpShop, ZIPKIN_SHOP } from './shops.js';
import { bytesOf, foundLinks, hopsOf, jaegerTrace, lines, SHOP } from './spans.js';

const temporaryDirectory = useTemporaryDirectories();

/** Imports files with these contents into a fresh directory. */
async function importTexts(
  contents: readonly (string | Buffer)[],
  options: Partial<ImportOptions> = {},
) {
  const directory = temporaryDirectory();
  const files = contents.map((content, i) => {
    const file = join(directory, `input-${i}`);
    writeFileSync(file, content);
    return file;
  });
  const output = join(directory, 'out');
  const result = await importSpans({
    format: 'jaeger',
    files,
    output,
    forgetParents: false,
    ...options,
  });
  return { result, output, files };
}

async function reconstructed(inputs: readonly string[], workers = 1) {
  const output = join(temporaryDirectory(), 'out');
  await reconstruct({ inputs, output, minConfidence: 0.9, workers });
  return output;
}

const TRACES = Array.from({ length: 20 }, (_, i) =>
  jaegerTrace(
    `t${i}`,
    SHOP.map((span) => ({ ...span, start: (span.start ?? 0) + i * 700 })),
  ),
);

describe('the exchanges', () => {
  test('both ends of a hop name the same connection; what was not recorded stands alone', async () => {
    const { output, result } = await importTexts([lines([jaegerTrace('t', SHOP)])]);
    expect(result).toMatchObject({
      traces: 1,
      spans: 5,
      services: 2,
      serverExchanges: 2,
      clientExchanges: 2,
      madeExchanges: 0,
      hops: 1,
      statedLinks: 2,
      internalSpans: 1,
      badCount: 0,
    });
    const [file] = (await readCatalog([output])).imports;
    const exchanges = await readImportedExchanges(file!.path);
    expect(hopsOf(exchanges, file!.services)).toEqual([
      'server front GET /shop -> ',
      'client front CALL op-c -> server cart',
      'server cart CALL op-d -> client front',
      'client cart CALL get -> ',
    ]);
    expect(exchanges.authority).toEqual(['front', 'cart', 'cart', 'redis']);
    expect([...exchanges.request_start]).toEqual([0, 1e6, 2e6, 3e6]);
    expect([...exchanges.response_end]).toEqual([9e6, 7e6, 6e6, 4e6]);
    expect(new Set(exchanges.connection).size).toBe(4);
    // Only the server and its own calls carry its number.
    expect(exchanges.trace_context).toEqual(['import:1', 'import:1', 'import:3', 'import:3']);
  });

  test('files are for their owner alone, and an import is not replaced by accident', async () => {
    const { output, files } = await importTexts([lines(TRACES)]);
    const names = readdirSync(output).sort();
    expect(names).toEqual(['exchanges-000001.parquet', 'sources-000001.parquet']);
    expect(statSync(output).mode & 0o777).toBe(0o700);
    for (const name of names) expect(statSync(join(output, name)).mode & 0o777).toBe(0o600);
    const again = { format: 'jaeger', files, output, forgetParents: true } as const;
    await expect(importSpans(again)).rejects.toMatchObject({
      code: 'OUTPUT',
      message: 'already holds an import.',
    });
    expect((await importSpans({ ...again, force: true })).parentsKept).toBe(false);
  });

  test('a span that was never ended has no response', async () => {
    const trace = jaegerTrace('t', [{ id: 'a', service: 'x', kind: 'server' }]);
    const open = { ...trace, spans: trace.spans.map(({ duration: _, ...span }) => span) };
    const { output } = await importTexts([lines([open])]);
    const { spans } = await foundLinks(await reconstructed([output]));
    expect([spans.status[0], spans.first_byte_ns[0]]).toEqual([0, 0n]);
    expect(spans.end_ns[0]).toBe(spans.start_ns[0]);
  });
});

describe('a round trip through reconstruct', () => {
  const stated = TRACES.flatMap(({ traceID }) => [
    `${traceID}/c -> ${traceID}/a`,
    `${traceID}/e -> ${traceID}/d`,
  ]).sort();

  test('finds every link that the file states, as certain', async () => {
    const { output } = await importTexts([lines(TRACES)]);
    const { links, spans, reconstruction } = await foundLinks(await reconstructed([output]));
    expect(links.sort()).toEqual(stated);
    expect(reconstruction).toMatchObject({
      links: { certain: 40, probable: 0, unknown: 0, root: 0 },
      counts: { hops: 20, traces: 20, clientExchanges: 40, serverExchanges: 40, unmatched: 0 },
      segments: [],
      imports: [{ format: 'jaeger', parentsKept: true, exchanges: 80 }],
    });
    expect(new Set(spans.service)).toEqual(new Set(['front', 'cart']));
  });

  test('traces that share all their ids stay apart', async () => {
    const same = TRACES.map((trace) => ({
      ...trace,
      traceID: 't',
      spans: trace.spans.map((span) => ({
        ...span,
        traceID: 't',
        references: span.references.map((r) => ({ ...r, traceID: 't' })),
      })),
    }));
    const { output } = await importTexts([lines(same)]);
    const { reconstruction, links } = await foundLinks(await reconstructed([output]));
    expect(reconstruction.links.certain).toBe(40);
    expect(reconstruction.counts.traces).toBe(20);
    expect(new Set(links)).toEqual(new Set(['t/c -> t/a', 't/e -> t/d']));
  });

  test('the number of workers changes no byte', async () => {
    const { output } = await importTexts([lines(TRACES)], { forgetParents: true });
    const segments = temporaryDirectory();
    await writeSegment(segments);
    const outputs = [
      await reconstructed([output, segments], 1),
      await reconstructed([segments, output], 3),
    ];
    for (const name of readdirSync(outputs[0]!)) {
      expect(bytesOf(outputs[1]!, name)).toBe(bytesOf(outputs[0]!, name));
    }
    const { spans } = await foundLinks(outputs[0]!);
    expect(spans.source_span_id.filter((id) => id !== '')).toHaveLength(80);
  });

  test('two imports and a recording stand next to each other', async () => {
    const first = await importTexts([lines(TRACES)]);
    const second = await importTexts([lines(TRACES.slice(0, 7))]);
    const segments = temporaryDirectory();
    await writeSegment(segments);
    const inputs = [first.output, second.output, segments];
    const { reconstruction, spans } = await foundLinks(await reconstructed(inputs));
    expect(reconstruction.counts.hops).toBe(27);
    expect(reconstruction.links.certain).toBe(54);
    expect(new Set(spans.span_id).size).toBe(spans.rows);
    const host = (row: number) => spans.host[row];
    expect(new Set([...spans.source_span_id.keys()].map(host))).toContain('imported');
  });

  test('the same import twice counts once', async () => {
    const first = await importTexts([lines(TRACES)]);
    const copy = await importTexts([lines(TRACES)]);
    const out = await reconstructed([first.output, copy.output]);
    const { reconstruction } = await foundLinks(out);
    expect(reconstruction.counts.hops).toBe(20);
    expect(reconstruction.unreadable).toMatchObject([
      { reason: expect.stringContaining('holds the same spans as ') },
    ]);
  });

  test('a range takes the exchanges that begin in it', async () => {
    const { output } = await importTexts([lines(TRACES)]);
    const out = join(temporaryDirectory(), 'out');
    const base = 1_790_000_000_000_000_000n;
    const [fromNs, toNs] = [base + 700_000n * 5n, base + 700_000n * 10n];
    await reconstruct({ inputs: [output], output: out, minConfidence: 0.9, fromNs, toNs });
    const { spans, reconstruction } = await foundLinks(out);
    expect(spans.start_ns.every((start) => start >= fromNs && start < toNs)).toBe(true);
    expect(spans.role.filter((role) => role === 'server')).toHaveLength(10);
    expect([reconstruction.fromNs, reconstruction.toNs]).toEqual([`${fromNs}`, `${toNs}`]);
  });
});

test('each format gives the same exchanges and links', async () => {
  const shops: [FormatName, string][] = [
    ['jaeger', lines([jaegerTrace('5b8efff798038103d269b633813fc60c', SHOP)])],
    ['otlp', lines(otlpShop())],
    [
      'otlp',
      JSON.stringify({ resourceSpans: otlpShop().flatMap((line) => line.resourceSpans) }, null, 2),
    ],
    ['zipkin', lines(ZIPKIN_SHOP)],
    ['zipkin', JSON.stringify(ZIPKIN_SHOP)],
  ];
  const found = [];
  for (const [format, text] of shops) {
    const { output, result } = await importTexts([gzipSync(text)], { format });
    expect(result).toMatchObject({ traces: 1, hops: 1, statedLinks: 2, badCount: 0 });
    const { imports } = await readCatalog([output]);
    expect(imports).toMatchObject([{ format, rows: 4 }]);
    found.push(await readImportedExchanges(imports[0]!.path));
  }
  for (const exchanges of found) expect(exchanges).toEqual(found[0]);
});

test('spans of one trace may lie in several files, in any order', async () => {
  const [front, cart] = otlpShop().map((line) => lines([line]));
  const one = await importTexts([`${front}${cart}`], { format: 'otlp' });
  const two = await importTexts([cart!, front!], { format: 'otlp' });
  expect(two.result).toEqual(one.result);
  for (const name of readdirSync(one.output)) {
    expect(bytesOf(two.output, name)).toBe(bytesOf(one.output, name));
  }
});

describe('bad input', () => {
  test('bad lines are told and counted, the rest is used', async () => {
    const text = `${lines(TRACES.slice(0, 2))}rubbish\n{"no":"trace"}\n`;
    const { result, files } = await importTexts([text, '']);
    expect(result).toMatchObject({
      traces: 2,
      badCount: 3,
      problems: [
        { file: files[0], line: 3, reason: 'is not JSON.' },
        { file: files[0], line: 4, reason: 'holds no Jaeger spans.' },
        { file: files[1], line: 0, reason: 'holds no spans.' },
      ],
    });
  });

  test.each([
    ['an empty file', ''],
    ['no JSON', 'rubbish\n'],
    ['another format', lines(ZIPKIN_SHOP)],
    ['no spans', '{"data":[]}\n'],
  ])('%s alone is an error that names it, and nothing is written', async (_, text) => {
    const directory = temporaryDirectory();
    const file = join(directory, 'input');
    writeFileSync(file, text);
    const output = join(directory, 'out');
    const failed = importSpans({ format: 'jaeger', files: [file], output, forgetParents: false });
    await expect(failed).rejects.toMatchObject({
      code: 'INPUT',
      place: expect.stringContaining(file),
    });
    expect(readdirSync(directory)).toEqual(['input']);
  });

  test('an abort leaves nothing behind', async () => {
    const abort = new AbortController();
    abort.abort();
    const failed = importTexts([lines(TRACES)], { signal: abort.signal });
    await expect(failed).rejects.toMatchObject({ name: 'AbortError' });
  });
});

test('inspect shows an import, and that a part of it is missing', async () => {
  const { output } = await importTexts([lines(TRACES)], { forgetParents: true });
  const result = await inspectPaths([output]);
  expect(result).toMatchObject({ segments: [], rows: 0, warnings: [], unreadable: [] });
  expect(result.imports).toMatchObject([
    { format: 'jaeger', parentsKept: false, services: ['cart', 'front'], exchanges: 80 },
  ]);
  expect(JSON.parse(JSON.stringify(result.imports))).toEqual(result.imports);
});

test('source ids alone, and damaged imports, are refused with one clear error', async () => {
  const { output } = await importTexts([lines(TRACES)]);
  const sources = join(output, 'sources-000001.parquet');
  expect((await readCatalog([sources])).unreadable).toEqual([
    { file: sources, reason: 'holds sources, not events.' },
  ]);
  const exchanges = join(output, 'exchanges-000001.parquet');
  writeFileSync(exchanges, readFileSync(exchanges).subarray(0, 5000));
  const catalog = await readCatalog([output]);
  expect(catalog).toMatchObject({ segments: [], imports: [] });
  expect(catalog.unreadable).toMatchObject([{ file: exchanges }]);
});
