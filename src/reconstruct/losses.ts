import type { LossSummary } from '../model/reconstruction.js';

/** Losses of one kind that lie closer together are told as one. */
const TOGETHER_NS = 5_000_000_000n;

function keyOf({ host, cause, scope, stepNs }: LossSummary): string {
  return JSON.stringify([host, cause, scope, stepNs]);
}

const later = (a: string, b: string) => (BigInt(a) > BigInt(b) ? a : b);

/**
 * A recorder counts every second and every connection: what goes on without a pause becomes one
 * entry, with counts and bytes summed. Order: host, then start, then cause.
 */
export function mergeLosses(losses: readonly LossSummary[]): LossSummary[] {
  const ordered = [...losses].sort((a, b) => Number(BigInt(a.fromNs) - BigInt(b.fromNs)));
  const open = new Map<string, LossSummary>();
  const merged: LossSummary[] = [];
  for (const loss of ordered) {
    const key = keyOf(loss);
    const known = open.get(key);
    const isTogether =
      known !== undefined &&
      known.stepNs === undefined &&
      BigInt(loss.fromNs) - BigInt(known.toNs) <= TOGETHER_NS;
    if (known !== undefined && !isTogether) merged.push(known);
    if (!isTogether) open.set(key, loss);
    else {
      const bytes = (known.bytes ?? 0) + (loss.bytes ?? 0);
      open.set(key, {
        ...known,
        count: known.count + loss.count,
        toNs: later(known.toNs, loss.toNs),
        ...(bytes === 0 ? {} : { bytes }),
      });
    }
  }
  return [...merged, ...open.values()].sort(
    (a, b) =>
      compare(a.host, b.host) ||
      Number(BigInt(a.fromNs) - BigInt(b.fromNs)) ||
      compare(a.cause, b.cause) ||
      compare(a.scope, b.scope),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
