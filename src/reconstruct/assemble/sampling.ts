import { type ExchangeTable, LossFlag, Role } from '../../model/exchange.js';
import type { BudgetSummary } from '../../model/reconstruction.js';
import { SAMPLE_ALL, sampleKey } from '../../model/sample.js';
import { Verdict } from '../../model/span.js';
import type { Parents } from './parents.js';

/** A stretch in which a host recorded only connections whose key is below the limit, ns after the base time. */
interface Sampled {
  readonly from: number;
  readonly to: number;
  readonly limit: number;
}

/** The two ends of a hop step down within this time of each other, ns. */
const SLACK_NS = 2e9;

/** What the budget's sample left out, by host. */
export class Sampling {
  private readonly hosts: readonly (readonly Sampled[])[];

  /** @param budget per host of the plan */
  constructor(budget: readonly (readonly BudgetSummary[])[], baseNs: bigint) {
    const after = (ns: string) => Number(BigInt(ns) - baseNs);
    this.hosts = budget.map((periods) =>
      periods
        .filter(({ sampleLimit }) => sampleLimit < SAMPLE_ALL)
        .map(({ fromNs, toNs, sampleLimit: limit }) => ({
          from: after(fromNs),
          to: after(toNs),
          limit,
        })),
    );
  }

  get isEmpty(): boolean {
    return this.hosts.every((periods) => periods.length === 0);
  }

  /** Whether a host left a connection out at any moment of [from, to]. */
  leftOut(host: number, key: number, from: number, to: number): boolean {
    return (this.hosts[host] ?? []).some(
      (period) => key >= period.limit && period.from <= to && period.to >= from,
    );
  }

  /** Whether a host recorded a mere sample at that moment. */
  isPartial(host: number, time: number): boolean {
    return (this.hosts[host] ?? []).some(({ from, to }) => from <= time && time <= to);
  }

  get count(): number {
    return this.hosts.length;
  }
}

function keysOf(x: ExchangeTable): (row: number) => number {
  const known = new Map<string, number>();
  return (row) => {
    const local = x.local_address[row]!;
    const remote = x.remote_address[row]!;
    const localPort = x.local_port[row]!;
    const remotePort = x.remote_port[row]!;
    const text = `${local} ${localPort} ${remote} ${remotePort}`;
    const key = known.get(text) ?? sampleKey(local, localPort, remote, remotePort);
    known.set(text, key);
    return key;
  };
}

function momentsOf(x: ExchangeTable, row: number): { start: number; end: number } {
  const all = [x.request_start, x.request_end, x.response_start, x.response_end]
    .map((column) => column[row]!)
    .filter((time) => !Number.isNaN(time));
  return { start: Math.min(...all), end: Math.max(...all) };
}

/**
 * Where the budget recorded only a sample of the connections, what is missing is neither lost nor
 * failed: it is marked `unsampled`. And a call there may come from a request that was left out, so that
 * only what the messages themselves say (identity in band) makes its parent known.
 */
export function applySampling(x: ExchangeTable, parents: Parents, sampling: Sampling): void {
  if (sampling.isEmpty) return;
  const keyAt = keysOf(x);
  const hosts = Array.from({ length: sampling.count }, (_, host) => host);
  for (let row = 0; row < x.rows; row++) {
    const host = x.host[row]!;
    const { start, end } = momentsOf(x, row);
    const key = keyAt(row);
    const isCut =
      (x.loss_flags[row]! & (LossFlag.responseUnseen | LossFlag.endUnseen)) !== 0 &&
      sampling.leftOut(host, key, start, Number.POSITIVE_INFINITY);
    const isPeerOut =
      parents.peer[row] === -1 &&
      hosts.some((other) => sampling.leftOut(other, key, start - SLACK_NS, end + SLACK_NS));
    if (isCut || isPeerOut) x.loss_flags[row]! |= LossFlag.unsampled;
    if (x.role[row] !== Role.client || !sampling.isPartial(host, start)) continue;
    const verdict = parents.verdict[row]!;
    if (parents.method[row] === 'identity' || verdict === Verdict.unknown) continue;
    parents.verdict[row] = Verdict.unknown;
    parents.parent[row] = -1;
  }
}
