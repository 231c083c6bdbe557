import type { Batch } from '../model/batch.js';
import { EventFlag, EventKind } from '../model/event.js';
import { type ProcessFacts, readProcess } from './proc.js';
import type { Row } from './rows.js';
import type { TlsFinding } from './source.js';

/** Connections and processes remembered at most; beyond, the oldest are described no more. */
const MOST_CONNECTIONS = 200_000;
const MOST_PROCESSES = 32_768;

const TEXT = new TextDecoder();

function textAt(column: Batch['name'], row: number): string {
  return TEXT.decode(column.data.subarray(column.offsets[row]!, column.offsets[row + 1]!));
}

/**
 * Who is there: open connections and the processes that own them, kept so that every
 * segment can begin with a description of both and be understood without the others.
 */
export class Roster {
  private readonly connections = new Map<bigint, Row>();
  private readonly processes = new Map<number, ProcessFacts | undefined>();
  /** What processes do TLS with, those not otherwise known included. */
  private readonly tls = new Map<number, string>();

  constructor(
    private readonly read: (pid: number) => ProcessFacts | undefined = readProcess,
    private readonly forget: (pid: number) => void = () => {},
  ) {}

  /**
   * Notes what a batch says about connections and processes.
   * @returns rows that describe the processes seen for the first time
   */
  observe(batch: Batch): Row[] {
    const fresh: Row[] = [];
    let lastPid = -1;
    for (let row = 0; row < batch.rows; row++) {
      const kind = batch.kind[row]!;
      const pid = batch.pid[row]!;
      if (kind === EventKind.receive || kind === EventKind.send) {
        if (pid !== lastPid) this.meet(pid, batch.time_ns[row]!, fresh);
        lastPid = pid;
      } else this.observeLife(batch, row, kind, pid, fresh);
    }
    return fresh;
  }

  private observeLife(batch: Batch, row: number, kind: number, pid: number, fresh: Row[]): void {
    switch (kind) {
      case EventKind.connection:
        this.remember(batch, row);
        this.meet(pid, batch.time_ns[row]!, fresh);
        break;
      case EventKind.close:
        this.connections.delete(batch.connection[row]!);
        break;
      case EventKind.exec:
        // The image changed: what was known of the process no longer holds.
        this.forget(pid);
        if (this.processes.delete(pid)) this.meet(pid, batch.time_ns[row]!, fresh);
        break;
      case EventKind.exit:
        if (batch.tid[row] !== pid) break;
        this.processes.delete(pid);
        this.tls.delete(pid);
        this.forget(pid);
        break;
      default:
    }
  }

  private remember(batch: Batch, row: number): void {
    if (this.connections.size >= MOST_CONNECTIONS) {
      const oldest = this.connections.keys().next().value;
      if (oldest !== undefined) this.connections.delete(oldest);
    }
    this.connections.set(batch.connection[row]!, {
      timeNs: batch.time_ns[row]!,
      kind: EventKind.connection,
      flags: batch.flags[row]! | EventFlag.snapshot,
      pid: batch.pid[row]!,
      tid: batch.tid[row]!,
      connection: batch.connection[row]!,
      sequence: batch.sequence[row]!,
      peerSequence: batch.peer_sequence[row]!,
      localPort: batch.local_port[row]!,
      remotePort: batch.remote_port[row]!,
      netns: batch.netns[row]!,
      cgroup: batch.cgroup[row]!,
      localAddress: textAt(batch.local_address, row),
      remoteAddress: textAt(batch.remote_address, row),
    });
  }

  private meet(pid: number, timeNs: bigint, fresh: Row[]): void {
    if (this.processes.has(pid)) return;
    if (this.processes.size >= MOST_PROCESSES) {
      const oldest = this.processes.keys().next().value;
      if (oldest !== undefined) this.processes.delete(oldest);
    }
    const facts = this.read(pid);
    this.processes.set(pid, facts);
    if (facts !== undefined) fresh.push(this.describe(pid, facts, timeNs));
  }

  /**
   * Notes what processes do TLS with.
   * @returns rows that describe anew those it is news of
   */
  learnTls(findings: readonly TlsFinding[], timeNs: bigint): Row[] {
    const fresh: Row[] = [];
    for (const { pid, kind, detail } of findings) {
      const text = detail === '' ? kind : `refused: ${detail}`;
      const known = this.tls.get(pid);
      // Of several libraries the one that is seen through counts.
      if (known === text || known === 'plaintext') continue;
      if (this.tls.size >= MOST_PROCESSES) this.tls.clear();
      this.tls.set(pid, text);
      const facts = this.processes.get(pid);
      if (facts !== undefined) fresh.push(this.describe(pid, facts, timeNs));
    }
    return fresh;
  }

  private describe(pid: number, facts: ProcessFacts, timeNs: bigint): Row {
    const tls = this.tls.get(pid);
    return {
      timeNs,
      kind: EventKind.process,
      pid,
      tid: pid,
      parent: facts.parentPid,
      name: facts.name,
      detail: JSON.stringify(tls === undefined ? facts.detail : { ...facts.detail, tls }),
    };
  }

  /** Rows that describe all open connections and known processes, for the head of a segment. */
  describeAll(timeNs: bigint): Row[] {
    const rows: Row[] = [];
    for (const [pid, facts] of this.processes) {
      if (facts !== undefined) rows.push(this.describe(pid, facts, timeNs));
    }
    for (const connection of this.connections.values()) rows.push({ ...connection, timeNs });
    return rows;
  }

  get openConnections(): number {
    return this.connections.size;
  }
}
