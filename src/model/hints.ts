/**
 * Kinds of hints, the bits of `bpf/events.h` (HINT_...): what a recording may use, and what a
 * process gives. docs/hints.md says what each is good for and what it costs.
 */
export const HintKind = {
  /** The thread whose receive last found a socket empty, with the next send on it. */
  lease: 0x01,
  /** Wake-ups between threads of one process. */
  wakes: 0x02,
  /** Beginning and end of threads. */
  threads: 0x04,
  /** Goroutine ids at sends and receives. */
  go: 0x08,
  /** Turns of event loops: calls of epoll_wait(). */
  loop: 0x10,
  /** Async roots of Node at sends. */
  async: 0x20,
  /** Messages that Node's threads post to each other. */
  posts: 0x40,
  /** The thread that gave a pool the task which makes a call. */
  executor: 0x80,
} as const;
export type HintName = keyof typeof HintKind;

export const HINT_NAMES = Object.keys(HintKind) as readonly HintName[];

/** Bits of these kinds. */
export function hintBits(names: readonly HintName[]): number {
  return names.reduce((bits, name) => bits | HintKind[name], 0);
}

/** Runtimes that are told apart; native is any other program, '' one that could not be looked at. */
export type RuntimeName =
  | 'dotnet'
  | 'go'
  | 'haproxy'
  | 'java'
  | 'nginx'
  | 'node'
  | 'php'
  | 'python'
  | 'ruby'
  | 'native'
  | '';

/** Why a process cannot give hints that its runtime gives elsewhere. */
export type HintRefusals = Readonly<Partial<Record<HintName, string>>>;

/** What runs in a process, and which hints it gave in this recording. */
export interface ProcessRuntime {
  readonly name: RuntimeName;
  /** Version of the runtime where the executable tells it, else ''. */
  readonly version: string;
  readonly hints: readonly HintName[];
  /** Of hints that it was to give; missing where it gives all of them. */
  readonly refused?: HintRefusals;
}
