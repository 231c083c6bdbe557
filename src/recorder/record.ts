import { randomUUID } from 'node:crypto';
import type { Batch } from '../model/batch.js';
import { describeError } from '../model/errors.js';
import type { HintName } from '../model/hints.js';
import type { Capture } from '../model/segment.js';
import { releaseMemory } from '../native/memory.js';
import type { Recipients } from '../store/age.js';
import { type ClosedSegment, SegmentConverter } from '../store/convert.js';
import { recoverDirectory } from '../store/recover.js';
import { Sealer } from '../store/sealer.js';
import type { BudgetLimits } from './budget.js';
import { ClockWatch } from './clock-watch.js';
import { HintedProcesses } from './hints.js';
import { type DirectoryLock, lockDirectory } from './lock.js';
import { readHost } from './proc.js';
import { type LossTotals, Pulse } from './pulse.js';
import { Redactor } from './redact.js';
import { describePolicy, type RedactionPolicy } from './redaction-policy.js';
import { type RetentionLimits, retain } from './retain.js';
import { Roster } from './roster.js';
import { batchOf } from './rows.js';
import { SegmentLog } from './segment-log.js';
import type { EventSource } from './source.js';

/** What may change while recording. */
export interface Adjustable {
  readonly rotateBytes: number;
  readonly rotateMs: number;
  readonly retention: RetentionLimits;
  readonly statsEveryMs: number;
  /** What recording may cost. */
  readonly budget?: BudgetLimits;
}

export interface RecordOptions extends Adjustable {
  readonly directory: string;
  /** Stop after this long; undefined: until aborted. */
  readonly durationMs?: number;
  /** undefined stores heads as captured. */
  readonly redaction?: RedactionPolicy;
  /** Who may read the segments; undefined: they are not encrypted. */
  readonly recipients?: Recipients;
  /** Kinds of hints that processes give, by their runtime. */
  readonly hints: readonly HintName[];
  /** The capture filters in words, '' if none. */
  readonly filters: string;
}

/** Totals of a recording so far. */
export interface RecordStats {
  readonly elapsedMs: number;
  readonly capture: Capture;
  readonly events: number;
  /** Rows and bytes in segments, before they are compressed. */
  readonly storedRows: number;
  readonly storedBytes: number;
  /** Records that the kernel programs made. */
  readonly produced: number;
  readonly dropped: LossTotals;
  /** Events that wait in memory for the disk. */
  readonly waiting: number;
  readonly openConnections: number;
  /** Name of the budget's step, and how many steps down it is. */
  readonly budget: string;
  readonly level: number;
  /** Of the last second: share of one processor, of the recorder and its kernel programs. */
  readonly cpuShare: number;
  /** The open segment, '' while the disk refuses. */
  readonly segment: string;
}

/** What can be done with a recording under way. */
export interface RecordControl {
  stats(): RecordStats;
  /** Closes the open segment and begins another. */
  rotate(): void;
  configure(options: Adjustable): void;
}

export interface RecordHooks {
  /** Ends the recording: everything is flushed and closed. */
  readonly signal: AbortSignal;
  /** Recording has begun. */
  readonly onStart?: (control: RecordControl) => void;
  readonly onStats: (stats: RecordStats) => void;
  readonly onNote: (text: string) => void;
  /** A segment was closed: its SHA-256 is worth keeping elsewhere. */
  readonly onClosed?: (segment: ClosedSegment) => void;
}

/** The moving parts of one recording. */
interface Recording {
  readonly options: RecordOptions;
  adjustable: Adjustable;
  readonly lock: DirectoryLock;
  readonly source: EventSource;
  readonly hooks: RecordHooks;
  readonly converter: SegmentConverter;
  readonly hinted: HintedProcesses;
  readonly roster: Roster;
  readonly log: SegmentLog;
  readonly pulse: Pulse;
  readonly startMs: number;
}

