import type { ProcessRuntime } from './hints.js';

/**
 * Kernel events as user space sees them. The numbers are those of `bpf/events.h`
 * (kinds 1..15) plus the kinds the recorder itself makes (16 and up); the layout
 * test compares both sides.
 */

export const EventKind = {
  receive: 1,
  send: 2,
  connection: 3,
  connect: 4,
  established: 5,
  peerClosed: 6,
  close: 7,
  fork: 8,
  exec: 9,
  exit: 10,
  /** A hint: a task woke another one of its process. */
  wake: 11,
  /** A hint: epoll_wait() returned. */
  loop: 12,
  /** A hint: a thread takes a message that was posted to it. */
  post: 13,
  /** A process described from /proc: name = comm, parent = parent pid, detail = {@link ProcessDetail}. */
  process: 16,
  /** Records lost: name = {@link LossCause}, count = how many, detail = {@link LossDetail}. */
  loss: 17,
  /** A monotonic/wall clock pair: count = wall clock in epoch ns at time_ns. */
  clock: 18,
  /** The budget stepped down or up, or where it stands at the start of a segment: name = step, detail = {@link BudgetDetail}. */
  budget: 19,
  /** The recorder was alive: detail = {@link HeartbeatDetail}. */
  heartbeat: 20,
} as const;
export type EventKind = (typeof EventKind)[keyof typeof EventKind];

export const EventFlag = {
  head: 0x0001,
  truncated: 0x0002,
  peek: 0x0004,
  unreadable: 0x0008,
  opaque: 0x0010,
  tls: 0x0020,
  turn: 0x0040,
  total: 0x0080,
  snapshot: 0x0100,
  passive: 0x0200,
  active: 0x0400,
  unix: 0x0800,
  datagram: 0x1000,
  hints: 0x2000,
} as const;

/** JSON in the `detail` column of a process event. */
export interface ProcessDetail {
  /** Path of the executable, '' when it could not be read. */
  readonly executable: string;
  /** Arguments, secrets masked, cut to a bounded length. */
  readonly command: readonly string[];
  /** cgroup path of the process ('' unknown). */
  readonly cgroup: string;
  /** Id of the container the process runs in, as its runtime names it; absent for none. */
  readonly container?: string;
  /** Start time in clock ticks since boot: with the pid it names the process for good. */
  readonly startTicks: number;
  /**
   * What it does TLS with, where something was found: `plaintext` (recorded), `go`, `java`,
   * `no-symbols` (a known library without them) or `refused: ` and why the probes were.
   */
  readonly tls?: string;
  /** Missing in older recordings. */
  readonly runtime?: ProcessRuntime;
}

/** Why something is missing from a recording. */
export const LossCause = {
  /** The ring buffer had no room. */
  ringFull: 'ring-full',
  /** The kernel program was skipped because it was already running on that CPU. */
  recursion: 'recursion',
  /** A record of the ring had a kind or size that the addon does not know. */
  refused: 'refused',
  /** The writer was behind and the batch queue was full. */
  backpressure: 'backpressure',
  /** The disk refused the data, for longer than memory could hold it. */
  disk: 'disk',
  /** The payload could not be read; size and time were kept. */
  payloadUnreadable: 'payload-unreadable',
  /** No per-socket state could be had. */
  socketState: 'socket-state',
  /** The description of the socket was lost: sends and receives without addresses. */
  unknownSocket: 'unknown-socket',
  /** The head is longer than the snap length. */
  snapLength: 'snap-length',
  /** Bytes of a connection passed unrecorded: count = holes, bytes in the detail. */
  sequenceGap: 'sequence-gap',
  /** Left out to keep the budget: the connection is not in the sample. */
  budgetSample: 'budget-sample',
  /** Cut short to keep the budget: the head of a message that tells of no failure. */
  budgetHeads: 'budget-heads',
  /** The wall clock was set: stepNs in the detail. */
  clockStep: 'clock-step',
  /** The host slept: stepNs in the detail is for how long. */
  suspend: 'suspend',
  /** The recorder did not run: what the ring could not hold meanwhile is under ring-full. */
  stall: 'stall',
  /** Plaintext of a TLS library whose connection could not be told. */
  tlsUnjoined: 'tls-unjoined',
  /** No recorder ran between two recordings of a host: found by who reads them. */
  unrecorded: 'unrecorded',
} as const;
export type LossCause = (typeof LossCause)[keyof typeof LossCause];
/** The causes that a recorder counts. */
export type CountedCause = Exclude<LossCause, typeof LossCause.unrecorded>;

