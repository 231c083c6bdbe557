import { randomUUID } from 'node:crypto';
import type { Batch } from '../model/batch.js';
import { describeError } from '../model/errors.js';
import { LossCause } from '../model/event.js';
import type { HintName } from '../model/hints.js';
import { SegmentConverter } from '../store/convert.js';
import { recoverDirectory } from '../store/recover.js';
import { HintedProcesses } from './hints.js';
import { lockDirectory } from './lock.js';
import { LossMeter } from './loss-ledger.js';
import { readHost } from './proc.js';
import { Redactor } from './redact.js';
import { describePolicy, type RedactionPolicy } from './redaction-policy.js';
import { type RetentionLimits, retain } from './retain.js';
import { Roster } from './roster.js';
import { batchOf } from './rows.js';
import { SegmentLog } from './segment-log.js';
import type { EventSource, SourceStats } from './source.js';

export interface RecordOptions {
  readonly directory: string;
  /** Stop after this long; undefined: until aborted. */
  readonly durationMs?: number;
  readonly rotateBytes: number;
  readonly rotateMs: number;
  readonly retention: RetentionLimits;
  /** undefined stores heads as captured. */
  readonly redaction?: RedactionPolicy;
  /** Kinds of hints that processes give, by their runtime. */
  readonly hints: readonly HintName[];
  /** The capture filters in words, '' if none. */
  readonly filters: string;
  readonly statsEveryMs: number;
}

/** Totals of a recording so far. */
export interface RecordStats {
  readonly elapsedMs: number;
  readonly events: number;
  /** Rows and bytes in segments, before they are compressed. */
  readonly storedRows: number;
  readonly storedBytes: number;
  readonly dropped: SourceStats['dropped'];
  readonly openConnections: number;
  /** The open segment, '' while the disk refuses. */
  readonly segment: string;
}

export interface RecordHooks {
  /** Ends the recording: everything is flushed and closed. */
  readonly signal: AbortSignal;
  /** Recording has begun. */
  readonly onStart?: () => void;
  readonly onStats: (stats: RecordStats) => void;
  readonly onNote: (text: string) => void;
}

/** The moving parts of one recording. */
interface Recording {
  readonly options: RecordOptions;
  readonly source: EventSource;
  readonly hooks: RecordHooks;
  readonly converter: SegmentConverter;
  readonly hinted: HintedProcesses;
  readonly roster: Roster;
  readonly log: SegmentLog;
  readonly losses: LossMeter;
  readonly startMs: number;
}

function openRecording(
  options: RecordOptions,
  source: EventSource,
  hooks: RecordHooks,
  converter: SegmentConverter,
): Recording {
  const hinted = new HintedProcesses(source, options.hints);
  const roster = new Roster(hinted.read, hinted.forget);
  const { monotonicOffsetNs, snaplen } = source.info;
  const log = new SegmentLog({
    directory: options.directory,
    header: {
      ...readHost(),
      recordingId: randomUUID(),
      snaplen,
      redaction: describePolicy(options.redaction),
      filters: options.filters,
    },
    monotonicOffsetNs,
    rotateBytes: options.rotateBytes,
    rotateMs: options.rotateMs,
    describe: (timeNs) => roster.describeAll(timeNs),
    onClosed: (partPath) => {
      converter.convert(partPath).catch((error: unknown) => {
        hooks.onNote(
          `${describeError(error)} The segment stays as it is and is converted at the next start.`,
        );
      });
    },
    onNote: hooks.onNote,
  });
  const losses = new LossMeter(log.now());
  return { options, source, hooks, converter, hinted, roster, log, losses, startMs: Date.now() };
}

/** What is done with every batch: mask, describe who is new, store. */
function batchHandler({ options, source, roster, log }: Recording): (batch: Batch) => void {
  const redactor =
    options.redaction === undefined || source.info.redacted
      ? undefined
      : new Redactor(options.redaction);
  return (batch) => {
    redactor?.apply(batch);
    const fresh = roster.observe(batch);
    if (fresh.length > 0) log.write(batchOf(fresh));
    log.write(batch);
  };
}

