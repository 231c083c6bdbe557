import type { Candidates } from './candidates.js';
import type { ProcessIndex } from './process-index.js';

/** Open requests that are looked at for one that stands for chance. */
const MOST_LOOKED_AT = 64;
const PRIOR_COUNT = 10;
const LEAST_TRUST = 0.001;
/** Share of wrong parents that are answered before the reply arrives, at least: a guard against few observations. */
const LEAST_CAUGHT = 0.05;

/** A request that was open when the call was made, other than `except`; -1 none. Another one for every call. */
function chanceCandidate(candidates: Candidates, client: number, except: number): number {
  const begun = candidates.begun[client]!;
  const span = Math.min(begun, MOST_LOOKED_AT);
  for (let i = 0; i < span; i++) {
    const server = begun - 1 - ((client * 7 + i * 13) % span);
    if (server !== except && candidates.isOpen(client, server)) return server;
  }
  return -1;
}

/**
 * Trust in rules by what needs no witness: a request waits for the replies of its calls. Where a
 * rule names requests that were answered before the reply arrived, in a share v of its calls,
 * and any open request would have been in a share c, it is wrong in v / c of them.
 */
export class Lateness {
  private readonly seen: Float64Array;
  private readonly late: Float64Array;
  private readonly rivals: Float64Array;
  private readonly lateRivals: Float64Array;

  constructor(
    private readonly index: ProcessIndex,
    private readonly candidates: Candidates,
    classes: number,
  ) {
    this.seen = new Float64Array(classes);
    this.late = new Float64Array(classes);
    this.rivals = new Float64Array(classes);
    this.lateRivals = new Float64Array(classes);
  }

  /** A call of class `at`, of which the rule says that `server` caused it. */
  add(at: number, client: number, server: number): void {
    const { index, candidates } = this;
    if (candidates.open[client]! < 2 || !candidates.has(client, server)) return;
    const end = index.clientEnd[client]!;
    this.seen[at]!++;
    if (end > index.serverEnd[server]!) this.late[at]!++;
    const rival = chanceCandidate(candidates, client, server);
    if (rival === -1) return;
    this.rivals[at]!++;
    if (end > index.serverEnd[rival]!) this.lateRivals[at]!++;
  }

  /**
   * @param mean trust where there are no observations
   * @param most the most that lateness can give
   * @param doubt late calls that are assumed unseen: where few wrong parents would be late, none being late says little
   */
  trust(mean: number, most: number, doubt: number): Float64Array {
    return this.seen.map((seen, at) => {
      const caught = Math.max(LEAST_CAUGHT, (this.lateRivals[at]! + 1) / (this.rivals[at]! + 5));
      const late = this.late[at]! + doubt + (1 - mean) * caught * PRIOR_COUNT;
      const trust = 1 - late / (seen + PRIOR_COUNT) / caught;
      return Math.min(most, Math.max(LEAST_TRUST, trust));
    });
  }
}
