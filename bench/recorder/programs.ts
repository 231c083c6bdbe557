import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** What a kernel program ran so far, by the kernel's own measure (kernel.bpf_stats_enabled). */
export interface ProgramRuns {
  readonly name: string;
  readonly runs: number;
  readonly ns: number;
}

/** Ids of the programs that a process holds: others may be recording on the same host. */
function idsOf(pid: number): Set<number> {
  const directory = `/proc/${pid}/fdinfo`;
  const ids = readdirSync(directory).map((descriptor) => {
    try {
      return /^prog_id:\s+(\d+)$/m.exec(readFileSync(`${directory}/${descriptor}`, 'utf8'))?.[1];
    } catch {
      // Closed since it was listed.
      return undefined;
    }
  });
  return new Set(ids.filter((id) => id !== undefined).map(Number));
}

/** The programs of a recorder by id. */
export function programsOf(pid: number): Map<number, ProgramRuns> {
  const shown: unknown = JSON.parse(
    execFileSync('bpftool', ['prog', 'show', '-j'], { encoding: 'utf8' }),
  );
  const programs = shown as { id: number; name: string; run_cnt?: number; run_time_ns?: number }[];
  const ids = idsOf(pid);
  return new Map(
    programs
      .filter(({ id }) => ids.has(id))
      .map(({ id, name, run_cnt = 0, run_time_ns = 0 }) => [
        id,
        { name, runs: run_cnt, ns: run_time_ns },
      ]),
  );
}

/** What ran between two moments, by program. */
export function runsBetween(
  before: ReadonlyMap<number, ProgramRuns>,
  after: ReadonlyMap<number, ProgramRuns>,
): ProgramRuns[] {
  return [...after].map(([id, { name, runs, ns }]) => {
    const first = before.get(id);
    return { name, runs: runs - (first?.runs ?? 0), ns: ns - (first?.ns ?? 0) };
  });
}
