/** One recorded host during one boot. */
export interface HostRecord {
  /** Host name as recorded. */
  readonly host: string;
  readonly bootId: string;
}

/** One life of one process: pids are reused, so a pid alone names nothing. */
export interface ProcessRecord {
  /** Index into the plan's hosts. */
  readonly host: number;
  readonly pid: number;
  /** Nanoseconds after the base time; -Infinity if it was there before the recording. */
  readonly from: number;
  /** Nanoseconds after the base time; Infinity if it was still there at the end. */
  readonly to: number;
  /** Task name (comm). */
  readonly name: string;
  readonly executable: string;
  readonly command: readonly string[];
  readonly cgroup: string;
  readonly parentPid: number;
  /** The name of the service this process belongs to, and how it was derived. */
  readonly service: string;
  /** Why the plaintext of its TLS was not recorded; absent where it was, or nothing is known. */
  readonly encrypted?: string;
}
