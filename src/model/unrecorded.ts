/** What a segment covers, epoch ns. */
export interface Recorded {
  readonly host: string;
  readonly recordingId: string;
  readonly fromNs: bigint;
  readonly toNs: bigint;
}

/** No recorder ran on the host, epoch ns. */
export interface Unrecorded {
  readonly host: string;
  readonly fromNs: bigint;
  readonly toNs: bigint;
}

/** A recording from its first moment to its last: silence within it is told by its heartbeats. */
function extents(recorded: readonly Recorded[]): Recorded[] {
  const whole = new Map<string, Recorded>();
  for (const part of recorded) {
    const key = JSON.stringify([part.host, part.recordingId]);
    const { fromNs, toNs } = whole.get(key) ?? part;
    whole.set(key, {
      ...part,
      fromNs: part.fromNs < fromNs ? part.fromNs : fromNs,
      toNs: part.toNs > toNs ? part.toNs : toNs,
    });
  }
  return [...whole.values()];
}

/**
 * Stretches between two recordings of a host in which none ran: it was stopped, killed or moved, or
 * the host was down. Segments in any order; in order of host, then time.
 */
export function unrecordedStretches(recorded: readonly Recorded[]): Unrecorded[] {
  const ordered = extents(recorded).sort((a, b) =>
    a.host === b.host ? Number(a.fromNs - b.fromNs) : a.host < b.host ? -1 : 1,
  );
  const found: Unrecorded[] = [];
  let last: Unrecorded | undefined;
  for (const { host, fromNs, toNs } of ordered) {
    if (last?.host !== host) last = { host, fromNs, toNs };
    else if (fromNs > last.toNs) {
      found.push({ host, fromNs: last.toNs, toNs: fromNs });
      last = { host, fromNs, toNs };
    } else if (toNs > last.toNs) last = { host, fromNs, toNs };
  }
  return found;
}
