/**
 * The only types that the analysis, the renderers and the viewer share. The analysis fills a
 * Report; the renderers turn it into HTML and Markdown; the viewer gets the part it needs.
 *
 * Times are milliseconds after Report.epochNs. Text from the recording (targets, service
 * names, addresses) is whatever was captured: renderers must treat it as hostile.
 */
export const CONTRACT_VERSION = 1;

/** A stretch of time, ms; the end is not included. */
export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Report {
  readonly version: typeof CONTRACT_VERSION;
  /** UTC epoch nanoseconds of time 0, decimal. */
  readonly epochNs: string;
  readonly range: Window;
  readonly windows: Windows;
  readonly conclusion: Conclusion;
  readonly quality: Quality;
  readonly impact: Impact;
  readonly heatMap: HeatMap;
  readonly serviceMap: ServiceMap;
  readonly factors: readonly Factor[];
  readonly services: readonly ServiceStats[];
  readonly errors: readonly ErrorGroup[];
  readonly traces: readonly TraceEntry[];
  /** Traces and spans of the reconstruction that the page does not hold. */
  readonly leftOut: { readonly traces: number; readonly spans: number };
  readonly method: Method;
}

/** A stretch in which failed and slow requests stand out. */
export interface Stretch extends Window {
  readonly requests: number;
  readonly failed: number;
  readonly slow: number;
}

export interface Windows {
  readonly incident: Window | null;
  /** found: stood out; given: by the user; none: nothing stood out. */
  readonly incidentSource: 'found' | 'given' | 'none';
  /** Time to compare with; empty where there is none. */
  readonly baseline: readonly Window[];
  /** Other stretches that stand out, the worst first; no part of the baseline. */
  readonly others: readonly Stretch[];
  /** before: the time before the incident; around: before and after it; given: by the user. */
  readonly baselineSource: 'before' | 'around' | 'given' | 'none';
}

/** What the report says in a few sentences. */
export interface Conclusion {
  readonly headline: string;
  /** The service where the incident most probably begins; null if none stands out. */
  readonly culprit: string | null;
  /** Each sentence names the section of the page that shows it. */
  readonly sentences: readonly { readonly text: string; readonly evidence: SectionId }[];
  /** What weakens it: losses, unknown links, few requests. */
  readonly caveats: readonly string[];
}

type SectionId =
  | 'quality'
  | 'impact'
  | 'heat-map'
  | 'service-map'
  | 'factors'
  | 'errors'
  | 'traces'
  | 'services'
  | 'method';

/** Requests of one window. Quantiles are null where no request was answered. */
export interface Stats {
  readonly requests: number;
  readonly perSecond: number;
  readonly failed: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
}

/** Baseline against incident. Without an incident `during` is the whole recording. */
export interface Comparison {
  readonly before: Stats | null;
  readonly during: Stats;
}

export interface Impact extends Comparison {
  /** Where requests were counted: at services that outsiders call, or (only callers recorded) at callers. */
  readonly countedAt: 'entry' | 'callers';
  readonly routes: readonly (Comparison & { readonly service: string; readonly route: string })[];
}

export interface Quality {
  readonly notes: readonly QualityNote[];
  readonly links: LinkCounts;
  readonly services: readonly (LinkCounts & {
    readonly service: string;
    readonly host: string;
    readonly model: string;
  })[];
  readonly losses: readonly (Window & {
    readonly host: string;
    readonly cause: string;
    readonly scope: string;
    readonly count: number;
  })[];
  readonly skews: readonly {
    readonly from: string;
    readonly to: string;
    readonly offsetMs: number;
    readonly uncertaintyMs: number;
    readonly hops: number;
  }[];
  readonly unreadable: readonly { readonly file: string; readonly reason: string }[];
}

export interface QualityNote {
  readonly level: 'good' | 'fair' | 'poor';
  /** Two or three words and a figure. */
  readonly label: string;
  readonly text: string;
}

interface LinkCounts {
  readonly certain: number;
  readonly probable: number;
  readonly unknown: number;
  readonly root: number;
}

/** Entry requests by time and latency. */
export interface HeatMap {
  readonly fromMs: number;
  readonly binMs: number;
  readonly columns: number;
  /** Upper bounds of the latency rows, ms, rising; the last is open. */
  readonly boundsMs: readonly number[];
  /** Answered requests: row-major, latency row × column. */
  readonly counts: readonly number[];
  /** Failed requests per column. */
  readonly failed: readonly number[];
}

export interface ServiceMap {
  readonly nodes: readonly MapNode[];
  readonly edges: readonly MapEdge[];
}

export interface MapNode extends Comparison {
  readonly service: string;
  /** False for an address whose process was not recorded. */
  readonly recorded: boolean;
}

