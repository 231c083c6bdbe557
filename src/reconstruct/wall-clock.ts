/** A moment of a recording and what the wall clock said then, epoch ns both. */
export interface ClockPair {
  readonly timeNs: bigint;
  readonly wallNs: bigint;
}

/**
 * Event times are monotonic time plus an offset that is fixed when the recording starts, and
 * slewing moves both clocks alike: they part only when the wall clock is set or the host sleeps. What
 * lies below this is the noise of reading two clocks.
 */
const NOISE_NS = 5_000_000n;

/** What the wall clock says beside the times of a recording. */
export interface WallClock {
  /** Epoch ns of the recording -> what the wall clock said then, minus that time; 0 where they agree. */
  readonly correction: (timeNs: bigint) => bigint;
  /** True if they ever part. */
  readonly isStepped: boolean;
}

/** A clock that holds from a moment on. */
interface Stretch {
  readonly fromNs: bigint;
  readonly aheadNs: bigint;
}

const magnitude = (ns: bigint) => (ns < 0n ? -ns : ns);

/** Between two pairs that differ the clock was set: halfway is off by half a second at most. */
function stretchesOf(pairs: readonly ClockPair[]): Stretch[] {
  const ordered = [...pairs].sort((a, b) => Number(a.timeNs - b.timeNs));
  const stretches: Stretch[] = [];
  let lastNs = 0n;
  for (const { timeNs, wallNs } of ordered) {
    const ahead = wallNs - timeNs;
    const aheadNs = magnitude(ahead) < NOISE_NS ? 0n : ahead;
    const last = stretches.at(-1);
    if (last === undefined) stretches.push({ fromNs: timeNs, aheadNs });
    else if (magnitude(aheadNs - last.aheadNs) > NOISE_NS)
      stretches.push({ fromNs: lastNs + (timeNs - lastNs) / 2n, aheadNs });
    lastNs = timeNs;
  }
  return stretches;
}

/** The wall clock of a host, from the pairs in its segments, in any order. */
export function wallClock(pairs: readonly ClockPair[]): WallClock {
  const stretches = stretchesOf(pairs);
  const correction = (timeNs: bigint): bigint => {
    let found = stretches[0]?.aheadNs ?? 0n;
    for (const { fromNs, aheadNs } of stretches) {
      if (fromNs > timeNs) break;
      found = aheadNs;
    }
    return found;
  };
  return { correction, isStepped: stretches.some(({ aheadNs }) => aheadNs !== 0n) };
}
