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

/** What the plan needs to know of a file of imported exchanges. */
export interface PlannedImport {
  readonly path: string;
  readonly host: string;
  readonly bootId: string;
  readonly services: readonly string[];
  readonly baseNs: bigint;
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
  /** Files of imported exchanges, each a ready-made partition, with the index of their host. */
  readonly imports: readonly (PlannedImport & { readonly hostIndex: number })[];
  /** Times count from here, epoch ns: the start of the earliest segment or import. */
  readonly baseNs: bigint;
  /** Connections are spread over this many decode tasks. */
  readonly partitions: number;
}

/** Numbers hosts in order of appearance. */
function hostNumbers(hosts: HostRecord[]): (of: HostRecord) => number {
  return (of) => {
    const known = hosts.findIndex(({ host, bootId }) => host === of.host && bootId === of.bootId);
    return known !== -1 ? known : hosts.push({ host: of.host, bootId: of.bootId }) - 1;
  };
}

/** @throws CodedError INPUT when there is neither segment nor import */
export function makePlan(
  segments: readonly PlannedSegment[],
  imports: readonly PlannedImport[] = [],
): Plan {
  const starts = [...segments, ...imports].map(({ fromNs }) => fromNs);
  if (starts.length === 0) {
    throw new CodedError(
      'INPUT',
      'no readable segment was found.',
      '',
      'Give the directory that `aftertrace record --out` wrote.',
    );
  }
  const hosts: HostRecord[] = [];
  const numberOf = hostNumbers(hosts);
  const rows = segments.reduce((sum, segment) => sum + segment.rows, 0);
  return {
    segments: segments.map((segment) => ({ ...segment, hostIndex: numberOf(segment) })),
    imports: imports.map((file) => ({ ...file, hostIndex: numberOf(file) })),
    hosts,
    baseNs: starts.reduce((least, start) => (start < least ? start : least)),
    partitions: Math.max(1, Math.min(MOST_PARTITIONS, Math.ceil(rows / ROWS_PER_PARTITION))),
  };
}

/** How many causality tasks the processes are spread over. */
export function groupsFor(processes: number): number {
  return Math.max(1, Math.min(MOST_GROUPS, processes));
}
