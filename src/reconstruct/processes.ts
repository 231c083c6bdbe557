import { EventKind, type ProcessDetail } from '../model/event.js';
import type { ProcessRecord } from '../model/process.js';
import { whyEncrypted } from '../model/tls.js';
import { serviceName } from './services.js';
import type { ProcessEvent } from './tasks.js';

/** What one host's shards say about its processes. */
export interface HostProcesses {
  /** Events of process life, any order. */
  readonly events: readonly ProcessEvent[];
  /** Process ids that did socket I/O: each must end up with at least one record. */
  readonly pids: Iterable<number>;
}

interface Life {
  pid: number;
  from: number;
  to: number;
  name: string;
  parentPid: number;
  detail: ProcessDetail | undefined;
}

function parseDetail(text: string): ProcessDetail | undefined {
  if (text === '') return undefined;
  try {
    const value = JSON.parse(text) as Partial<ProcessDetail>;
    return {
      executable: String(value.executable ?? ''),
      command: Array.isArray(value.command) ? value.command.map(String) : [],
      cgroup: String(value.cgroup ?? ''),
      startTicks: Number(value.startTicks ?? 0),
      ...(typeof value.tls === 'string' ? { tls: value.tls } : {}),
    };
  } catch {
    return undefined;
  }
}

function newLife(pid: number, from: number, parentPid: number): Life {
  return { pid, from, to: Infinity, name: '', parentPid, detail: undefined };
}

function begin(lives: Map<number, Life[]>, life: Life): Life {
  const list = lives.get(life.pid);
  const last = list?.at(-1);
  if (last !== undefined && last.to > life.from) last.to = life.from;
  if (list === undefined) lives.set(life.pid, [life]);
  else list.push(life);
  return life;
}

function apply(lives: Map<number, Life[]>, event: ProcessEvent, at: number): void {
  const list = lives.get(event.pid);
  const last = list?.at(-1);
  const current = last !== undefined && last.to === Infinity ? last : undefined;
  if (event.kind === EventKind.fork) {
    begin(lives, newLife(event.pid, at, event.parent)).name = event.name;
    return;
  }
  if (event.kind === EventKind.exit) {
    // An exit without a beginning was there before the recording.
    (current ?? begin(lives, newLife(event.pid, -Infinity, 0))).to = at;
    return;
  }
  const detail = parseDetail(event.detail);
  const isOther =
    current?.detail !== undefined &&
    detail !== undefined &&
    current.detail.startTicks !== detail.startTicks;
  const from = list === undefined ? -Infinity : at;
  const life =
    current === undefined || isOther ? begin(lives, newLife(event.pid, from, 0)) : current;
  if (event.name !== '') life.name = event.name;
  if (detail !== undefined) life.detail = detail;
  if (event.kind === EventKind.process && event.parent !== 0) life.parentPid = event.parent;
}

/**
 * Tells the lives of every pid apart, and names their services.
 *
 * @param baseNs epoch ns from which the records' times count
 * @returns records sorted by host, pid, start: the index is the process number of a run
 */
export function buildProcesses(hosts: readonly HostProcesses[], baseNs: bigint): ProcessRecord[] {
  const records: ProcessRecord[] = [];
  for (const [host, { events, pids }] of hosts.entries()) {
    const lives = new Map<number, Life[]>();
    const timed = events
      .map((event) => ({ event, at: Number(BigInt(event.timeNs) - baseNs) }))
      // A description is written before the batch whose fork made it necessary.
      .sort((a, b) => a.at - b.at || a.event.kind - b.event.kind);
    for (const { event, at } of timed) apply(lives, event, at);
    for (const pid of pids) {
      if (!lives.has(pid)) lives.set(pid, [newLife(pid, -Infinity, 0)]);
    }
    const ordered = [...lives.values()].flat().sort((a, b) => a.pid - b.pid || a.from - b.from);
    for (const life of ordered) {
      const facts = {
        pid: life.pid,
        name: life.name,
        executable: life.detail?.executable ?? '',
        command: life.detail?.command ?? [],
      };
      const encrypted = whyEncrypted(life.detail?.tls);
      records.push({
        ...facts,
        host,
        from: life.from,
        to: life.to,
        cgroup: life.detail?.cgroup ?? '',
        parentPid: life.parentPid,
        service: serviceName(facts),
        ...(encrypted === '' ? {} : { encrypted }),
      });
    }
  }
  return records;
}
