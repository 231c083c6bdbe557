import type { ProcessRecord } from '../model/process.js';
import type { AuditCounts, LossSummary, SegmentSummary } from '../model/reconstruction.js';

/**
 * The plan's tasks. Each is a pure function of the files it names: it reads them,
 * writes the files it says, and returns only small facts. So a task may run on any
 * thread, or on another machine that sees the same files.
 */
export interface Tasks {
  /** One segment -> one shard file per partition, rows in segment order. */
  shard: { in: ShardInput; out: ShardOutput };
  /** One partition's shards -> exchanges, split by process group, and hops. */
  decode: { in: DecodeInput; out: DecodeOutput };
  /** One file of imported exchanges -> exchanges as decode writes them. */
  adopt: { in: AdoptInput; out: DecodeOutput };
  /** One segment's hints -> hints by process group. */
  sort: { in: SortInput; out: SortOutput };
  /** One process group's exchanges -> a link per client exchange. */
  causality: { in: CausalityInput; out: CausalityOutput };
}
export type TaskName = keyof Tasks;

export interface ShardInput {
  readonly segment: string;
  /** Keys for it if it is encrypted. */
  readonly identities: readonly string[];
  /** Index into the plan's hosts. */
  readonly host: number;
  /** Where the shard files go: `<directory>/<partition>.arrow`. */
  readonly directory: string;
  readonly partitions: number;
  /** Decimal epoch ns: times of hints count from here. */
  readonly baseNs: string;
  /** Only events in [fromNs, toNs) (decimal epoch ns); open where undefined. */
  readonly fromNs?: string;
  readonly toNs?: string;
}
export interface ShardOutput {
  readonly summary: SegmentSummary;
  /** Shard files written, by partition; undefined where the partition got no row. */
  readonly files: readonly (string | undefined)[];
  /** File of hints (HINT_COLUMNS, process not yet known); undefined where there are none. */
  readonly hints: string | undefined;
  /** fork, exec, exit and process events in time order: few per segment. */
  readonly processEvents: readonly ProcessEvent[];
  /** Every process id that did socket I/O in the segment. */
  readonly pids: readonly number[];
  readonly losses: readonly LossSummary[];
  readonly recordingId: string;
  /** What the recorder says of itself, in segment order: few per segment. */
  readonly chronicle: readonly ChronicleEvent[];
}

/** A clock, budget or heartbeat event. */
export interface ChronicleEvent {
  readonly kind: number;
  /** Epoch ns as a decimal string. */
  readonly timeNs: string;
  /** clock: what the wall clock said, likewise. */
  readonly wallNs: string;
  readonly name: string;
  readonly detail: string;
}

/** One event of process life, as the plan needs it to tell lives of a pid apart. */
export interface ProcessEvent {
  readonly kind: number;
  /** Epoch ns as a decimal string. */
  readonly timeNs: string;
  readonly pid: number;
  readonly tid: number;
  readonly parent: number;
  readonly name: string;
  /** JSON of ProcessDetail, '' if none. */
  readonly detail: string;
}

export interface DecodeInput {
  /** Shard files of this partition, in time order, with their host. */
  readonly shards: readonly { readonly file: string; readonly host: number }[];
  readonly hosts: readonly { readonly bootId: string }[];
  readonly processes: readonly ProcessRecord[];
  /** Decimal epoch ns: times in the exchange table count from here. */
  readonly baseNs: string;
  /** Where `<group>.arrow` exchange files go. */
  readonly directory: string;
  /** Exchanges are split by process index modulo this. */
  readonly groups: number;
}
export interface DecodeOutput {
  readonly files: readonly (string | undefined)[];
  readonly connections: number;
  readonly opaqueConnections: number;
  readonly clientExchanges: number;
  readonly serverExchanges: number;
}

export interface SortInput {
  /** A segment's file of hints, and its host: index into the plan's hosts. */
  readonly file: string;
  readonly host: number;
  readonly processes: readonly ProcessRecord[];
  /** Where `<group>.arrow` hint files go. */
  readonly directory: string;
  /** Hints are split by process index modulo this. */
  readonly groups: number;
}
export interface SortOutput {
  readonly files: readonly (string | undefined)[];
}

export interface AdoptInput {
  /** File of imported exchanges. */
  readonly file: string;
  /** Index into the plan's hosts. */
  readonly host: number;
  /** Index of the process that stands for the import's first service. */
  readonly firstProcess: number;
  /** Decimal epoch ns: times in the file count from here, times in the exchange table from the other. */
  readonly fileBaseNs: string;
  readonly baseNs: string;
  /** Only exchanges that begin in [fromNs, toNs) (decimal epoch ns); open where undefined. */
  readonly fromNs?: string;
  readonly toNs?: string;
  /** Where `<group>.arrow` exchange files go. */
  readonly directory: string;
  /** Exchanges are split by process index modulo this. */
  readonly groups: number;
}

export interface CausalityInput {
  /** Exchange files of this process group, one per partition. */
  readonly exchanges: readonly string[];
  /** Hint files of this process group, segments in order of time. */
  readonly hints: readonly string[];
  /** Where the causes go (CAUSE_COLUMNS). */
  readonly output: string;
  /** Least posterior of a link, 0..1; default DEFAULT_MIN_CONFIDENCE. */
  readonly minConfidence?: number;
  /** False leaves values that requests and calls share aside; default true. */
  readonly tokens?: boolean;
}
export interface CausalityOutput {
  readonly file: string;
  /** How the outgoing calls of each process found their parents, in words. */
  readonly models: readonly { readonly process: number; readonly model: string }[];
  /** Of processes whose traffic carries ids: how their calls are linked without them. */
  readonly audits: readonly ({ readonly process: number } & AuditCounts)[];
}
