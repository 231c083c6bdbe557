import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EventKind } from '../../src/model/event.js';
import { type Progress, reconstruct } from '../../src/reconstruct/reconstruct.js';
import { batchOf } from '../../src/recorder/rows.js';
import { SegmentWriter } from '../../src/store/segment-writer.js';
import { readReconstruction } from '../../src/store/span-store.js';
import { sampleHeader } from '../store/sample-events.js';
import { useTemporaryDirectories } from '../store/temporary.js';
import { capture, received, sent, type Transfer } from './decode/conversation.js';

const temporaryDirectory = useTemporaryDirectories();

const BASE_NS = 1_790_000_000_000_000_000n;
const MILLISECOND = 1_000_000;
const REQUESTS = 40;
const request = (i: number) => `GET /cart/${i} HTTP/1.1\r\nHost: cart\r\n\r\n`;
const RESPONSE = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** One end of a keep-alive connection with a request every 10 ms. */
function conversation(isClient: boolean): Transfer[] {
  return Array.from({ length: REQUESTS }, (_, i) => {
    const at = (i + 1) * 10 * MILLISECOND;
    const texts = [request(i), RESPONSE] as const;
    return isClient
      ? [sent(texts[0], at), received(texts[1], at + 4 * MILLISECOND)]
      : [received(texts[0], at + MILLISECOND), sent(texts[1], at + 3 * MILLISECOND)];
  }).flat();
}

/** A segment directory of each of two hosts that talk with each other over a few connections. */
function record(): string[] {
  return (['client-host', 'server-host'] as const).map((host, h) => {
    const directory = temporaryDirectory();
    const isClient = h === 0;
    const pid = 100 + h;
    const detail = { executable: '', command: ['node', `${host}.js`], cgroup: '', startTicks: 1 };
    const writer = SegmentWriter.open(directory, sampleHeader({ host, startNs: `${BASE_NS}` }));
    const life = { timeNs: BASE_NS, kind: EventKind.process, pid, tid: pid, name: 'node' };
    writer.append(batchOf([{ ...life, detail: JSON.stringify(detail) }]));
    for (let i = 0; i < 5; i++) {
      const [own, other] = isClient ? [40_000 + i, 8080] : [8080, 40_000 + i];
      const [sendFrom, receiveFrom] = isClient ? [1000 * i, 77 * i] : [77 * i, 1000 * i];
      const events = capture(conversation(isClient), {
        snaplen: 512,
        connection: BigInt(i + 1),
        pid,
        localPort: own,
        remotePort: other,
        sendFrom,
        receiveFrom,
      });
      writer.append({ ...events, time_ns: events.time_ns.map((time) => BASE_NS + time) });
    }
    writer.close();
    return directory;
  });
}

function filesOf(directory: string): Record<string, string> {
  const names = readdirSync(directory).sort();
  return Object.fromEntries(
    names.map((name) => [name, readFileSync(join(directory, name), 'base64')]),
  );
}

/** Each stage begins with nothing done and ends with all. */
function expectWholeProgress(told: readonly Progress[]): void {
  const stages = ['reading segments', 'decoding', 'sorting hints', 'finding causes', 'assembling'];
  expect([...new Set(told.map(({ what }) => what))]).toEqual(stages);
  for (const stage of stages) {
    const steps = told.filter(({ what }) => what === stage);
    expect(steps.map(({ done }) => done)).toEqual(steps.map((_, i) => i));
    expect(steps.at(-1)!.done).toBe(steps.at(-1)!.total);
  }
}

test('the same segments give the same bytes, however many threads and in whatever order', async () => {
  const inputs = record();
  const runs = [
    { workers: 1, inputs },
    { workers: 3, inputs: [...inputs].reverse() },
  ];
  const outputs: Record<string, string>[] = [];
  for (const run of runs) {
    const output = join(temporaryDirectory(), 'out');
    const told: Progress[] = [];
    const onProgress = (progress: Progress) => told.push(progress);
    const summary = await reconstruct({ ...run, output, minConfidence: 0.9, onProgress });
    expectWholeProgress(told);
    expect(summary.counts).toMatchObject({
      clientExchanges: 5 * REQUESTS,
      serverExchanges: 5 * REQUESTS,
      hops: 5 * REQUESTS,
      unmatched: 0,
      traces: 5 * REQUESTS,
    });
    expect(summary.services.map(({ service, host }) => [service, host])).toEqual([
      ['client-host', 'client-host'],
      ['server-host', 'server-host'],
    ]);
    outputs.push(filesOf(output));
  }
  // Nothing else is left behind, such as the files between stages.
  expect(Object.keys(outputs[0]!)).toEqual([
    'links.parquet',
    'reconstruction.json',
    'spans.parquet',
    'traces.parquet',
  ]);
  expect(outputs[1]).toEqual(outputs[0]);
});

test('a time range gives what lies in it, by the names that stand before it', async () => {
  const output = join(temporaryDirectory(), 'out');
  const fromNs = BASE_NS + BigInt(105 * MILLISECOND);
  const toNs = BASE_NS + BigInt(205 * MILLISECOND);
  await reconstruct({ inputs: record(), output, minConfidence: 0.9, workers: 1, fromNs, toNs });
  const { spans, reconstruction } = await readReconstruction(output);
  expect([reconstruction.fromNs, reconstruction.toNs]).toEqual([`${fromNs}`, `${toNs}`]);
  // Ten requests on each of five connections, both ends.
  expect(spans.rows).toBe(10 * 5 * 2);
  expect(new Set(spans.service)).toEqual(new Set(['client-host', 'server-host']));
  expect(spans.start_ns.every((start) => start >= fromNs && start < toNs)).toBe(true);
  expect(reconstruction.counts.hops).toBe(50);
});

test('an abort ends it without a result and without files left behind', async () => {
  const abort = new AbortController();
  const output = join(temporaryDirectory(), 'out');
  const onProgress = ({ what }: Progress) => {
    if (what === 'decoding') abort.abort();
  };
  const { signal } = abort;
  const inputs = record();
  const running = reconstruct({
    inputs,
    output,
    minConfidence: 0.9,
    workers: 1,
    signal,
    onProgress,
  });
  await expect(running).rejects.toMatchObject({ name: 'AbortError' });
  expect(readdirSync(output)).toEqual([]);
});
