import pc from 'picocolors';
import { CodedError, describeError } from '../model/errors.js';
import { ExitCode } from './exit-codes.js';

/** How much a command says on stderr. Results go to stdout, whatever this is. */
export interface Voice {
  /** Progress and notes. */
  note(text: string): void;
  /** Something is wrong but the work goes on. */
  warn(text: string): void;
  /** What was asked for while the command runs: said even when quiet. */
  answer(text: string): void;
  /** A line that replaces itself on a terminal, and is printed now and then elsewhere. */
  progress(text: string): void;
  /** Ends the progress line. */
  endProgress(): void;
}

/** Lines of progress where stderr is no terminal. */
const PROGRESS_EVERY_MS = 10_000;

export function createVoice(quiet: boolean): Voice {
  const isTerminal = process.stderr.isTTY === true;
  let open = false;
  let last = 0;
  const endProgress = () => {
    if (open) process.stderr.write('\n');
    open = false;
  };
  const line = (text: string) => {
    endProgress();
    process.stderr.write(`${text}\n`);
  };
  return {
    note: (text) => {
      if (!quiet) line(text);
    },
    answer: line,
    warn: (text) => line(`${pc.yellow('warning:')} ${text}`),
    progress: (text) => {
      if (quiet) return;
      if (isTerminal) {
        process.stderr.write(`\r\x1b[2K${text}`);
        open = true;
      } else if (Date.now() - last >= PROGRESS_EVERY_MS) {
        last = Date.now();
        process.stderr.write(`${text}\n`);
      }
    },
    endProgress,
  };
}

/** Writes a line of the result to stdout. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Captured text may hold control bytes that a terminal would obey: they are made visible. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, (character) => {
    const code = character.codePointAt(0)!.toString(16);
    return `\\u{${code}}`;
  });
}

/**
 * A command goes on with what is readable, as long as that is anything.
 * @throws CodedError INPUT for the first file when nothing is readable; the others are warned of
 */
export function requireReadable(
  readable: readonly unknown[],
  unreadable: readonly { readonly file: string; readonly reason: string }[],
): void {
  const [first, ...others] = unreadable;
  if (readable.length > 0 || first === undefined) return;
  for (const { file, reason } of others) {
    process.stderr.write(`warning: ${visible(file)}: ${visible(reason)}\n`);
  }
  throw new CodedError('INPUT', first.reason, first.file);
}

const EXIT_OF_CODE: Readonly<Record<CodedError['code'], ExitCode>> = {
  USAGE: ExitCode.usage,
  INPUT: ExitCode.failure,
  OUTPUT: ExitCode.failure,
  PRIVILEGE: ExitCode.failure,
  UNSUPPORTED: ExitCode.failure,
  INTERRUPTED: ExitCode.interrupted,
};

/** Prints an error for people and gives the exit code that stands for it. */
export function reportError(error: unknown, verbose: boolean): ExitCode {
  process.stderr.write(`${pc.red('aftertrace:')} ${visible(describeError(error))}\n`);
  if (error instanceof CodedError) {
    if (verbose && error.cause instanceof Error) process.stderr.write(`${error.cause.stack}\n`);
    return EXIT_OF_CODE[error.code];
  }
  process.stderr.write(
    'This is a defect of aftertrace: please report it, with the output of -v.\n',
  );
  if (verbose && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return ExitCode.failure;
}
