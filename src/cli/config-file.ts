import { readFileSync } from 'node:fs';
import { parse, TomlError } from 'smol-toml';
import { CodedError } from '../model/errors.js';
import { ioError } from '../store/io-error.js';

/** What a flag takes: as yargs is told. */
interface FlagSpec {
  readonly type: 'string' | 'number' | 'boolean' | 'array';
  readonly array?: boolean;
}
export type FlagSpecs = Readonly<Record<string, FlagSpec>>;

const WORDS: Readonly<Record<string, string>> = {
  string: 'a text in quotes',
  number: 'a number',
  boolean: 'true or false',
};

function wrong(path: string, key: string, message: string, remedy = ''): CodedError {
  return new CodedError('USAGE', message, `${path}: ${key}`, remedy);
}

function checkValue(path: string, key: string, value: unknown, spec: FlagSpec): void {
  const type = spec.type === 'array' ? 'string' : spec.type;
  const isList = spec.array === true || spec.type === 'array';
  const words = isList ? `a list of such values, or ${WORDS[type]}` : WORDS[type]!;
  const values = isList && Array.isArray(value) ? value : [value];
  const isRight = values.every((one) => (typeof one === 'bigint' ? 'number' : typeof one) === type);
  if (!isRight || value === '') throw wrong(path, key, `must be ${words}.`);
}

/**
 * Reads a configuration file: TOML, whose keys are the long flags without their dashes.
 *
 * @throws CodedError INPUT if it cannot be read, USAGE naming the line or key that is wrong
 */
export function readConfigFile(path: string, flags: FlagSpecs): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw ioError('INPUT', path, 'read', cause);
  }
  let table: Record<string, unknown>;
  try {
    table = parse(text);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    const [what = 'not TOML'] = cause.message.split('\n');
    throw new CodedError(
      'USAGE',
      `${what}.`,
      `${path}:${cause.line}:${cause.column}`,
      'Write settings as in `max-age = "24h"`.',
      cause,
    );
  }
  for (const [key, value] of Object.entries(table)) {
    const spec = Object.hasOwn(flags, key) ? flags[key] : undefined;
    if (spec === undefined) {
      const remedy = 'Keys are the flags of `aftertrace record --help`, without the dashes.';
      throw wrong(path, key, 'is not a setting of the recorder.', remedy);
    }
    checkValue(path, key, value, spec);
    if (spec.array === true && !Array.isArray(value)) table[key] = [value];
  }
  return table;
}

/** The value of --config among arguments, else of AFTERTRACE_CONFIG; undefined if there is none. */
export function findConfigPath(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  for (const [i, arg] of args.entries()) {
    if (arg === '--') break;
    if (arg === '--config') return args[i + 1];
    if (arg.startsWith('--config=')) return arg.slice('--config='.length);
  }
  return environment.AFTERTRACE_CONFIG;
}
