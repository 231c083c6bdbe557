import { Role } from '../../model/exchange.js';
import { type Audit, auditProcess } from './audit.js';
import { backgroundShares } from './background.js';
import { findCandidates } from './candidates.js';
import { inferCauses, type ProcessCauses } from './infer.js';
import { callKinds, requestKinds } from './kinds.js';
import { hintsBetween, type ProcessHints } from './process-hints.js';
import { type CausalExchanges, indexProcess } from './process-index.js';
import { orderByTime } from './time-order.js';

/** Exchanges of a window: enough that each learns its habits as well as all together would. */
const EXCHANGES = 100_000;
/** Exchanges before and behind a window that are looked at with it, so that its borders are decided like its middle. */
const OVERLAP = 5_000;

export interface WindowSize {
  readonly exchanges: number;
  readonly overlap: number;
}

/** A stretch of a process's life. */
interface Window {
  /** Rising: what begins in it or next to it, and what was not answered when that began. */
  readonly rows: Uint32Array;
  /** Calls that begin in [from, to), ns, are its own. */
  readonly from: number;
  readonly to: number;
  /** Everything that is looked at happens in [since, until), ns, but for what had begun before. */
  readonly since: number;
  readonly until: number;
}

/** Cuts the life of a process into stretches of about as many exchanges. */
function* cutWindows(
  x: CausalExchanges,
  rows: Uint32Array,
  { exchanges, overlap }: WindowSize,
): Iterable<Window> {
  const known = rows.filter((row) => !Number.isNaN(x.request_start[row]!));
  const order = orderByTime(Float64Array.from(known, (row) => x.request_start[row]!));
  const startOf = (at: number) => x.request_start[known[order[at]!]!]!;
  /** What is open at `time`. A call of which no reply is known leads to nothing. */
  const isOpen = (row: number, time: number) => {
    const end = x.response_end[row]!;
    return Number.isNaN(end) ? x.role[row] === Role.server : end >= time;
  };
  const count = Math.max(1, Math.round(order.length / exchanges));
  let open: number[] = [];
  let before = 0;
  for (let window = 0; window < count; window++) {
    const first = Math.floor((window * order.length) / count);
    const end = Math.floor(((window + 1) * order.length) / count);
    const low = Math.max(0, first - overlap);
    const high = Math.min(order.length, end + overlap);
    const since = startOf(low);
    while (before < low) open.push(known[order[before++]!]!);
    open = open.filter((row) => isOpen(row, since));
    const own = new Uint32Array(open.length + high - low);
    own.set(open);
    for (let at = low; at < high; at++) own[open.length + at - low] = known[order[at]!]!;
    yield {
      rows: own.sort(),
      from: window === 0 ? Number.NEGATIVE_INFINITY : startOf(first),
      to: end === order.length ? Number.POSITIVE_INFINITY : startOf(end),
      since: low === 0 ? Number.NEGATIVE_INFINITY : since,
      until: high === order.length ? Number.POSITIVE_INFINITY : startOf(high),
    };
  }
}

/**
 * Per row of a call: probability that it belongs to no request. Calls that come like clockwork
 * are rare: this alone is learned from all of a process, however long that is.
 */
function backgroundByRow(exchanges: CausalExchanges, rows: Uint32Array): Float32Array {
  const index = indexProcess(exchanges, rows);
  const calls = callKinds(index);
  const shares = backgroundShares(index, findCandidates(index), calls, requestKinds(index));
  const out = new Float32Array(exchanges.rows);
  for (let client = 0; client < index.clients.length; client++) {
    out[index.clients[client]!] = shares[calls.of[client]!]!;
  }
  return out;
}

/**
 * Infers the causes of a process window by window, so that what this takes in memory does not
 * grow with its life. A process of few exchanges is one window.
 */
export class WindowedCauses {
  /** How its calls find their parents, in words, and how well without ids: known after {@link run}. */
  model = '';
  audit: Audit | undefined;

  /** @param rows the process's rows in `exchanges`, in rising order */
  constructor(
    private readonly exchanges: CausalExchanges,
    private readonly rows: Uint32Array,
    private readonly hints: ProcessHints,
    private readonly least: number | undefined,
    private readonly isTokenless = false,
    private readonly size: WindowSize = { exchanges: EXCHANGES, overlap: OVERLAP },
  ) {}

  /** @param take is given the causes of a window, of which those of the calls that began in [from, to) count */
  run(take: (causes: ProcessCauses, from: number, to: number) => void): void {
    const { exchanges, rows, hints, least, isTokenless, size } = this;
    if (rows.length <= 1.5 * size.exchanges) {
      const causes = inferCauses(exchanges, rows, least, hints, { isTokenless });
      this.describe(causes, rows, hints);
      take(causes, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
      return;
    }
    const background = backgroundByRow(exchanges, rows);
    for (const window of cutWindows(exchanges, rows, size)) {
      const own = hintsBetween(hints, window.since, window.until);
      const causes = inferCauses(exchanges, window.rows, least, own, { isTokenless, background });
      if (this.model === '') this.describe(causes, window.rows, own);
      take(causes, window.from, window.to);
    }
  }

  private describe(causes: ProcessCauses, rows: Uint32Array, hints: ProcessHints): void {
    this.model = causes.model;
    this.audit = auditProcess(causes, this.exchanges, rows, this.least, hints, this.isTokenless);
  }
}
