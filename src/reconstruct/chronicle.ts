import { EventKind, LossCause, STALL_MS } from '../model/event.js';
import type { BudgetSummary, LossSummary } from '../model/reconstruction.js';
import type { ChronicleEvent, ShardOutput } from './tasks.js';
import { type ClockPair, wallClock } from './wall-clock.js';

/** What the recorder of one host said of itself: how its clocks stood, what its budget left out. */
export interface Chronicle {
  /** Epoch ns -> what the wall clock said then, minus that time. */
  readonly correction: (timeNs: bigint) => bigint;
  readonly isStepped: boolean;
  /** Stretches in which the budget left something out, in order of time. */
  readonly budget: readonly BudgetSummary[];
  /** Silences of the recorder that it did not notice itself. */
  readonly stalls: readonly LossSummary[];
}

function parseBudget(
  detail: string,
): Pick<BudgetSummary, 'level' | 'sampleLimit' | 'reason'> | undefined {
  try {
    const { level, sampleLimit, reason } = JSON.parse(detail) as Record<string, unknown>;
    if (typeof level !== 'number' || typeof sampleLimit !== 'number') return undefined;
    return { level, sampleLimit, reason: String(reason ?? '') };
  } catch {
    return undefined;
  }
}

/** One recording's budget: each row holds until the next, the last until the recording ends. */
function budgetOf(host: string, events: readonly ChronicleEvent[], endNs: bigint): BudgetSummary[] {
  const rows = events.filter(({ kind }) => kind === EventKind.budget);
  const periods: BudgetSummary[] = [];
  for (const [i, row] of rows.entries()) {
    const state = parseBudget(row.detail);
    const toNs = rows[i + 1]?.timeNs ?? endNs.toString();
    const last = periods.at(-1);
    if (state === undefined || state.level === 0) continue;
    // A segment begins with where the budget stands: that is no step.
    if (last !== undefined && last.step === row.name && last.toNs === row.timeNs) {
      periods[periods.length - 1] = { ...last, toNs };
    } else periods.push({ host, step: row.name, ...state, fromNs: row.timeNs, toNs });
  }
  return periods;
}

function stallsOf(host: string, events: readonly ChronicleEvent[]): LossSummary[] {
  const beats = events.filter(({ kind }) => kind === EventKind.heartbeat);
  const stalls: LossSummary[] = [];
  for (const [i, beat] of beats.entries()) {
    const before = beats[i - 1];
    if (before === undefined) continue;
    const silentMs = Number(BigInt(beat.timeNs) - BigInt(before.timeNs)) / 1e6;
    if (silentMs <= STALL_MS) continue;
    const scope = 'no heartbeat of the recorder';
    const range = { fromNs: before.timeNs, toNs: beat.timeNs };
    stalls.push({ host, cause: LossCause.stall, count: 1, ...range, scope });
  }
  return stalls;
}

function pairsOf(events: readonly ChronicleEvent[]): ClockPair[] {
  return events
    .filter(({ kind }) => kind === EventKind.clock)
    .map(({ timeNs, wallNs }) => ({ timeNs: BigInt(timeNs), wallNs: BigInt(wallNs) }));
}

function byTime(a: ChronicleEvent, b: ChronicleEvent): number {
  return Number(BigInt(a.timeNs) - BigInt(b.timeNs));
}

/** Stalls that the recorder itself wrote down are not told twice. */
function isTold(stall: LossSummary, losses: readonly LossSummary[]): boolean {
  return losses.some(
    ({ cause, fromNs, toNs }) =>
      cause === LossCause.stall &&
      BigInt(fromNs) < BigInt(stall.toNs) &&
      BigInt(toNs) > BigInt(stall.fromNs),
  );
}

/** The chronicle of one host, from its shards. */
export function readChronicle(host: string, shards: readonly ShardOutput[]): Chronicle {
  const recordings = new Map<string, ShardOutput[]>();
  for (const shard of shards) {
    const list = recordings.get(shard.recordingId);
    if (list === undefined) recordings.set(shard.recordingId, [shard]);
    else list.push(shard);
  }
  const pairs: ClockPair[] = [];
  const budget: BudgetSummary[] = [];
  const stalls: LossSummary[] = [];
  for (const outputs of recordings.values()) {
    const events = outputs.flatMap(({ chronicle }) => chronicle).sort(byTime);
    const ends = outputs.map(({ summary }) => BigInt(summary.toNs));
    const losses = outputs.flatMap((output) => output.losses);
    pairs.push(...pairsOf(events));
    budget.push(
      ...budgetOf(
        host,
        events,
        ends.reduce((a, b) => (a > b ? a : b)),
      ),
    );
    stalls.push(...stallsOf(host, events).filter((stall) => !isTold(stall, losses)));
  }
  return { ...wallClock(pairs), budget, stalls };
}
