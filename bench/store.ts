/**
 * What storing and reading events costs: CPU seconds per million events, bytes per event.
 * Run: node --import tsx bench/store.ts [events]
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Batch } from '../src/model/batch.js';
import { exportCompat } from '../src/store/compat.js';
import { convertSegment } from '../src/store/convert.js';
import { type EventColumn, openSegment } from '../src/store/segment-reader.js';
import { SegmentWriter } from '../src/store/segment-writer.js';
import { sampleBatch, sampleHeader } from '../test/store/sample-events.js';

const EVENTS = Number(process.argv[2] ?? 1_000_000);
/** As many as the recorder gets from one drain under load. */
const BATCH = 4096;

interface Cost {
  readonly cpu: number;
  readonly wall: number;
}

async function measure(work: () => Promise<void> | void): Promise<Cost> {
  const before = process.cpuUsage();
  const start = performance.now();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { cpu: (user + system) / 1e6, wall: (performance.now() - start) / 1e3 };
}

function print(what: string, { cpu, wall }: Cost, rows: number, bytes?: number): void {
  const perMillion = (1e6 / rows).valueOf();
  const size = bytes === undefined ? '' : `  ${(bytes / rows).toFixed(1)} bytes/event`;
  console.log(
    `${what.padEnd(34)} ${(cpu * perMillion).toFixed(2).padStart(6)} CPU s per 1M` +
      `  (${(wall * perMillion).toFixed(2)} s wall)${size}`,
  );
}

function makeBatches(): Batch[] {
  const batches: Batch[] = [];
  let start: bigint | undefined;
  for (let rows = 0; rows < EVENTS; rows += BATCH) {
    const batch = sampleBatch(Math.min(BATCH, EVENTS - rows), rows + 1, start);
    batches.push(batch);
    start = batch.time_ns[batch.rows - 1]! + 1n;
  }
  return batches;
}

function appendAll(
  directory: string,
  batches: readonly Batch[],
  syncEvery: number,
  sequence: number,
) {
  const writer = SegmentWriter.open(directory, sampleHeader({ sequence }));
  for (const [i, batch] of batches.entries()) {
    writer.append(batch);
    if ((i + 1) % syncEvery === 0) writer.sync();
  }
  return writer.close();
}

async function scan(path: string, columns?: readonly EventColumn[], share = 1): Promise<void> {
  const segment = await openSegment(path);
  const fromNs = segment.toNs - BigInt(Math.floor(Number(segment.toNs - segment.fromNs) * share));
  for await (const _batch of segment.read({ ...(columns && { columns }), fromNs }));
  segment.close();
}

async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'aftertrace-bench-'));
  try {
    const batches = makeBatches();
    console.log(`${EVENTS} events in batches of ${BATCH}, Node ${process.version}`);
    // Warm up compilers, V8's and the WebAssembly engine's.
    await convertSegment(appendAll(directory, batches.slice(0, 40), Number.POSITIVE_INFINITY, 1));
    let part = '';
    const append = await measure(() => {
      part = appendAll(directory, batches, Number.POSITIVE_INFINITY, 2);
    });
    print('append', append, EVENTS, statSync(part).size);
    const synced = await measure(() => {
      appendAll(directory, batches, 8, 3);
    });
    print('append, sync each 8 batches', synced, EVENTS);
    print('scan the open segment', await measure(() => scan(part)), EVENTS);
    let closed = '';
    const convert = await measure(async () => {
      closed = (await convertSegment(part)).path;
    });
    print('convert to Parquet', convert, EVENTS, statSync(closed).size);
    print('scan, all columns', await measure(() => scan(closed)), EVENTS);
    const few = ['time_ns', 'kind', 'connection', 'tid'] as const;
    print('scan, 4 columns', await measure(() => scan(closed, few)), EVENTS);
    print('scan, 4 columns, last tenth', await measure(() => scan(closed, few, 0.1)), EVENTS);
    const compat = join(directory, 'compat.parquet');
    const exported = await measure(async () => {
      await exportCompat(closed, compat);
    });
    print('export --compat', exported, EVENTS, statSync(compat).size);
    console.log(`peak RSS ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

await main();
