import { setMaxListeners } from 'node:events';
import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import { siblingModule } from '../model/sibling-module.js';
import type { TaskName, Tasks } from './tasks.js';

/** Says where tasks run. Piscina threads are the first executor; a cluster would be another. */
export interface Executor {
  readonly threads: number;
  run<K extends TaskName>(name: K, input: Tasks[K]['in']): Promise<Tasks[K]['out']>;
  /** Ends the threads; tasks that still run are aborted. */
  close(): Promise<void>;
}

/**
 * An executor of `threads` worker threads (default: all processors).
 * Aborting `signal` rejects queued and running tasks.
 */
export function openPool(threads = availableParallelism(), signal?: AbortSignal): Executor {
  // Every queued task listens for the abort.
  if (signal !== undefined) setMaxListeners(0, signal);
  const worker = siblingModule(import.meta.url, 'worker');
  const pool = new Piscina({
    filename: worker.filename,
    execArgv: [...worker.execArgv],
    minThreads: Math.min(threads, 1),
    maxThreads: threads,
    // Threads hold a warm WebAssembly Parquet reader: keep them for the whole run.
    idleTimeout: 60_000,
  });
  return {
    threads,
    run: (name, input) => pool.run(input, signal ? { name, signal } : { name }),
    close: () => pool.destroy(),
  };
}
