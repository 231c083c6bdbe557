import { ExitCode } from './exit-codes.js';

/** What ended a command early: 0 as long as nothing did. */
export interface Interrupt {
  readonly signal: AbortSignal;
  /** Exit code of the signal that came, 0 if none. */
  readonly code: () => number;
  /** Stops listening. */
  dispose(): void;
}

/**
 * Turns SIGINT and SIGTERM into an abort, so that a command can finish what it must. A
 * second signal ends the process at once: files are safe at any moment.
 */
export function onInterrupt(): Interrupt {
  const controller = new AbortController();
  let code = 0;
  const listen = (exitCode: number) => () => {
    if (code !== 0) process.exit(exitCode);
    code = exitCode;
    controller.abort();
  };
  const onInt = listen(ExitCode.interrupted);
  const onTerm = listen(ExitCode.terminated);
  process.on('SIGINT', onInt);
  process.on('SIGTERM', onTerm);
  return {
    signal: controller.signal,
    code: () => code,
    dispose: () => {
      process.off('SIGINT', onInt);
      process.off('SIGTERM', onTerm);
    },
  };
}

/** Calls `act` whenever the signal comes, instead of what the process would do. @returns how to stop */
export function onSignal(signal: 'SIGHUP' | 'SIGUSR1', act: () => void): () => void {
  process.on(signal, act);
  return () => process.off(signal, act);
}
