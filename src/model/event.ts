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
  /** A process described from /proc: name = comm, parent = parent pid, detail = {@link ProcessDetail}. */
  process: 16,
  /** Records lost: name = {@link LossCause}, count = how many, detail = {@link LossDetail}. */
  loss: 17,
  /** A monotonic/wall clock pair: count = wall clock in epoch ns at time_ns. */
  clock: 18,
  /** The budget stepped down or up: name = step, detail = what it means. */
  budget: 19,
  /** The recorder was alive. */
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
  /** The payload could not be read; size and time were kept. */
  payloadUnreadable: 'payload-unreadable',
  /** No per-socket state could be had. */
  socketState: 'socket-state',
  /** Plaintext of a TLS library whose connection could not be told. */
  tlsUnjoined: 'tls-unjoined',
  /** The writer was behind and the batch queue was full. */
  backpressure: 'backpressure',
  /** The disk refused the data. */
  disk: 'disk',
} as const;
export type LossCause = (typeof LossCause)[keyof typeof LossCause];

/** JSON in the `detail` column of a loss event; the event's own time is the end of the range. */
export interface LossDetail {
  /** Start of the range in which it was lost, epoch ns as a decimal string. */
  readonly fromNs: string;
  /** What was lost and where, in words. */
  readonly scope: string;
}
