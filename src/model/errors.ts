/** Stable codes that a caller may switch on; the message is for people. */
export type ErrorCode =
  | 'USAGE' // wrong flags or arguments
  | 'INPUT' // a file or directory that cannot be used
  | 'OUTPUT' // a place that cannot be written
  | 'PRIVILEGE' // the capture is not permitted here
  | 'UNSUPPORTED' // this kernel, platform or format version cannot do it
  | 'INTERRUPTED'; // the user asked to stop

/**
 * An error a user can act on: says what was wrong, where, and what to do.
 * Anything thrown that is not a CodedError is a defect of aftertrace.
 */
export class CodedError extends Error {
  readonly code: ErrorCode;
  /** The file, flag or place that is meant; '' if none. */
  readonly place: string;
  /** One sentence that says what to do; '' if nothing helps. */
  readonly remedy: string;

  constructor(code: ErrorCode, message: string, place = '', remedy = '', cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'CodedError';
    this.code = code;
    this.place = place;
    this.remedy = remedy;
  }
}

/** Renders an error as one line: `place: message. remedy`. */
export function describeError(error: unknown): string {
  if (error instanceof CodedError) {
    const place = error.place === '' ? '' : `${error.place}: `;
    const remedy = error.remedy === '' ? '' : ` ${error.remedy}`;
    return `${place}${error.message}${remedy}`;
  }
  return error instanceof Error ? error.message : String(error);
}