/**
 * What a cause does. `missing`: count is records that are not in the recording. `poorer`: they
 * are there, but hold less, or count says what that shows in. `chosen`: left out on purpose, by the
 * budget that the operator set. `time`: nothing is missing, but times need care. `unknown`: nobody can say
 * what is missing.
 */
export type LossEffect = 'missing' | 'poorer' | 'chosen' | 'time' | 'unknown';

const EFFECTS: Readonly<Record<LossCause, LossEffect>> = {
  'ring-full': 'missing',
  recursion: 'missing',
  refused: 'missing',
  backpressure: 'missing',
  disk: 'missing',
  'payload-unreadable': 'poorer',
  'socket-state': 'poorer',
  'unknown-socket': 'poorer',
  'snap-length': 'poorer',
  'tls-unjoined': 'missing',
  'sequence-gap': 'poorer',
  'budget-sample': 'chosen',
  'budget-heads': 'chosen',
  'clock-step': 'time',
  suspend: 'time',
  stall: 'time',
  unrecorded: 'unknown',
};

/** A cause that this version does not know counts as missing: rather too bad than too good. */
export function effectOf(cause: string): LossEffect {
  return Object.hasOwn(EFFECTS, cause) ? EFFECTS[cause as LossCause] : 'missing';
}

/** JSON in the `detail` column of a loss event; the event's own time is the end of the range. */
export interface LossDetail {
  /** Start of the range in which it was lost, epoch ns as a decimal string. */
  readonly fromNs: string;
  /** What was lost and where, in words. */
  readonly scope: string;
  /** sequence-gap: bytes that passed unrecorded. */
  readonly bytes?: number;
  /** clock-step, suspend: by how much the wall clock moved against the monotonic one, ns as a decimal string. */
  readonly stepNs?: string;
}

/** JSON in the `detail` column of a budget event. */
export interface BudgetDetail {
  /** How many steps down, 0 none. */
  readonly level: number;
  /** False while events that only help to find causes are left out. */
  readonly hints: boolean;
  /** Bytes kept of the heads of messages that tell of no failure. */
  readonly headLimit: number;
  /** Connections whose sample key (src/model/sample.ts) is below this are recorded; 2^32 - 1: all. */
  readonly sampleLimit: number;
  /** What was measured against which limit, in words. */
  readonly reason: string;
}

/** JSON in the `detail` column of a heartbeat; totals count from the start of the recording. */
export interface HeartbeatDetail {
  /** Records that the kernel programs made. */
  readonly produced: number;
  /** Of these, records that reached this log or wait for the disk in memory. */
  readonly stored: number;
  /** Records lost between the two, by cause. In a still moment: produced = stored + lost. */
  readonly lost: Readonly<Record<string, number>>;
  /** Rows of kernel kinds that the recorder repeated so that each segment can be understood alone. */
  readonly repeated: number;
  readonly ringUsedBytes: number;
  readonly queuedBatches: number;
  readonly openConnections: number;
  readonly rssBytes: number;
  /** Own CPU time and that of the kernel programs since the last heartbeat, as a share of one processor. */
  readonly cpuShare: number;
  readonly eventsPerSecond: number;
}

/** A heartbeat is written this often; readers take a longer silence than {@link STALL_MS} for a stall. */
export const HEARTBEAT_MS = 10_000;
export const STALL_MS = 2.5 * HEARTBEAT_MS;
