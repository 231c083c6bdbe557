import { readdirSync } from 'node:fs';
import { type HintName, type HintRefusals, hintBits, type RuntimeName } from '../model/hints.js';
import { type ProcessFacts, readProcess } from './proc.js';
import type { DetectedRuntime } from './runtimes.js';
import type { EventSource } from './source.js';

/** Which hints tell something in which runtime. Those of threads are for all. */
const BY_RUNTIME: Partial<Record<RuntimeName, readonly HintName[]>> = {
  dotnet: ['lease', 'wakes'],
  go: ['go'],
  java: ['lease', 'wakes'],
  node: ['async', 'posts'],
  python: ['wakes', 'loop', 'executor'],
};

function canGive({ go, asyncio, queues }: DetectedRuntime, hint: HintName): boolean {
  if (hint === 'go') return go !== undefined;
  if (hint === 'executor') return queues === true;
  return hint !== 'loop' || asyncio === true;
}

/**
 * Tells the source which hints each process gives, by its runtime, so that no process pays for
 * what only another runtime needs.
 */
export class HintedProcesses {
  /** By pid, when the process started: a second reading of it changes nothing. And what it refused then. */
  private readonly told = new Map<number, { startTicks: number; refused: HintRefusals }>();

  /** @param wanted the kinds that this recording uses */
  constructor(
    private readonly source: EventSource,
    private readonly wanted: readonly HintName[],
    private readonly readFacts: (pid: number) => ProcessFacts | undefined = readProcess,
  ) {}

  /** Reads what /proc says of a process, and lets it give its hints from now on. */
  readonly read = (pid: number): ProcessFacts | undefined => {
    const facts = this.readFacts(pid);
    if (facts === undefined) return undefined;
    const { name, version, go } = facts.runtime;
    const asked = (BY_RUNTIME[name] ?? []).filter(
      (hint) => this.wanted.includes(hint) && canGive(facts.runtime, hint),
    );
    const { startTicks } = facts.detail;
    if (this.told.get(pid)?.startTicks !== startTicks) {
      this.forget(pid);
      if (asked.length > 0) {
        const refused = this.source.setHints(pid, hintBits(asked), go);
        this.told.set(pid, { startTicks, refused });
      }
    }
    const refused = this.told.get(pid)?.refused ?? {};
    const hints = asked.filter((hint) => refused[hint] === undefined);
    const runtime = {
      ...{ name, version, hints },
      ...(Object.keys(refused).length > 0 ? { refused } : {}),
    };
    return { ...facts, detail: { ...facts.detail, runtime } };
  };

  /** The process is gone, or runs another program. */
  readonly forget = (pid: number): void => {
    if (this.told.delete(pid)) this.source.setHints(pid, 0);
  };

  /** Looks at every process that runs now, before the first event of it. */
  scan(): void {
    if (this.wanted.length === 0) return;
    for (const entry of readdirSync('/proc')) {
      const pid = Number(entry);
      if (Number.isInteger(pid)) this.read(pid);
    }
  }
}
