import type { SpanTable } from '../../src/model/span.js';
import type { ParentOf } from './score.js';

/** What simple online rules would have answered, on the same spans. */
export interface Baseline {
  readonly name: string;
  readonly parentOf: ParentOf;
}

interface ProcessSpans {
  /** Server rows by start. */
  readonly servers: number[];
  readonly clients: number[];
}

function byProcess(spans: SpanTable): Map<string, ProcessSpans> {
  const processes = new Map<string, ProcessSpans>();
  const order = [...spans.span_id.keys()].sort((a, b) =>
    spans.start_ns[a]! < spans.start_ns[b]!
      ? -1
      : spans.start_ns[a]! > spans.start_ns[b]!
        ? 1
        : a - b,
  );
  for (const row of order) {
    const key = `${spans.host[row]} ${spans.pid[row]}`;
    const known = processes.get(key) ?? { servers: [], clients: [] };
    (spans.role[row] === 'client' ? known.clients : known.servers).push(row);
    processes.set(key, known);
  }
  return processes;
}

/** Applies a rule to each call: servers open at that moment, by start, -> the parent. */
function answer(
  spans: SpanTable,
  rule: (call: number, open: readonly number[], started: readonly number[]) => number,
): ParentOf {
  const parents = new Map<number, number>();
  for (const { servers, clients } of byProcess(spans).values()) {
    let open: number[] = [];
    let next = 0;
    for (const call of clients) {
      const at = spans.start_ns[call]!;
      while (next < servers.length && spans.start_ns[servers[next]!]! <= at)
        open.push(servers[next++]!);
      open = open.filter((server) => spans.end_ns[server]! >= at);
      parents.set(call, rule(call, open, servers.slice(Math.max(0, next - 64), next)));
    }
  }
  return (row) => parents.get(row) ?? -1;
}

/** vPath: the open request that the calling thread read last. */
export function sameThread(spans: SpanTable): Baseline {
  return {
    name: 'same thread (vPath)',
    parentOf: answer(
      spans,
      (call, open) => open.findLast((server) => spans.tid[server] === spans.tid[call]) ?? -1,
    ),
  };
}

/** The open request that began last. */
export function nearestPreceding(spans: SpanTable): Baseline {
  return { name: 'nearest preceding', parentOf: answer(spans, (_, open) => open.at(-1) ?? -1) };
}

/** First come, first served: the oldest open request that has not called this place yet. */
export function firstCome(spans: SpanTable): Baseline {
  const called = new Set<string>();
  return {
    name: 'first come, first served',
    parentOf: answer(spans, (call, open) => {
      const place = `${spans.peer[call]} ${spans.target[call]!.split('?')[0]}`;
      const server =
        open.find((candidate) => !called.has(`${candidate} ${place}`)) ?? open[0] ?? -1;
      called.add(`${server} ${place}`);
      return server;
    }),
  };
}

/** DeepFlow's token: a request read on a thread marks the next call of that thread, once. */
export function singleToken(spans: SpanTable): Baseline {
  const used = new Set<number>();
  return {
    name: 'single token',
    parentOf: answer(spans, (call, _, started) => {
      const last = started.findLast((server) => spans.tid[server] === spans.tid[call]) ?? -1;
      if (last === -1 || used.has(last)) return -1;
      used.add(last);
      return last;
    }),
  };
}

export const BASELINES = [sameThread, nearestPreceding, firstCome, singleToken] as const;
