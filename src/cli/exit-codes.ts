/** Exit codes, the same for every command; printed by --help. */
export const ExitCode = {
  ok: 0,
  failure: 1,
  usage: 2,
  /** Finished, but something was unreadable or too much was lost. */
  partial: 3,
  /** The report holds what --fail-on asked for. */
  finding: 4,
  interrupted: 130,
  terminated: 143,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

export const EXIT_CODE_HELP =
  'Exit codes: 0 ok · 1 failure · 2 wrong usage · 3 finished, but partial · 4 --fail-on matched · 130/143 ended by SIGINT/SIGTERM after a clean flush';
