/** Version of the segment format. Raised when an older reader would misread a newer file. */
export const FORMAT_VERSION = 1;

/**
 * What told the recorder of sends and receives: tracepoints in the kernel's socket calls (Linux 6.3 and
 * newer), or system calls that returned, which show nothing of io_uring.
 */
export const CAPTURES = ['socket', 'syscall'] as const;
export type Capture = (typeof CAPTURES)[number];

/**
 * What a segment says about itself: stored as file metadata, so that a segment
 * can be understood without the others. All times are UTC epoch nanoseconds as
 * decimal strings, because they do not fit a double.
 */
export interface SegmentHeader {
  /** Always {@link FORMAT_VERSION} in files of this version. */
  readonly formatVersion: number;
  /** Name and version of the recorder. */
  readonly tool: string;
  /** Host name at the time of recording. */
  readonly host: string;
  /** /proc/sys/kernel/random/boot_id: pids, sockets and monotonic time are of this boot. */
  readonly bootId: string;
  /** Kernel release (uname -r). */
  readonly kernel: string;
  /** Number of this segment in its recording, from 1. */
  readonly sequence: number;
  /** Random id that all segments of one run of the recorder share. */
  readonly recordingId: string;
  /** When the segment was opened. */
  readonly startNs: string;
  /** Added to CLOCK_MONOTONIC it gives the epoch time of the events. */
  readonly monotonicOffsetNs: string;
  /** Files from before there was a choice say socket. */
  readonly capture: Capture;
  /** Most payload bytes kept of one message head. */
  readonly snaplen: number;
  /** What was masked before the bytes reached the disk, in words. */
  readonly redaction: string;
  /** What was not recorded on purpose (ports, processes, cgroups), in words; '' if nothing. */
  readonly filters: string;
}