function statsOf({ source, log, roster, startMs }: Recording): RecordStats {
  const { events, dropped } = source.stats();
  return {
    elapsedMs: Date.now() - startMs,
    events,
    storedRows: log.rows,
    storedBytes: log.bytes,
    dropped: { ...dropped, [LossCause.disk]: log.lost },
    openConnections: roster.openConnections,
    segment: log.path,
  };
}

function applyRetention({ options, hooks }: Recording): void {
  try {
    const expired = retain(options.directory, options.retention, Date.now());
    if (expired.length > 0)
      hooks.onNote(`${expired.length} old segments deleted by the retention limits`);
  } catch (error) {
    hooks.onNote(`retention could not be applied: ${describeError(error)}`);
  }
}

/** Timers of Node hold 31 bits of milliseconds, 24.8 days; longer ones would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Describes anew the processes whose TLS was found out. */
function noteTls({ source, roster, log }: Recording): void {
  const fresh = roster.learnTls(source.tls?.()?.findings ?? [], log.now());
  if (fresh.length > 0) log.write(batchOf(fresh));
}

/** Starts the clocks of a recording. @returns a function that stops them */
function startTimers(recording: Recording): () => void {
  const { options, hooks, log, source, losses } = recording;
  const everySecond = setInterval(() => {
    noteTls(recording);
    const rows = losses.read(source.stats(), log.now());
    if (rows.length > 0) log.write(batchOf(rows));
    log.tick();
  }, 1000);
  const statsEveryMs = Math.min(options.statsEveryMs, LONGEST_TIMER_MS);
  const stats = setInterval(() => hooks.onStats(statsOf(recording)), statsEveryMs);
  const retention = setInterval(() => applyRetention(recording), 10_000);
  return () => {
    clearInterval(everySecond);
    clearInterval(stats);
    clearInterval(retention);
  };
}

function untilEnd(durationMs: number | undefined, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    let timer: NodeJS.Timeout | undefined;
    const wait = (ms: number): void => {
      const next = () => (ms > LONGEST_TIMER_MS ? wait(ms - LONGEST_TIMER_MS) : resolve());
      timer = setTimeout(next, Math.min(ms, LONGEST_TIMER_MS));
    };
    if (durationMs !== undefined) wait(durationMs);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

async function recoverLeftOvers(
  directory: string,
  converter: SegmentConverter,
  onNote: (text: string) => void,
): Promise<void> {
  const report = await recoverDirectory(directory, converter);
  for (const { path, rows, tornBytes } of report.recovered) {
    onNote(`recovered ${path}: ${rows} events, ${tornBytes} torn bytes cut`);
  }
  for (const { file, reason } of report.unreadable) onNote(`${file}: left as it is: ${reason}`);
}

/**
 * Records until `hooks.signal` aborts or the duration is over, then flushes and closes
 * everything. The disk's failures do not end it; they are counted, noted and survived.
 *
 * @throws CodedError OUTPUT when the directory cannot be used or another recorder has it
 */
export async function record(
  options: RecordOptions,
  source: EventSource,
  hooks: RecordHooks,
): Promise<RecordStats> {
  const unlock = lockDirectory(options.directory);
  const converter = new SegmentConverter();
  try {
    await recoverLeftOvers(options.directory, converter, hooks.onNote);
    const recording = openRecording(options, source, hooks, converter);
    recording.log.tick();
    recording.hinted.scan();
    source.start(batchHandler(recording));
    hooks.onStart?.();
    const stopTimers = startTimers(recording);
    await untilEnd(options.durationMs, hooks.signal);
    await source.stop();
    stopTimers();
    noteTls(recording);
    const rows = recording.losses.read(source.stats(), recording.log.now());
    recording.log.write(batchOf(rows));
    const final = statsOf(recording);
    recording.log.rotate();
    await converter.close();
    applyRetention(recording);
    return final;
  } finally {
    await converter.close();
    unlock();
  }
}
