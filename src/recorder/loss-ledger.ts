import { EventKind, type LossCause, type LossDetail } from '../model/event.js';
import type { Row } from './rows.js';
import type { SourceStats } from './source.js';

interface Loss {
  count: number;
  fromNs: bigint;
  toNs: bigint;
}

/** Losses not yet written, by cause. */
export class LossLedger {
  private readonly losses = new Map<LossCause, Loss>();

  add(cause: LossCause, count: number, fromNs: bigint, toNs: bigint): void {
    if (count <= 0) return;
    const known = this.losses.get(cause);
    if (known === undefined) this.losses.set(cause, { count, fromNs, toNs });
    else {
      known.count += count;
      known.toNs = toNs;
    }
  }

  /** One loss row per cause. */
  rows(scope: string): Row[] {
    return [...this.losses].map(([cause, { count, fromNs, toNs }]) => {
      const detail: LossDetail = { fromNs: fromNs.toString(), scope };
      return {
        timeNs: toNs,
        kind: EventKind.loss,
        name: cause,
        count: BigInt(count),
        detail: JSON.stringify(detail),
      };
    });
  }

  clear(): void {
    this.losses.clear();
  }
}

/** Turns the running totals of a source into what was lost since the last look. */
export class LossMeter {
  private readonly seen = new Map<LossCause, number>();
  private lastNs: bigint;

  constructor(startNs: bigint) {
    this.lastNs = startNs;
  }

  /** Rows for what was lost between the last look and `nowNs`. */
  read(stats: SourceStats, nowNs: bigint): Row[] {
    const ledger = new LossLedger();
    for (const [cause, total] of Object.entries(stats.dropped) as [LossCause, number][]) {
      ledger.add(cause, total - (this.seen.get(cause) ?? 0), this.lastNs, nowNs);
      this.seen.set(cause, total);
    }
    this.lastNs = nowNs;
    return ledger.rows('events of this host');
  }
}
