import { copyFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { EventKind } from '../../src/model/event.js';
import { redactionPolicy } from '../../src/recorder/redaction-policy.js';
import { openSegment } from '../../src/store/segment-reader.js';
import { SegmentWriter } from '../../src/store/segment-writer.js';
import { bytesColumn, sampleBatch, sampleHeader } from '../store/sample-events.js';
import { useTemporaryDirectories } from '../store/temporary.js';
import { startFakeRecording } from './fake-source.js';
import { ofKind, readAllRows, readRows, segmentPaths } from './read-rows.js';

const temporaryDirectory = useTemporaryDirectories();

/** What a recorder leaves that was killed in the middle of a write. */
function leaveTornSegment(directory: string): string {
  const writer = SegmentWriter.open(temporaryDirectory(), sampleHeader());
  writer.append(sampleBatch(300));
  const last = writer.append(sampleBatch(200, 2));
  // A copy, because a segment that a process still has open for writing is left alone.
  const left = join(directory, basename(writer.path));
  copyFileSync(writer.path, left);
  truncateSync(left, writer.bytes - Math.floor(last / 2));
  writer.close();
  return left;
}

test('a segment left by a killed recorder is closed at the next start, up to its last whole batch', async () => {
  const directory = temporaryDirectory();
  const left = leaveTornSegment(directory);
  const { notes, stop } = await startFakeRecording(directory);
  const closed = left.replace('.part', '.parquet');
  expect(notes).toHaveLength(1);
  expect(notes[0]).toContain(`recovered ${closed}: 300 events, `);
  expect(readdirSync(directory)).not.toContain(basename(left));
  expect(await readRows(closed)).toHaveLength(300);
  await stop();
  expect(segmentPaths(directory)).toHaveLength(2);
});

test('a left-over that cannot be read is named and left, and does not stop the recording', async () => {
  const directory = temporaryDirectory();
  const foreign = join(directory, 'foreign.part');
  writeFileSync(foreign, 'no segment');
  const { notes, source, stop } = await startFakeRecording(directory);
  expect(notes).toEqual([expect.stringContaining(`${foreign}: left as it is: `)]);
  source.deliverSample(10);
  await stop();
  expect(readdirSync(directory).filter((name) => name.endsWith('.parquet'))).toHaveLength(1);
  expect(readdirSync(directory)).toContain('foreign.part');
});

test('the open segment is readable while the recording runs', async () => {
  const directory = temporaryDirectory();
  const { source, stop } = await startFakeRecording(directory);
  source.deliverSample(128);
  const [open = ''] = segmentPaths(directory);
  expect(open).toMatch(/\.part$/);
  expect((await readRows(open)).length).toBeGreaterThanOrEqual(128);
  await stop();
});

test('stopping stores what was still in the ring, then closes everything', async () => {
  const directory = temporaryDirectory();
  const { source, stop } = await startFakeRecording(directory);
  source.deliverAtStop(sampleBatch(50));
  const final = await stop();
  expect(source.isStopped).toBe(true);
  expect(final.events).toBe(50);
  const rows = await readAllRows(directory);
  expect(rows.filter(({ kind }) => kind < EventKind.process)).toHaveLength(50);
  expect(readdirSync(directory)).toEqual(['.aftertrace.head', expect.stringMatching(/\.parquet$/)]);
});

test('a duration ends the recording by itself', async () => {
  const { ended } = await startFakeRecording(temporaryDirectory(), { durationMs: 200 });
  const { elapsedMs } = await ended;
  expect(elapsedMs).toBeGreaterThanOrEqual(195);
  expect(elapsedMs).toBeLessThan(2000);
});

test('a duration of weeks does not end at once: timers of Node hold 24.8 days at most', async () => {
  const month = 30 * 86_400_000;
  const changes = { durationMs: month, statsEveryMs: month };
  const recording = await startFakeRecording(temporaryDirectory(), changes);
  await sleep(100);
  expect(recording.source.isStopped).toBe(false);
  expect(recording.stats).toEqual([]);
  await recording.stop();
  expect(recording.source.isStopped).toBe(true);
});

test('statistics tell events, rows stored, open connections and the open segment', async () => {
  const directory = temporaryDirectory();
  const recording = await startFakeRecording(directory, { statsEveryMs: 50 });
  recording.source.deliverSample(100);
  await sleep(120);
  const [first] = recording.stats;
  expect(first).toMatchObject({
    events: 100,
    openConnections: 1,
    segment: segmentPaths(directory)[0],
  });
  expect(first?.storedRows).toBeGreaterThan(100);
  await recording.stop();
});

test('secrets are masked before they reach the disk, the open segment included', async () => {
  const directory = temporaryDirectory();
  const redaction = redactionPolicy([], []);
  const { source, stop } = await startFakeRecording(directory, { redaction });
  const head = 'GET /?token=s3cr3t-value HTTP/1.1\r\nCookie: s3cr3t-value\r\n\r\n';
  const batch = sampleBatch(3);
  source.deliver({ ...batch, payload: bytesColumn(['', head, '']) });
  const open = ofKind(await readRows(segmentPaths(directory)[0] ?? ''), EventKind.send);
  expect(open[0]?.payload).toContain('GET /?token=');
  expect(open[0]?.payload).not.toContain('s3cr3t');
  await stop();
  const segment = await openSegment(segmentPaths(directory)[0] ?? '');
  expect(segment.header.redaction).not.toBe('');
  segment.close();
});
