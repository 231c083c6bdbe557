import { readdirSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { EventKind } from '../../src/model/event.js';
import { openSegment } from '../../src/store/segment-reader.js';
import { describeLive } from '../bpf/live.js';
import { expectOneError, runCli } from '../cli/run-cli.js';
import { useTemporaryDirectories } from '../store/temporary.js';
import { kernelEvents, lastMs, seconds, useLiveRecorders } from './live-recorder.js';
import { ofKind, segmentPaths } from './read-rows.js';

const temporaryDirectory = useTemporaryDirectories();
const start = useLiveRecorders();

/** The claim is one second; the margin is for a machine that is busy with other tests. */
const MOST_LOST_MS = 1500;

describeLive('the recorder as a process', () => {
  test('a second recorder on its directory is refused in one line; the first goes on to its end', async () => {
    const directory = temporaryDirectory();
    const load = await start.load();
    const { child, result } = await start.recorder(directory, load.port);
    const refused = await runCli(['record', '--out', directory, '--duration', '1s']);
    expectOneError(refused, 1, `${directory}: is in use by the recorder with pid ${child.pid}`);
    const before = load.answered();
    await vi.waitFor(() => expect(load.answered()).toBeGreaterThan(before + 100), 30_000);
    child.kill('SIGINT');
    expect((await result).code).toBe(130);
    expect((await kernelEvents(directory)).length).toBeGreaterThan(100);
  });

  test('kill -9 loses at most the last second; the files read, and the next start closes them', async () => {
    const directory = temporaryDirectory();
    const load = await start.load();
    // Small segments, so that one is open and others are being closed when the end comes.
    const { child, result } = await start.recorder(directory, load.port, [
      '--rotate-size',
      '64KiB',
    ]);
    const before = load.answered();
    await seconds(1);
    const answered = load.answered() - before;
    await seconds(1.5);
    const openPaths = () => segmentPaths(directory).filter((path) => path.endsWith('.part'));
    // A batch may fill a whole segment, and then the next one begins with the next batch.
    await vi.waitFor(() => expect(openPaths().length).toBeGreaterThan(0), 2000);
    const killedMs = Date.now();
    child.kill('SIGKILL');
    expect((await result).code).toBe(null);

    const open = openPaths();
    expect(open.length).toBeGreaterThan(0);
    expect(segmentPaths(directory).length).toBeGreaterThan(open.length);
    for (const path of segmentPaths(directory)) (await openSegment(path)).close();
    const events = await kernelEvents(directory);
    expect(lastMs(events)).toBeGreaterThan(killedMs - MOST_LOST_MS);
    expect(lastMs(events)).toBeLessThanOrEqual(killedMs + 50);
    // Request and response of all but the few that were under way when recording began.
    expect(answered).toBeGreaterThan(20);
    expect(ofKind(events, EventKind.send).length).toBeGreaterThan(2 * (answered - 10));

    const inspected = await runCli(['inspect', directory]);
    expect(inspected).toMatchObject({ code: 0 });
    expect(inspected.stdout).toContain('(open or crashed)');
    const out = temporaryDirectory();
    const reconstructed = await runCli(['reconstruct', directory, '--out', out, '--json']);
    expect(reconstructed).toMatchObject({ code: 0 });
    const { counts } = JSON.parse(reconstructed.stdout);
    expect(counts.hops).toBeGreaterThan(100);

    const again = await start.recorder(directory, load.port);
    await again.says('events, ');
    await seconds(0.5);
    again.child.kill('SIGINT');
    const { code, stderr } = await again.result;
    expect(code).toBe(130);
    for (const path of open)
      expect(stderr).toContain(`recovered ${path.replace('.part', '.parquet')}`);
    const visible = readdirSync(directory).filter((name) => !name.startsWith('.'));
    expect(visible.every((name) => name.endsWith('.parquet'))).toBe(true);
    const kept = await kernelEvents(directory);
    expect(kept.length).toBeGreaterThan(events.length);
    const between = await runCli(['inspect', directory]);
    expect(between.stderr.match(/: no recorder ran from .* to .*\./g)).toHaveLength(1);
  }, 120_000);

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    '%s stores everything up to the stop, closes the segment and ends with %d',
    async (signal, code) => {
      const directory = temporaryDirectory();
      const load = await start.load();
      const { child, result } = await start.recorder(directory, load.port);
      await seconds(1.5);
      const stoppedMs = Date.now();
      child.kill(signal);
      const ended = await result;
      expect(ended).toMatchObject({ code, stdout: '' });
      expect(ended.stderr).toMatch(/\nrecorded \d+ s · [\d,]+ events .* lost nothing\n$/);
      expect(readdirSync(directory)).toEqual([
        '.aftertrace.head',
        expect.stringMatching(/-000001\.parquet$/),
      ]);
      const events = await kernelEvents(directory);
      expect(lastMs(events)).toBeGreaterThan(stoppedMs - 100);
      expect(load.answered()).toBeGreaterThan(100);
    },
  );
});
