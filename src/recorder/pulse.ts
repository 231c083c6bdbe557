import { type CountedCause, EventKind, type HeartbeatDetail, LossCause } from '../model/event.js';
import { Budget, type BudgetLimits } from './budget.js';
import type { ClockWatch } from './clock-watch.js';
import { type Cost, CostMeter } from './cost.js';
import { Heartbeat } from './heartbeat.js';
import { LossMeter } from './loss-ledger.js';
import type { Row } from './rows.js';
import type { SegmentLog } from './segment-log.js';
import type { EventSource, SourceStats } from './source.js';

/** Totals of a recording's losses, all causes. */
export type LossTotals = Readonly<Record<CountedCause, number>>;

export interface PulseOptions {
  readonly source: EventSource;
  readonly log: SegmentLog;
  readonly clocks: ClockWatch;
  readonly limits: BudgetLimits;
  readonly openConnections: () => number;
  readonly onNote: (text: string) => void;
}

/**
 * What the recorder does once a second beside recording: it writes down what was lost, how the
 * clocks stand and that it lives, and keeps its budget.
 */
export class Pulse {
  readonly budget: Budget;
  private readonly losses: LossMeter;
  private readonly heart = new Heartbeat();
  private readonly perSecond: CostMeter;
  private readonly perBeat: CostMeter;
  /** The last second's cost. */
  cost: Cost | undefined;

  constructor(private readonly options: PulseOptions) {
    const { source, log, limits } = options;
    this.budget = new Budget(limits, source.info.snaplen);
    this.losses = new LossMeter(log.now());
    this.perSecond = new CostMeter(source.stats());
    this.perBeat = new CostMeter(source.stats());
  }

  /** One beat. */
  tick(): void {
    const { source, log, clocks } = this.options;
    const stats = source.stats();
    const nowNs = log.now();
    log.note([
      ...clocks.look(source.clocks()),
      ...this.lossRows(stats, nowNs),
      ...this.heart.look(performance.now(), nowNs, () => this.heartbeat(stats)),
    ]);
    this.cost = this.perSecond.read(stats, log.bytes);
    if (this.budget.weigh(this.cost)) this.step(nowNs);
    log.tick();
  }

  /** The last beat, when the source has delivered everything. */
  finish(): void {
    const { source, log } = this.options;
    const stats = source.stats();
    const nowNs = log.now();
    log.note([
      ...this.lossRows(stats, nowNs),
      this.heart.beat(performance.now(), nowNs, this.heartbeat(stats)),
    ]);
  }

  /** What every segment should say of the budget: nothing while it leaves nothing out. */
  describe(timeNs: bigint): Row[] {
    return this.budget.level === 0 ? [] : [this.budgetRow(timeNs)];
  }

  /** Totals of all causes so far. */
  totals(stats: SourceStats): LossTotals {
    const { dropped } = stats;
    return {
      ...dropped,
      ...this.losses.totals,
      ...this.options.clocks.totals,
      [LossCause.disk]: this.options.log.lost,
      [LossCause.stall]: this.heart.stalls,
    };
  }

  private lossRows(stats: SourceStats, nowNs: bigint): Row[] {
    const { source } = this.options;
    const shortHeads = this.budget.step.headLimit < source.info.snaplen;
    return this.losses.read(stats, source.takeGaps(), shortHeads, nowNs);
  }

  private step(nowNs: bigint): void {
    const { source, log, onNote } = this.options;
    const { step, detail } = this.budget;
    source.throttle(step);
    source.pauseHints(step.hintsPaused);
    log.note([this.budgetRow(nowNs)]);
    onNote(`budget: ${detail.reason}: now at step ${detail.level}, ${step.name}`);
  }

  private budgetRow(timeNs: bigint): Row {
    const detail = JSON.stringify(this.budget.detail);
    return { timeNs, kind: EventKind.budget, name: this.budget.step.name, detail };
  }

  private heartbeat(stats: SourceStats): HeartbeatDetail {
    const { log, openConnections } = this.options;
    const { cpuShare, eventsPerSecond } = this.perBeat.read(stats, log.bytes);
    const { dropped } = stats;
    return {
      produced: stats.produced,
      stored: stats.events - log.lost,
      lost: {
        [LossCause.ringFull]: dropped[LossCause.ringFull],
        [LossCause.refused]: dropped[LossCause.refused],
        [LossCause.backpressure]: dropped[LossCause.backpressure],
        [LossCause.disk]: log.lost,
      },
      repeated: log.repeated,
      ringUsedBytes: stats.ringUsedBytes,
      queuedBatches: stats.queuedBatches,
      openConnections: openConnections(),
      rssBytes: process.memoryUsage.rss(),
      cpuShare: Number(cpuShare.toFixed(5)),
      eventsPerSecond: Math.round(eventsPerSecond),
    };
  }
}
