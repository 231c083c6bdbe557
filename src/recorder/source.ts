import type { Batch } from '../model/batch.js';
import type { CountedCause } from '../model/event.js';
import type { HintRefusals } from '../model/hints.js';
import type { Capture } from '../model/segment.js';
import type { GoLayout } from './go-layout.js';
import type { RedactionPolicy } from './redaction-policy.js';

/** What to capture. An empty list accepts everything; every list that is not empty must accept. */
export interface CaptureOptions {
  /** Bytes of one message head that are kept, 0..4096. */
  readonly snaplen: number;
  /** Size of the ring between kernel and recorder; rounded up to a power of two. */
  readonly ringBytes: number;
  /** Local or remote TCP ports. */
  readonly ports: readonly number[];
  /** Process ids in the initial pid namespace. */
  readonly pids: readonly number[];
  /** Process names as the kernel keeps them: compared by their first 15 bytes. */
  readonly names: readonly string[];
  /** cgroup v2 ids; a cgroup includes those below it. */
  readonly cgroups: readonly bigint[];
  /** Kinds of hints that processes may give: bits of HintKind. */
  readonly hints: number;
  /** Probe TLS libraries for their plaintext; default false. */
  readonly tls?: boolean;
  /** What tells of sends and receives; default auto: the best that this kernel has. */
  readonly capture?: Capture | 'auto';
  /** Mask secrets before a batch is delivered; undefined delivers heads as captured. */
  readonly redaction?: RedactionPolicy;
}

/** Bounds of {@link CaptureOptions}. */
export const CAPTURE_LIMITS = {
  snaplen: 4096,
  ringBytes: { least: 64 * 1024, most: 1024 * 1024 * 1024 },
  /** Values per filter. */
  values: 1024,
} as const;

/** Facts about a source that hold as long as it lives. */
export interface SourceInfo {
  /** time_ns minus the kernel's monotonic clock, fixed when the source was opened. */
  readonly monotonicOffsetNs: bigint;
  readonly capture: Capture;
  readonly snaplen: number;
  /** The size the ring really has. */
  readonly ringBytes: number;
  /** True if secrets are masked in what is delivered. */
  readonly redacted: boolean;
}

/** Losses that a source counts by itself. */
export type SourceLoss = Exclude<
  CountedCause,
  'disk' | 'sequence-gap' | 'budget-heads' | 'clock-step' | 'suspend' | 'stall'
>;

/** Running totals since start. */
export interface SourceStats {
  /** Records that the kernel programs made: in a still moment events + ring-full + refused + backpressure. */
  readonly produced: number;
  /** Rows that were put into delivered or queued batches. */
  readonly events: number;
  /** By cause; see LossCause. */
  readonly dropped: Readonly<Record<SourceLoss, number>>;
  /** Of payload-unreadable, how many by system call that moved the bytes. */
  readonly unreadableCalls: Readonly<Record<string, number>>;
  readonly ringUsedBytes: number;
  readonly batches: number;
  readonly queuedBatches: number;
  /** ns spent in the kernel programs; stays 0 where the kernel does not measure it. */
  readonly runTimeNs: number;
}

/** Bytes of one connection that passed unrecorded. */
export interface StreamGap {
  /** 0n: connections that had no room in the list, together. */
  readonly connection: bigint;
  readonly holes: number;
  readonly bytes: number;
  /** Of the first and the last event behind a hole, epoch ns. */
  readonly fromNs: bigint;
  readonly toNs: bigint;
}

/** One reading of the kernel's clocks. */
export interface ClockReading {
  /** CLOCK_MONOTONIC. */
  readonly monotonicNs: bigint;
  /** By how much CLOCK_REALTIME and CLOCK_BOOTTIME are ahead of it. */
  readonly wallOffsetNs: bigint;
  readonly bootOffsetNs: bigint;
}

/** What the kernel programs leave out to keep the recorder's budget. */
export interface Throttle {
  /** Bytes kept of the heads of messages that tell of no failure; the snap length: no limit. */
  readonly headLimit: number;
  /** Connections whose sample key is below this are recorded; {@link SAMPLE_ALL}: all. */
  readonly sampleLimit: number;
}

/** What a process was found to use for TLS. */
export interface TlsFinding {
  readonly pid: number;
  /** plaintext: it is seen, unless `detail` says why not; the others: it is not. */
  readonly kind: 'plaintext' | 'no-symbols' | 'go' | 'java';
  /** Path of the library or program, as the process sees it. */
  readonly path: string;
  /** Why the kernel refused the probes; '' if it did not. */
  readonly detail: string;
}

/** State of the probes in TLS libraries. */
export interface TlsState {
  /** Libraries, and programs with one linked in, that are probed now. */
  readonly targets: number;
  readonly probes: number;
  /** Targets with a probe at an instruction that the kernel has to single-step: several times dearer. */
  readonly stepped: number;
  /** Found since the last call; the same may come again. */
  readonly findings: readonly TlsFinding[];
}

/** Where batches come from: the kernel, or segments played again. */
export interface EventSource {
  readonly info: SourceInfo;
  /**
   * Starts delivering, at most once. Batches arrive in ring order, which is nearly time order:
   * processors overtake each other by microseconds. The payload of a batch may be changed by the callee.
   * It holds until that returns: its memory is used again, and columns of zeros share theirs.
   *
   * @param onBeat called about once a second, behind the batches of that second: who also works by the
   *   second wakes up once for both
   */
  start(onBatch: (batch: Batch) => void, onBeat: () => void): void;
  stats(): SourceStats;
  /** The holes in the streams of connections found since the last call. */
  takeGaps(): StreamGap[];
  clocks(): ClockReading;
  /** Takes effect with the next event. */
  throttle(knobs: Throttle): void;
  /**
   * Says which hints a process gives from now on: bits of HintKind, 0 none. Kinds that are off are
   * ignored; those of Go need the layout of its runtime. Returns which of them it cannot give.
   */
  setHints(pid: number, kinds: number, go?: GoLayout): HintRefusals;
  /** While paused no process gives hints, except those of threads. */
  pauseHints(paused: boolean): void;
  /** undefined where the plaintext of TLS is not recorded. */
  tls?(): TlsState | undefined;
  /** Ends the recording and resolves when everything recorded so far was delivered. */
  stop(): Promise<void>;
}
