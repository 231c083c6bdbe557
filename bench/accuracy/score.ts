import { type SpanTable, Verdict } from '../../src/model/span.js';
import { keyOf, type Truth } from './truth.js';

/** Calls of one service by how their parent was found. */
export interface LinkScore {
  right: number;
  wrong: number;
  /** Has a parent in truth, but was left without one. */
  unknown: number;
}

interface Calibration {
  /** Least confidence of the bin; the bins are [0, 0.1), ..., [0.9, 0.99), [0.99, 0.999), [0.999, 1]. */
  readonly from: number;
  readonly links: number;
  readonly claimed: number;
  readonly right: number;
}

export interface Score {
  /** Ends of hops that truth says there were, and how many of them were found. */
  readonly expectedExchanges: number;
  readonly foundExchanges: number;
  /** Hops with both ends found, and how many of them were joined with each other. */
  readonly expectedHops: number;
  readonly joinedHops: number;
  readonly wrongHops: number;
  readonly services: ReadonlyMap<string, LinkScore>;
  readonly total: LinkScore;
  /** Calls that belong to no request, and how many were given one all the same. */
  readonly background: { readonly calls: number; readonly attached: number };
  /** Traces of end users: every exchange found, every hop joined, every call linked right. */
  readonly traces: { readonly whole: number; readonly of: number };
  readonly certain: { readonly links: number; readonly wrong: number };
  readonly calibration: readonly Calibration[];
  /** Expected calibration error of the links made, 0..1. */
  readonly calibrationError: number;
}

const BINS = [0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999];

/** A parent for every client span: row of a server span, or -1. */
export type ParentOf = (row: number) => number;

/** Row of the parent by the reconstruction's own verdict. */
function reconstructedParents(spans: SpanTable): ParentOf {
  const rows = new Map(spans.span_id.map((id, row) => [id, row]));
  return (row) => rows.get(spans.parent_span_id[row]!) ?? -1;
}

interface KeyedSpan {
  readonly row: number;
  readonly key: string;
}

/**
 * Key of the request that caused a call: null where none did, undefined where the truth does
 * not say. A proxy passes its caller's key on: it is a process that received the key it sends.
 */
function parentsExpected(spans: SpanTable, truth: Truth) {
  const place = (row: number, key: string) => `${spans.host[row]} ${spans.pid[row]} ${key}`;
  const received = new Set(keyedSpans(spans, 'server').map(({ row, key }) => place(row, key)));
  return ({ row, key }: KeyedSpan): string | null | undefined => {
    if (!truth.parentOf.has(key)) return undefined;
    return received.has(place(row, key)) ? key : truth.parentOf.get(key);
  };
}

function keyedSpans(spans: SpanTable, role: 'client' | 'server'): KeyedSpan[] {
  return spans.target.flatMap((target, row) => {
    const key = spans.role[row] === role ? keyOf(target) : undefined;
    return key === undefined ? [] : [{ row, key }];
  });
}

function scoreHops(spans: SpanTable, truth: Truth, parentOf: ParentOf) {
  let joined = 0;
  let wrong = 0;
  let expected = 0;
  /** Keys of exchanges that are missing, or whose ends were not joined with each other. */
  const broken = new Set<string>();
  const clientKeys = new Set(keyedSpans(spans, 'client').map(({ key }) => key));
  const seen = { client: new Set<string>(), server: new Set<string>() };
  for (const key of clientKeys) seen.client.add(key);
  for (const { row, key } of keyedSpans(spans, 'server')) {
    seen.server.add(key);
    if (clientKeys.has(key)) expected++;
    const parent = parentOf(row);
    const isJoined = parent !== -1 && keyOf(spans.target[parent]!) === key;
    if (isJoined) joined++;
    else if (parent !== -1) wrong++;
    if (!isJoined && clientKeys.has(key)) broken.add(key);
  }
  let found = 0;
  const look = (keys: Iterable<string>, role: 'client' | 'server') => {
    for (const key of keys) {
      if (seen[role].has(key)) found++;
      else broken.add(key);
    }
  };
  look(truth.parentOf.keys(), 'client');
  look(truth.served, 'server');
  const expectedExchanges = truth.parentOf.size + truth.served.size;
  return {
    expectedExchanges,
    foundExchanges: found,
    expectedHops: expected,
    joinedHops: joined,
    wrongHops: wrong,
    broken,
  };
}

