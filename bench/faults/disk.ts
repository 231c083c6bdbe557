import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildTraffic } from '../recorder/tight-loop.js';
import { startRecorder } from './recorder.js';
import { startService } from './service.js';
import { checkAccount, checkFiles, readTape } from './tape.js';
import type { Verdicts } from './verdicts.js';

/** Heads of this many bytes and more, as many as fill the disk and the memory that waits for it. */
const FLOOD_ROUNDS = 15_000;

/** A disk of some megabytes, in memory; unmounted at the end. */
async function onSmallDisk(path: string, action: () => Promise<void>): Promise<void> {
  mkdirSync(path);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', path]);
  try {
    await action();
  } finally {
    execFileSync('umount', [path]);
  }
}

const enlarge = (path: string) => execFileSync('mount', ['-o', 'remount,size=512m', path]);

/** The disk fills up while much is recorded, and has room again later. */
export async function diskFull(verdicts: Verdicts, directory: string): Promise<void> {
  const what = 'disk full';
  const tape = join(directory, 'small-disk');
  const traffic = buildTraffic();
  try {
    await onSmallDisk(tape, async () => {
      const service = await startService();
      const recorder = await startRecorder(tape, ['--rotate-size', '1MiB', '--min-free', '0%']);
      await traffic.start('big-head', FLOOD_ROUNDS);
      await recorder.says('the disk is full');
      await sleep(2000);
      enlarge(tape);
      await recorder.says('the disk takes data again');
      await sleep(1000);
      await recorder.end('SIGTERM');
      await service.stop(verdicts, what);
      const read = await readTape(tape);
      verdicts.check(
        what,
        (read.losses.disk ?? 0) > 0,
        'noticed, and noticed when it had room again',
      );
      checkAccount(verdicts, what, read);
      await checkFiles(verdicts, what, tape, read);
    });
  } finally {
    traffic.remove();
  }
}

/** The recorder is killed while the disk is full, and starts again when it has room. */
export async function killedOnFullDisk(verdicts: Verdicts, directory: string): Promise<void> {
  const what = 'kill while the disk is full';
  const tape = join(directory, 'killed-disk');
  const traffic = buildTraffic();
  try {
    await onSmallDisk(tape, async () => {
      const service = await startService();
      const recorder = await startRecorder(tape, ['--rotate-size', '1MiB', '--min-free', '0%']);
      await traffic.start('big-head', FLOOD_ROUNDS);
      await recorder.says('the disk is full');
      await recorder.end('SIGKILL');
      const left = await readTape(tape);
      verdicts.check(
        what,
        left.unreadable === 0 && left.events > 0,
        `${left.segments} segments, ${left.unreadable} unreadable, ${left.events} events`,
      );
      enlarge(tape);
      const again = await startRecorder(tape);
      await again.end('SIGTERM');
      await service.stop(verdicts, what);
      const read = await readTape(tape);
      verdicts.check(
        `${what}: mended at the next start`,
        read.open === 0 && read.events >= left.events,
        `${read.open} left open, ${read.events} events`,
      );
      await checkFiles(verdicts, what, tape, read);
    });
  } finally {
    traffic.remove();
  }
}

/** Somebody removes the directory with the open segment in it. */
export async function directoryRemoved(verdicts: Verdicts, directory: string): Promise<void> {
  const what = 'directory removed';
  const tape = join(directory, 'removed');
  const service = await startService();
  const recorder = await startRecorder(tape);
  await sleep(3000);
  rmSync(tape, { recursive: true });
  await recorder.says('the disk takes data again');
  await sleep(3000);
  await recorder.end('SIGTERM');
  await service.stop(verdicts, what);
  const read = await readTape(tape);
  verdicts.check(what, (read.losses.disk ?? 0) > 0, 'noticed, and made anew');
  checkAccount(verdicts, what, read);
  await checkFiles(verdicts, what, tape, read);
}
