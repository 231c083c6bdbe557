import { CodedError } from '../model/errors.js';
import type { HostRecord } from '../model/process.js';

/** Rows that one partition should hold: about 40 MB of columns while it is decoded. */
const ROWS_PER_PARTITION = 250_000;
const MOST_PARTITIONS = 256;
const MOST_GROUPS = 32;

/** What the plan needs to know of a segment. */
export interface PlannedSegment {
  readonly path: string;
  readonly rows: number;
  readonly host: string;
  readonly bootId: string;
  readonly fromNs: bigint;
}

/**
 * How a catalog is cut into tasks. Depends on the input alone, never on the number of
 * threads, so that any executor gives the same bytes.
 */
export interface Plan {
  readonly hosts: readonly HostRecord[];
  /** Segments in order of host, then time, with the index of their host. */
  readonly segments: readonly (PlannedSegment & { readonly hostIndex: number })[];
  /** Times count from here, epoch ns: the start of the earliest segment. */
  readonly baseNs: bigint;
  /** Connections are spread over this many decode tasks. */
  readonly partitions: number;
}

/** @throws CodedError INPUT when there is no segment */
export function makePlan(segments: readonly PlannedSegment[]): Plan {
  if (segments.length === 0) {
    throw new CodedError(
      'INPUT',
      'no readable segment was found.',
      '',
      'Give the directory that `aftertrace record --out` wrote.',
    );
  }
  const hosts: HostRecord[] = [];
  const placed = segments.map((segment) => {
    const known = hosts.findIndex(
      ({ host, bootId }) => host === segment.host && bootId === segment.bootId,
    );
    if (known !== -1) return { ...segment, hostIndex: known };
    hosts.push({ host: segment.host, bootId: segment.bootId });
    return { ...segment, hostIndex: hosts.length - 1 };
  });
  const rows = segments.reduce((sum, segment) => sum + segment.rows, 0);
  return {
    hosts,
    segments: placed,
    baseNs: segments.reduce(
      (least, { fromNs }) => (fromNs < least ? fromNs : least),
      segments[0]!.fromNs,
    ),
    partitions: Math.max(1, Math.min(MOST_PARTITIONS, Math.ceil(rows / ROWS_PER_PARTITION))),
  };
}

/** How many causality tasks the processes are spread over. */
export function groupsFor(processes: number): number {
  return Math.max(1, Math.min(MOST_GROUPS, processes));
}
