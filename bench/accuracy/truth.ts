import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** What the services themselves say happened: the scorer's secret. */
export interface Truth {
  /** Per hop key: the key of the request that caused the call, null where none did. */
  readonly parentOf: ReadonlyMap<string, string | null>;
  /** Per hop key: the service that made the call. */
  readonly callerOf: ReadonlyMap<string, string>;
  /** Keys of requests that a service says it served. */
  readonly served: ReadonlySet<string>;
}

/** What was logged within this of the recording's ends may not be in it as a whole, ms. */
const MARGIN_MS = 1000;

/**
 * Reads `<service>.jsonl` truth logs: lines {in, out, t} for calls, {in, status, t} for
 * requests served. Users' requests that began or ended outside the recording are left out,
 * with everything they caused.
 *
 * @param window the recorded range, epoch ms; left out where the logs hold nothing else
 */
export function readTruth(directory: string, window?: { from: number; to: number }): Truth {
  const from = window === undefined ? -Infinity : window.from + MARGIN_MS;
  const to = window === undefined ? Infinity : window.to - MARGIN_MS;
  const parentOf = new Map<string, string | null>();
  const callerOf = new Map<string, string>();
  const served = new Set<string>();
  for (const file of readdirSync(directory).filter((name) => name.endsWith('.jsonl'))) {
    const service = basename(file, '.jsonl');
    for (const line of readFileSync(join(directory, file), 'utf8').split('\n')) {
      if (line === '') continue;
      const entry = JSON.parse(line) as { in: string | null; out?: string; t: number };
      if (entry.t < from || entry.t > to) continue;
      if (entry.out !== undefined) {
        parentOf.set(entry.out, entry.in);
        callerOf.set(entry.out, service);
      } else if (entry.in !== null) served.add(entry.in);
    }
  }
  return { parentOf, callerOf, served };
}

/** The hop key in a request target, undefined if there is none. */
export function keyOf(target: string): string | undefined {
  return /[?&]k=([0-9a-f]{16})/.exec(target)?.[1];
}
