// A recording without a kernel: the source is played by the test, everything behind it is real.
import { LossCause } from '../../src/model/event.js';
import { wallNowNs } from '../../src/recorder/proc.js';
import { type RecordOptions, type RecordStats, record } from '../../src/recorder/record.js';
import type {
  ClockReading,
  EventSource,
  SourceInfo,
  SourceLoss,
  SourceStats,
  StreamGap,
  Throttle,
} from '../../src/recorder/source.js';
import { sampleBatch } from '../store/sample-events.js';

type Deliver = Parameters<EventSource['start']>[0];

export class FakeSource implements EventSource {
  readonly info: SourceInfo = {
    monotonicOffsetNs: wallNowNs() - process.hrtime.bigint(),
    capture: 'socket',
    snaplen: 1024,
    ringBytes: 65_536,
    redacted: false,
  };
  /** Totals since the start, as the kernel counts them. */
  readonly dropped: Record<SourceLoss, number> = {
    [LossCause.ringFull]: 0,
    [LossCause.recursion]: 0,
    [LossCause.refused]: 0,
    [LossCause.backpressure]: 0,
    [LossCause.payloadUnreadable]: 0,
    [LossCause.socketState]: 0,
    [LossCause.unknownSocket]: 0,
    [LossCause.snapLength]: 0,
    [LossCause.budgetSample]: 0,
    [LossCause.tlsUnjoined]: 0,
  };
  readonly unreadableCalls: Record<string, number> = {};
  /** Handed over at the next look. */
  readonly gaps: StreamGap[] = [];
  /** What the recorder asked for, in order. */
  readonly throttled: Throttle[] = [];
  /** By how much the wall clock was set, and how long the host slept, since the start. */
  wallStepNs = 0n;
  sleptNs = 0n;
  readonly started: Promise<void>;
  isStopped = false;
  /** Delivered by stop(), as the real source delivers what is still in the ring. */
  private readonly last: Parameters<Deliver>[0][] = [];
  private events = 0;
  private callback: Deliver | undefined;
  private beat: NodeJS.Timeout | undefined;
  private markStarted: () => void = () => {};

  constructor() {
    this.started = new Promise((resolve) => {
      this.markStarted = resolve;
    });
  }

  start(onBatch: Deliver, onBeat: () => void): void {
    this.callback = onBatch;
    this.beat = setInterval(onBeat, 1000);
    this.markStarted();
  }

  deliver(batch: Parameters<Deliver>[0]): void {
    if (this.callback === undefined) throw new Error('the recording has not started');
    this.events += batch.rows;
    this.callback(batch);
  }

  /** Delivers `rows` sample events that happen now. */
  deliverSample(rows: number, seed = 1): void {
    this.deliver(sampleBatch(rows, seed, wallNowNs()));
  }

  deliverAtStop(batch: Parameters<Deliver>[0]): void {
    this.last.push(batch);
  }

  stats(): SourceStats {
    const { ringFull, refused, backpressure } = LossCause;
    const missing = this.dropped[ringFull] + this.dropped[refused] + this.dropped[backpressure];
    return {
      produced: this.events + missing,
      events: this.events,
      dropped: { ...this.dropped },
      unreadableCalls: { ...this.unreadableCalls },
      ringUsedBytes: 0,
      batches: 0,
      queuedBatches: 0,
      runTimeNs: 0,
    };
  }

  takeGaps(): StreamGap[] {
    return this.gaps.splice(0);
  }

  clocks(): ClockReading {
    const wallOffsetNs = this.info.monotonicOffsetNs + this.wallStepNs + this.sleptNs;
    return { monotonicNs: process.hrtime.bigint(), wallOffsetNs, bootOffsetNs: this.sleptNs };
  }

  throttle(knobs: Throttle): void {
    this.throttled.push(knobs);
  }
  setHints() {
    return {};
  }

  pauseHints(): void {}

  async stop(): Promise<void> {
    for (const batch of this.last.splice(0)) this.deliver(batch);
    clearInterval(this.beat);
    this.isStopped = true;
  }
}

export interface FakeRecording {
  readonly source: FakeSource;
  /** What the operator was told. */
  readonly notes: string[];
  readonly stats: RecordStats[];
  /** Resolves when the recording has ended by itself. */
  readonly ended: Promise<RecordStats>;
  stop(): Promise<RecordStats>;
}

/** Records from a fake source into `directory`; nothing rotates or expires unless asked. */
export async function startFakeRecording(
  directory: string,
  changes: Partial<RecordOptions> = {},
): Promise<FakeRecording> {
  const source = new FakeSource();
  const controller = new AbortController();
  const notes: string[] = [];
  const stats: RecordStats[] = [];
  const options: RecordOptions = {
    directory,
    rotateBytes: 1 << 30,
    rotateMs: 3_600_000,
    retention: {},
    hints: [],
    filters: '',
    statsEveryMs: 3_600_000,
    ...changes,
  };
  const ended = record(options, source, {
    signal: controller.signal,
    onStats: (now) => stats.push(now),
    onNote: (text) => notes.push(text),
  });
  // A recording that cannot start rejects; one that can must have started.
  await Promise.race([source.started, ended]);
  const stop = () => {
    controller.abort();
    return ended;
  };
  return { source, notes, stats, ended, stop };
}
