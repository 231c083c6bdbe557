/**
 * reconstruction.json: what a reconstruction read, what it found and what it
 * missed. Written beside spans.parquet; the report's data-quality section is made
 * from it. Holds nothing that differs between two runs on the same input.
 */
export interface Reconstruction {
  readonly version: 1;
  /** Name and version of the program. */
  readonly tool: string;
  /** Recorded range, UTC epoch ns as decimal strings. */
  readonly fromNs: string;
  readonly toNs: string;
  readonly segments: readonly SegmentSummary[];
  /** Files of imported spans; absent where there are none. */
  readonly imports?: readonly ImportSummary[];
  /** Files that could not be used, with the reason. */
  readonly unreadable: readonly { readonly file: string; readonly reason: string }[];
  readonly losses: readonly LossSummary[];
  /** Stretches in which a recorder left things out to keep its budget; absent where there are none. */
  readonly budget?: readonly BudgetSummary[];
  /** Services whose TLS, where they use it, was recorded as it is; absent where there are none. */
  readonly encrypted?: readonly EncryptedService[];
  /** Services whose traffic carries ids: how their calls are linked without; absent where there are none. */
  readonly audits?: readonly AuditSummary[];
  readonly counts: ReconstructionCounts;
  /** Links of client spans to the server span that caused them, by verdict. */
  readonly links: {
    readonly certain: number;
    readonly probable: number;
    readonly unknown: number;
    readonly root: number;
  };
  readonly services: readonly ServiceSummary[];
  /** Clock difference between two hosts as their shared hops show it. */
  readonly skews: readonly {
    readonly from: string;
    readonly to: string;
    readonly offsetNs: number;
    readonly uncertaintyNs: number;
    readonly hops: number;
  }[];
}

export interface SegmentSummary {
  readonly file: string;
  readonly host: string;
  readonly bootId: string;
  readonly fromNs: string;
  readonly toNs: string;
  readonly rows: number;
  readonly bytes: number;
  /** True for an open or crashed segment that was read up to its last whole batch. */
  readonly partial: boolean;
}

export interface ImportSummary {
  readonly file: string;
  /** jaeger, otlp or zipkin. */
  readonly format: string;
  /** True if the file's own parents were kept: its links are then stated, not inferred. */
  readonly parentsKept: boolean;
  readonly exchanges: number;
  readonly bytes: number;
  /** First start and last end, UTC epoch ns. */
  readonly fromNs: string;
  readonly toNs: string;
}

export interface LossSummary {
  readonly host: string;
  readonly cause: string;
  readonly count: number;
  readonly fromNs: string;
  readonly toNs: string;
  readonly scope: string;
  /** clock-step, suspend: by how much the wall clock moved, ns as a decimal string. */
  readonly stepNs?: string;
  /** sequence-gap: bytes that passed unrecorded. */
  readonly bytes?: number;
}

export interface BudgetSummary {
  readonly host: string;
  /** Name of the step, and how many steps down it is. */
  readonly step: string;
  readonly level: number;
  /** Connections whose sample key was below this were recorded; 2^32 - 1: all. */
  readonly sampleLimit: number;
  readonly reason: string;
  readonly fromNs: string;
  readonly toNs: string;
}

export interface EncryptedService {
  readonly service: string;
  readonly host: string;
  /** Why, in words. */
  readonly reason: string;
}

/** Calls of which an id in band tells the request, among several that were open, by how they are linked without it. */
export interface AuditCounts {
  readonly calls: number;
  readonly right: number;
  readonly wrong: number;
  readonly unknown: number;
  /** Sum of the confidences of the links made, right and wrong. */
  readonly claimed: number;
}

export interface AuditSummary extends AuditCounts {
  readonly service: string;
  readonly host: string;
}

interface ReconstructionCounts {
  readonly events: number;
  readonly connections: number;
  /** Connections that never showed HTTP/1. */
  readonly opaqueConnections: number;
  readonly clientExchanges: number;
  readonly serverExchanges: number;
  /** Client exchanges joined with the server exchange at the other end. */
  readonly hops: number;
  /** Exchanges whose other end should have been recorded (its process is on a recorded host) but was not found. */
  readonly unmatched: number;
  readonly traces: number;
}

export interface ServiceSummary {
  readonly service: string;
  readonly host: string;
  readonly pids: readonly number[];
  /** How its outgoing calls find their parents, in words. */
  readonly model: string;
  readonly links: {
    readonly certain: number;
    readonly probable: number;
    readonly unknown: number;
    readonly root: number;
  };
}
