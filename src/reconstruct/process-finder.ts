import type { ProcessRecord } from '../model/process.js';

/** Index of the process that had a pid at a moment (ns after base); 0 where nobody knows it. */
export type ProcessFinder = (host: number, pid: number, time: number) => number;

/** Finds the life of a pid that contains a moment; the last one if none does. */
export function processFinder(processes: readonly ProcessRecord[]): ProcessFinder {
  // Pids have 22 bits at most: both numbers fit one key.
  const keyOf = (host: number, pid: number) => host * 0x1_0000_0000 + pid;
  const lives = new Map<number, number[]>();
  for (const [index, { host, pid }] of processes.entries()) {
    const list = lives.get(keyOf(host, pid));
    if (list === undefined) lives.set(keyOf(host, pid), [index]);
    else list.push(index);
  }
  return (host, pid, time) => {
    const list = lives.get(keyOf(host, pid));
    if (list === undefined) return 0;
    for (const index of list) {
      const { from, to } = processes[index]!;
      if (from <= time && time < to) return index;
    }
    return list[list.length - 1]!;
  };
}
