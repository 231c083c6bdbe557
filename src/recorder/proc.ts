import { closeSync, openSync, readFileSync, readlinkSync, readSync } from 'node:fs';
import { hostname, release } from 'node:os';
import type { ProcessDetail } from '../model/event.js';
import { maskCommandLine } from './redaction-policy.js';
import { type DetectedRuntime, detectRuntime } from './runtimes.js';

/** Bytes of a command line that are looked at, and of each argument that are kept. */
const MOST_COMMAND = 4096;
const MOST_ARGUMENTS = 32;
const MOST_ARGUMENT = 256;

/** What names this host and boot. */
export interface HostFacts {
  readonly host: string;
  readonly bootId: string;
  readonly kernel: string;
}

export function readHost(): HostFacts {
  const bootId = readText('/proc/sys/kernel/random/boot_id').trim();
  return { host: hostname(), bootId, kernel: release() };
}

/** A process as /proc shows it. */
export interface ProcessFacts {
  readonly name: string;
  readonly parentPid: number;
  readonly detail: ProcessDetail;
  readonly runtime: DetectedRuntime;
}

/** Up to `most` bytes of a small file, '' if it cannot be read. */
function readText(path: string, most = 4096): string {
  try {
    const fd = openSync(path, 'r');
    try {
      const buffer = Buffer.alloc(most);
      return buffer.subarray(0, readSync(fd, buffer, 0, most, 0)).toString('utf8');
    } finally {
      closeSync(fd);
    }
  } catch {
    return '';
  }
}

function readExecutable(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return '';
  }
}

/** Parent pid and start time: fields 4 and 22 of stat; the name before them may hold anything. */
function readStat(pid: number): { parentPid: number; startTicks: number } | undefined {
  const text = readText(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (fields.length < 20) return undefined;
  return { parentPid: Number(fields[1]), startTicks: Number(fields[19]) };
}

/** Reads what /proc says of a process; undefined when it is gone. Secrets in arguments are masked. */
export function readProcess(pid: number): ProcessFacts | undefined {
  const stat = readStat(pid);
  if (stat === undefined) return undefined;
  const args = readText(`/proc/${pid}/cmdline`, MOST_COMMAND).replace(/\0+$/, '').split('\0');
  const executable = readExecutable(pid);
  const cgroup = /^0::(.*)$/m.exec(readText(`/proc/${pid}/cgroup`))?.[1] ?? '';
  return {
    name: readText(`/proc/${pid}/comm`).replace(/\n$/, ''),
    parentPid: stat.parentPid,
    detail: {
      executable,
      command: maskCommandLine(args.slice(0, MOST_ARGUMENTS)).map((arg) =>
        arg.slice(0, MOST_ARGUMENT),
      ),
      cgroup,
      startTicks: stat.startTicks,
    },
    runtime: detectRuntime(pid, executable),
  };
}

/** True while the process that started at `startTicks` runs. */
export function isRunning(pid: number, startTicks: number): boolean {
  return readStat(pid)?.startTicks === startTicks;
}

export function startTicksOf(pid: number): number {
  return readStat(pid)?.startTicks ?? 0;
}

/** Wall clock now, epoch ns (microseconds of precision). */
export function wallNowNs(): bigint {
  const milliseconds = performance.timeOrigin + performance.now();
  return BigInt(Math.round(milliseconds * 1000)) * 1000n;
}

/** Contents of a file under /proc or /sys, undefined when it cannot be read. */
export function readSystemFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