class Links {
  readonly services = new Map<string, LinkScore>();
  readonly total: LinkScore = { right: 0, wrong: 0, unknown: 0 };
  readonly background = { calls: 0, attached: 0 };
  readonly certain = { links: 0, wrong: 0 };
  /** Keys of requests of which some call was not linked right. */
  readonly broken = new Set<string>();
  readonly made: { confidence: number; right: boolean }[] = [];

  count(service: string, what: keyof LinkScore): void {
    const known = this.services.get(service) ?? { right: 0, wrong: 0, unknown: 0 };
    known[what]++;
    this.services.set(service, known);
    this.total[what]++;
  }
}

function scoreLinks(spans: SpanTable, truth: Truth, parentOf: ParentOf): Links {
  const links = new Links();
  const expectedOf = parentsExpected(spans, truth);
  for (const call of keyedSpans(spans, 'client')) {
    const { row } = call;
    const service = spans.service[row]!;
    const expected = expectedOf(call);
    const parent = parentOf(row);
    const actual = parent === -1 ? null : (keyOf(spans.target[parent]!) ?? '');
    if (expected === undefined) continue;
    if (expected === null) {
      // The load driver's calls have nothing that could be their parent; timers' calls have.
      if (spans.candidates[row] === 0 && parent === -1) continue;
      links.background.calls++;
      if (parent !== -1) links.background.attached++;
      continue;
    }
    const isRight = actual === expected;
    links.count(service, parent === -1 ? 'unknown' : isRight ? 'right' : 'wrong');
    if (!isRight) links.broken.add(expected);
    if (parent !== -1) {
      links.made.push({ confidence: spans.parent_confidence[row]!, right: isRight });
      if (spans.parent_verdict[row] === Verdict.certain) {
        links.certain.links++;
        if (!isRight) links.certain.wrong++;
      }
    }
  }
  return links;
}

/** A user's trace is whole when nothing in it is missing, and every call is linked right. */
function scoreTraces(truth: Truth, broken: Iterable<string>) {
  const rootOf = (key: string): string => {
    let at = key;
    for (let depth = 0; depth < 100; depth++) {
      const parent = truth.parentOf.get(at);
      if (parent === null || parent === undefined) return at;
      at = parent;
    }
    return at;
  };
  const users = [...truth.parentOf]
    .filter(([key, parent]) => parent === null && truth.callerOf.get(key) === 'load')
    .map(([key]) => key);
  const brokenRoots = new Set([...broken].map(rootOf));
  return { whole: users.filter((key) => !brokenRoots.has(key)).length, of: users.length };
}

function calibrate(made: readonly { confidence: number; right: boolean }[]) {
  const bins = BINS.map((from, i) => {
    const to = BINS[i + 1] ?? Infinity;
    const inside = made.filter(({ confidence }) => confidence >= from && confidence < to);
    const links = inside.length;
    const claimed =
      inside.reduce((sum, { confidence }) => sum + confidence, 0) / Math.max(1, links);
    const right = inside.filter((link) => link.right).length / Math.max(1, links);
    return { from, links, claimed, right };
  }).filter(({ links }) => links > 0);
  const error = bins.reduce(
    (sum, { links, claimed, right }) => sum + links * Math.abs(claimed - right),
    0,
  );
  return { calibration: bins, calibrationError: made.length === 0 ? 0 : error / made.length };
}

/**
 * Scores spans against the services' own logs.
 *
 * @param parentOf whose answer is scored: the reconstruction's, or a baseline's
 */
export function score(
  spans: SpanTable,
  truth: Truth,
  parentOf: ParentOf = reconstructedParents(spans),
): Score {
  const links = scoreLinks(spans, truth, parentOf);
  const { broken, ...hops } = scoreHops(spans, truth, reconstructedParents(spans));
  return {
    ...hops,
    services: links.services,
    total: links.total,
    background: links.background,
    traces: scoreTraces(truth, [...links.broken, ...broken]),
    certain: links.certain,
    ...calibrate(links.made),
  };
}
