import type { StoredReconstruction } from '../../store/span-store.js';
import {
  CONTRACT_VERSION,
  type Method,
  type Report,
  type TraceChunk,
  type Window,
} from '../contract.js';
import { buildChunks } from './chunks.js';
import { conclude } from './conclusion.js';
import { groupErrors } from './error-groups.js';
import { OriginFinder } from './error-origin.js';
import { findFactors } from './factors.js';
import { buildHeatMap } from './heat-map.js';
import { measureImpact } from './impact.js';
import { findPlaces } from './places.js';
import { assessQuality } from './quality.js';
import { sidesOf } from './red.js';
import { findRequests, type Requests } from './requests.js';
import { selectTraces } from './selection.js';
import { buildServiceMap, serviceStats } from './service-map.js';
import { indexSpans, type SpanIndex } from './span-index.js';
import { chooseWindows } from './windows.js';

export interface AnalyzeOptions {
  /** Directory of the reconstruction, as the user named it: for queries. */
  readonly input: string;
  readonly incident?: { readonly fromNs: bigint; readonly toNs: bigint };
  readonly baseline?: { readonly fromNs: bigint; readonly toNs: bigint };
  readonly maxTraces: number;
  readonly maxSpans: number;
}

export interface Analysis {
  readonly report: Report;
  /** The spans of Report.traces. */
  readonly chunks: readonly TraceChunk[];
}

const STATEMENTS: Readonly<Record<Requests['countedAt'], string>> = {
  entry:
    'A request is a server span that nothing recorded called, or that a process called which answers no requests itself (a load driver, a browser).',
  callers: 'No server was recorded: a request is a call that no recorded request caused.',
};

const COMMON_STATEMENTS = [
  'Failed: a status of 500 or more, a reset, or no response although the recording went on for a second. Slow: beyond three times the usual latency of its route (and 5 ms); the usual is the lower quartile over time of the route’s median.',
  'The incident is the stretch in which failed and slow requests are most over-represented (scan statistic, Kulldorff 1997), if it is unlikely to be chance and at least twice the rate of the rest. Of several, the one with most failures is the incident; all are left out of the baseline.',
  'A candidate factor is ranked by two shares: failures that begin at it (followed along the links to the innermost failed exchange), and own time on the critical path. Both count only beyond what the baseline’s mean of the same routes gives. Time a caller waits belongs to the one it waits for.',
  'A candidate is named in the headline only if it explains at least half and twice as much as the next. It is where the evidence points, not a proven cause.',
  'Times are as recorded, in UTC. Quantiles interpolate between neighbours. A link’s confidence is the probability that the parent is right, learned from this recording itself; links below the threshold are left unknown and never guessed.',
];

function describeMethod(
  { reconstruction }: StoredReconstruction,
  index: SpanIndex,
  requests: Requests,
  input: string,
): Method {
  return {
    tool: reconstruction.tool,
    input,
    segments: reconstruction.segments.map(({ file, host, rows }) => ({ file, host, rows })),
    imports: (reconstruction.imports ?? []).map(({ file, format, exchanges }) => ({
      file,
      format,
      exchanges,
    })),
    traces: index.traceStarts.length - 1,
    spans: index.rows,
    statements: [STATEMENTS[requests.countedAt], ...COMMON_STATEMENTS],
  };
}

/** Pure: the same reconstruction and options give the same report. */
export function analyze(stored: StoredReconstruction, options: AnalyzeOptions): Analysis {
  const { reconstruction, spans, traces, links } = stored;
  const epochNs = BigInt(reconstruction.fromNs);
  const toMs = (ns: bigint) => Number(ns - epochNs) / 1e6;
  const range: Window = { fromMs: 0, toMs: toMs(BigInt(reconstruction.toNs)) };
  const windowOf = (given: AnalyzeOptions['incident']) =>
    given && { fromMs: toMs(given.fromNs), toMs: toMs(given.toNs) };
  const incident = windowOf(options.incident);
  const baseline = windowOf(options.baseline);

  const index = indexSpans(spans, epochNs, BigInt(reconstruction.toNs));
  const requests = findRequests(index);
  const windows = chooseWindows(requests, range, {
    ...(incident && { incident }),
    ...(baseline && { baseline }),
  });
  const sides = sidesOf(windows, range);
  const places = findPlaces(index);
  const origins = new OriginFinder(index, places);
  const findings = {
    epochNs: reconstruction.fromNs,
    windows,
    impact: measureImpact(index, requests, sides),
    factors: findFactors(index, requests, places, origins, sides),
    errors: groupErrors(index, requests, places, origins, sides),
    quality: assessQuality(reconstruction, epochNs),
    serviceMap: buildServiceMap(index, places, sides),
  };
  const selected = selectTraces(index, requests, sides, options.maxTraces, options.maxSpans);
  const facts = { minConfidence: traces.min_confidence, unknownLinks: traces.unknown_links };
  const embedded = buildChunks(index, requests, facts, selected, links);
  const embeddedSpans = embedded.traces.reduce((sum, trace) => sum + trace.spans, 0);
  return {
    chunks: embedded.chunks,
    report: {
      version: CONTRACT_VERSION,
      range,
      ...findings,
      conclusion: conclude(findings),
      heatMap: buildHeatMap(requests, range),
      services: serviceStats(index, sides),
      traces: embedded.traces,
      leftOut: {
        traces: index.traceStarts.length - 1 - embedded.traces.length,
        spans: index.rows - embeddedSpans,
      },
      method: describeMethod(stored, index, requests, options.input),
    },
  };
}