export interface MapEdge extends Comparison {
  readonly from: string;
  readonly to: string;
}

/** What one service adds to the incident beyond what the baseline leads to expect. */
export interface Factor {
  readonly service: string;
  readonly recorded: boolean;
  /** Failures of entry requests that begin here, beyond the expected; and its share of all such. */
  readonly extraFailures: number;
  readonly failureShare: number;
  /** Time on the critical path of entry requests, beyond the expected, ms; and its share of all such. */
  readonly extraMs: number;
  readonly timeShare: number;
  /** Own time on the critical path per request that passed here, ms; null where there were none. */
  readonly ownBeforeMs: number | null;
  readonly ownDuringMs: number | null;
  /** Mean of the shares that exist: 0..1. */
  readonly score: number;
}

export interface ServiceStats extends Comparison {
  readonly service: string;
  readonly hosts: readonly string[];
}

/** Failed entry requests that begin at the same place in the same way. */
export interface ErrorGroup {
  readonly service: string;
  readonly route: string;
  /** "503", "no response", "connection reset". */
  readonly symptom: string;
  /** How it reached the outside, innermost first: "payment 503 → shop 502 → nginx 502". */
  readonly path: string;
  readonly before: number;
  readonly during: number;
  /** How many of them might begin further in, at a failed call that could not be linked. */
  readonly uncertain: number;
  readonly exampleTraceId: string;
}

export type TraceReason = 'failed' | 'slow' | 'typical';

/** One embedded trace; its spans lie in a chunk. */
export interface TraceEntry {
  readonly traceId: string;
  readonly reason: TraceReason;
  readonly service: string;
  readonly route: string;
  readonly target: string;
  /** 0 where none was recorded. */
  readonly status: number;
  readonly startMs: number;
  readonly durationMs: number;
  readonly spans: number;
  readonly minConfidence: number;
  readonly unknownLinks: number;
  /** Which chunk, and its first row there. */
  readonly chunk: number;
  readonly firstRow: number;
}

/** The spans of some traces as columns; embedded compressed, opened on demand. */
export interface TraceChunk {
  readonly rows: number;
  readonly spanId: readonly string[];
  /** Row of the parent in this chunk, -1 none. */
  readonly parent: readonly number[];
  readonly verdict: readonly string[];
  readonly confidence: readonly (number | null)[];
  readonly method: readonly string[];
  readonly candidates: readonly number[];
  readonly service: readonly string[];
  readonly host: readonly string[];
  readonly pid: readonly number[];
  readonly tid: readonly number[];
  readonly isServer: readonly boolean[];
  readonly verb: readonly string[];
  readonly target: readonly string[];
  readonly status: readonly number[];
  readonly failed: readonly boolean[];
  readonly local: readonly string[];
  readonly peer: readonly string[];
  /** Socket cookie, decimal. */
  readonly connection: readonly string[];
  /** Epoch ns, decimal: for queries. */
  readonly startNs: readonly string[];
  readonly startMs: readonly number[];
  readonly endMs: readonly number[];
  readonly firstByteMs: readonly (number | null)[];
  readonly requestBytes: readonly number[];
  readonly responseBytes: readonly number[];
  /** What is missing or odd, in words; empty if nothing. */
  readonly missing: readonly string[];
  /** Pairs of from and to, ms: when this span was on its trace's critical path. */
  readonly critical: readonly (readonly number[])[];
  /** Possible parents, most probable first; empty where none had to be weighed. */
  readonly links: readonly (readonly Candidate[])[];
}

/** A span that may be the parent of another. */
export interface Candidate {
  readonly spanId: string;
  readonly what: string;
  readonly startMs: number | null;
  readonly confidence: number;
  readonly chosen: boolean;
  readonly evidence: readonly {
    readonly rule: string;
    readonly weight: number;
    readonly text: string;
  }[];
}

export interface Method {
  readonly tool: string;
  /** The directory that was read, as the user named it. */
  readonly input: string;
  readonly segments: readonly {
    readonly file: string;
    readonly host: string;
    readonly rows: number;
  }[];
  /** Files of spans of other tracers. */
  readonly imports: readonly {
    readonly file: string;
    /** jaeger, otlp or zipkin. */
    readonly format: string;
    readonly exchanges: number;
  }[];
  readonly traces: number;
  readonly spans: number;
  /** Statements on how the figures were made, in order of appearance. */
  readonly statements: readonly string[];
}

/** What the page hands to the viewer. */
export type ViewerIndex = Pick<Report, 'version' | 'epochNs' | 'heatMap' | 'traces' | 'leftOut'> & {
  readonly input: string;
  readonly segments: readonly string[];
  /** Services in the order that gives them their colours. */
  readonly services: readonly string[];
  readonly chunks: number;
};