function openRecording(
  options: RecordOptions,
  source: EventSource,
  hooks: RecordHooks,
  converter: SegmentConverter,
  lock: DirectoryLock,
  sealer: Sealer | undefined,
): Recording {
  const hinted = new HintedProcesses(source, options.hints);
  const roster = new Roster(hinted.read, hinted.forget);
  const { monotonicOffsetNs, capture, snaplen } = source.info;
  const clocks = new ClockWatch(monotonicOffsetNs);
  const log = new SegmentLog({
    directory: options.directory,
    header: {
      ...readHost(),
      recordingId: randomUUID(),
      capture,
      snaplen,
      redaction: describePolicy(options.redaction),
      filters: options.filters,
    },
    monotonicOffsetNs,
    rotateBytes: options.rotateBytes,
    rotateMs: options.rotateMs,
    clockRow: () => clocks.pair(source.clocks()),
    describe: (timeNs) => [...pulse.describe(timeNs), ...roster.describeAll(timeNs)],
    ...(sealer === undefined ? {} : { seal: () => sealer.take() }),
    onClosed: (partPath, envelope) => {
      releaseMemory();
      const closed = converter.convert(partPath, envelope).finally(releaseMemory);
      closed.then(hooks.onClosed, (error: unknown) => {
        hooks.onNote(
          `${describeError(error)} The segment stays as it is and is converted at the next start.`,
        );
      });
    },
    onNote: hooks.onNote,
  });
  const openConnections = () => roster.openConnections;
  const { onNote } = hooks;
  const limits = options.budget ?? {};
  const pulse: Pulse = new Pulse({ source, log, clocks, limits, openConnections, onNote });
  const startMs = Date.now();
  const adjustable = options;
  const shared = { options, adjustable, lock, source, hooks, converter };
  return { ...shared, hinted, roster, log, pulse, startMs };
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

function statsOf({ source, log, roster, pulse, startMs }: Recording): RecordStats {
  const stats = source.stats();
  return {
    elapsedMs: Date.now() - startMs,
    capture: source.info.capture,
    events: stats.events,
    storedRows: log.rows,
    storedBytes: log.bytes,
    produced: stats.produced,
    dropped: pulse.totals(stats),
    waiting: log.waiting,
    openConnections: roster.openConnections,
    budget: pulse.budget.step.name,
    level: pulse.budget.level,
    cpuShare: pulse.cost?.cpuShare ?? 0,
    segment: log.path,
  };
}

function applyRetention({ options, adjustable, hooks, log }: Recording): void {
  const { directory } = options;
  try {
    const { expired, isStarved } = retain(directory, adjustable.retention, Date.now());
    if (expired.length > 0)
      hooks.onNote(`${expired.length} old segments deleted by the retention limits`);
    log.hold(
      isStarved
        ? `${directory}: less of the disk is free than --min-free asks for, and no old segment is left to delete.`
        : undefined,
    );
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

/** Starts the clocks of a recording. @returns how to stop them, and to start the statistics anew */
function startTimers(recording: Recording): { stop: () => void; restartStats: () => void } {
  const { hooks } = recording;
  const startStats = () => {
    const everyMs = Math.min(recording.adjustable.statsEveryMs, LONGEST_TIMER_MS);
    return setInterval(() => hooks.onStats(statsOf(recording)), everyMs);
  };
  let stats = startStats();
  const retention = setInterval(() => {
    recording.lock.renew();
    applyRetention(recording);
  }, 10_000);
  return {
    stop: () => {
      clearInterval(stats);
      clearInterval(retention);
    },
    restartStats: () => {
      clearInterval(stats);
      stats = startStats();
    },
  };
}

function controlOf(recording: Recording, restartStats: () => void): RecordControl {
  const { log, pulse } = recording;
  return {
    stats: () => statsOf(recording),
    rotate: () => {
      log.rotate();
      log.tick();
    },
    configure: (options) => {
      recording.adjustable = options;
      log.configure(options);
      pulse.budget.configure(options.budget ?? {});
      restartStats();
      applyRetention(recording);
    },
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
    onNote(
      rows === undefined
        ? `recovered ${path}: encrypted, kept as it is`
        : `recovered ${path}: ${rows} events, ${tornBytes} torn bytes cut`,
    );
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
  const lock = lockDirectory(options.directory);
  const converter = new SegmentConverter(options.recipients);
  try {
    const sealer = options.recipients && (await Sealer.open(options.recipients));
    await recoverLeftOvers(options.directory, converter, hooks.onNote);
    const recording = openRecording(options, source, hooks, converter, lock, sealer);
    const { log, pulse } = recording;
    applyRetention(recording);
    log.tick();
    recording.hinted.scan();
    source.start(batchHandler(recording), () => {
      noteTls(recording);
      pulse.tick();
    });
    const timers = startTimers(recording);
    releaseMemory();
    hooks.onStart?.(controlOf(recording, timers.restartStats));
    await untilEnd(options.durationMs, hooks.signal);
    await source.stop();
    noteTls(recording);
    timers.stop();
    pulse.finish();
    log.finish();
    const final = statsOf(recording);
    await converter.close();
    applyRetention(recording);
    return final;
  } finally {
    await converter.close();
    lock.release();
  }
}
