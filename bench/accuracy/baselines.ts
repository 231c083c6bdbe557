import { routeTemplate } from '../../src/model/route.js';
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
      const place = `${spans.peer[call]} ${routeTemplate(spans.target[call]!)}`;
      const server =
        open.find((candidate) => !called.has(`${candidate} ${place}`)) ?? open[0] ?? -1;
      called.add(`${server} ${place}`);
      return server;
    }),
  };
}

/** What happens on a thread, in order of time. */
interface Turn {
  readonly at: bigint;
  readonly row: number;
  readonly what: 'request' | 'call' | 'reply' | 'response';
}

function turnsOf(spans: SpanTable, { servers, clients }: ProcessSpans): Turn[] {
  const turns: Turn[] = [];
  const add = (row: number, start: Turn['what'], end: Turn['what']) => {
    turns.push({ at: spans.start_ns[row]!, row, what: start });
    // Without a response nothing else is read or written.
    if (spans.first_byte_ns[row]! > 0n) {
      turns.push({ at: spans.first_byte_ns[row]!, row, what: end });
    }
  };
  for (const row of servers) add(row, 'request', 'response');
  for (const row of clients) add(row, 'call', 'reply');
  return turns.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.row - b.row));
}

/**
 * DeepFlow's rule: what a thread reads leaves a token, which the next thing that the thread
 * writes takes away. A call so marked passes its request on to the reply's token.
 */
export function singleToken(spans: SpanTable): Baseline {
  const parents = new Map<number, number>();
  for (const process of byProcess(spans).values()) {
    const tokens = new Map<number, number>();
    for (const { row, what } of turnsOf(spans, process)) {
      const tid = spans.tid[row]!;
      if (what === 'request') tokens.set(tid, row);
      else if (what === 'reply') tokens.set(tid, parents.get(row)!);
      else {
        if (what === 'call') parents.set(row, tokens.get(tid) ?? -1);
        tokens.delete(tid);
      }
    }
  }
  return { name: 'single token (DeepFlow)', parentOf: (row) => parents.get(row) ?? -1 };
}

/** Calls of one place by requests of one route: how many, and after how long on average, ns. */
interface Delay {
  count: number;
  sum: number;
}

/**
 * As WAP5 (WWW 2006) links messages: how long after a request a call leaves has an exponential
 * density, whose mean is learned from the request just before each call; the parent is the open
 * request of the greatest density, weighted by how often its route makes such calls.
 */
export function exponentialDelays(spans: SpanTable): Baseline {
  const delays = new Map<string, Delay>();
  const keyOf = (call: number, server: number) =>
    [spans.pid[call], spans.target[server], spans.peer[call], spans.target[call]]
      .map((part) => (typeof part === 'string' ? routeTemplate(part) : part))
      .join(' ');
  const gap = (call: number, server: number) =>
    Number(spans.start_ns[call]! - spans.start_ns[server]!);
  answer(spans, (call, open) => {
    const server = open.at(-1);
    if (server === undefined) return -1;
    const known = delays.get(keyOf(call, server)) ?? { count: 0, sum: 0 };
    known.count++;
    known.sum += gap(call, server);
    delays.set(keyOf(call, server), known);
    return server;
  });
  const density = (call: number, server: number) => {
    const known = delays.get(keyOf(call, server));
    if (known === undefined) return -Infinity;
    const mean = Math.max(1, known.sum / known.count);
    return Math.log(known.count / mean) - gap(call, server) / mean;
  };
  return {
    name: 'exponential delays (WAP5)',
    parentOf: answer(spans, (call, open) => {
      let best = -1;
      let most = -Infinity;
      for (const server of open) {
        const value = density(call, server);
        if (value <= most) continue;
        most = value;
        best = server;
      }
      return best;
    }),
  };
}

export const BASELINES = [
  sameThread,
  nearestPreceding,
  firstCome,
  singleToken,
  exponentialDelays,
] as const;
