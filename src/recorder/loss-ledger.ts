import { EventKind, LossCause, type LossDetail } from '../model/event.js';
import type { Row } from './rows.js';
import type { SourceStats, StreamGap } from './source.js';

interface Loss {
  readonly cause: LossCause;
  readonly scope: string;
  count: number;
  fromNs: bigint;
  toNs: bigint;
}

/** Losses not yet written, by cause and scope. */
export class LossLedger {
  private readonly losses = new Map<string, Loss>();

  /** @param scope what was lost and where, in words */
  add(cause: LossCause, count: number, fromNs: bigint, toNs: bigint, scope: string): void {
    if (count <= 0) return;
    const key = `${cause} ${scope}`;
    const known = this.losses.get(key);
    if (known === undefined) this.losses.set(key, { cause, scope, count, fromNs, toNs });
    else {
      known.count += count;
      if (toNs > known.toNs) known.toNs = toNs;
      if (fromNs < known.fromNs) known.fromNs = fromNs;
    }
  }

  /** One loss row per cause and scope. */
  rows(): Row[] {
    return [...this.losses.values()].map(({ cause, scope, count, fromNs, toNs }) =>
      lossRow(cause, count, toNs, { fromNs: fromNs.toString(), scope }),
    );
  }

  clear(): void {
    this.losses.clear();
  }
}

/** A row of the ledger; its time is the end of the range. */
export function lossRow(cause: LossCause, count: number, toNs: bigint, detail: LossDetail): Row {
  return {
    timeNs: toNs,
    kind: EventKind.loss,
    name: cause,
    count: BigInt(count),
    detail: JSON.stringify(detail),
  };
}

const SCOPE = 'events of this host';

function gapRow({ connection, holes, bytes, fromNs, toNs }: StreamGap): Row {
  const scope = connection === 0n ? 'streams of many connections' : 'streams of one connection';
  const detail = { fromNs: fromNs.toString(), scope, bytes };
  return { ...lossRow(LossCause.sequenceGap, holes, toNs, detail), connection };
}

/** Turns the running totals of a source into what was lost since the last look. */
export class LossMeter {
  private readonly seen = new Map<string, number>();
  private lastNs: bigint;
  /** Totals of what only this meter knows. */
  readonly totals = {
    [LossCause.sequenceGap]: 0,
    [LossCause.budgetHeads]: 0,
    [LossCause.snapLength]: 0,
  };

  constructor(startNs: bigint) {
    this.lastNs = startNs;
  }

  /**
   * Rows for what was lost between the last look and `nowNs`.
   *
   * @param shortHeads true while the budget cuts heads: those that are cut then are its doing
   */
  read(stats: SourceStats, gaps: readonly StreamGap[], shortHeads: boolean, nowNs: bigint): Row[] {
    const ledger = new LossLedger();
    const add = (cause: LossCause, key: string, total: number, scope: string): number => {
      const fresh = total - (this.seen.get(key) ?? 0);
      this.seen.set(key, total);
      ledger.add(cause, fresh, this.lastNs, nowNs, scope);
      return fresh;
    };
    for (const [name, total] of Object.entries(stats.dropped) as [LossCause, number][]) {
      if (name === LossCause.payloadUnreadable) continue;
      const isHeads = name === LossCause.snapLength;
      const cause = isHeads && shortHeads ? LossCause.budgetHeads : name;
      const fresh = add(cause, name, total, isHeads ? 'message heads of this host' : SCOPE);
      if (cause === LossCause.budgetHeads || cause === LossCause.snapLength)
        this.totals[cause] += fresh;
    }
    this.addUnreadable(stats, add);
    this.lastNs = nowNs;
    for (const { holes } of gaps) this.totals[LossCause.sequenceGap] += holes;
    return [...ledger.rows(), ...gaps.map(gapRow)];
  }

  /** By call site where it is known, the rest (counted between two looks at the maps) without. */
  private addUnreadable(
    { dropped, unreadableCalls }: SourceStats,
    add: (cause: LossCause, key: string, total: number, scope: string) => number,
  ): void {
    const cause = LossCause.payloadUnreadable;
    let named = 0;
    for (const [call, total] of Object.entries(unreadableCalls)) {
      add(cause, `${cause} ${call}`, total, `payload of ${call}`);
      named += total;
    }
    add(cause, cause, dropped[cause] - named, SCOPE);
  }
}
