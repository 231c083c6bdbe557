import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import yargs, { type Argv } from 'yargs';
import { hideBin } from 'yargs/helpers';
import { CodedError } from '../model/errors.js';
import { HINT_NAMES, type HintName, hintBits } from '../model/hints.js';
import { CAPTURES, type Capture } from '../model/segment.js';
import type { BudgetLimits } from '../recorder/budget.js';
import { hintsOn } from '../recorder/platform.js';
import type { Adjustable } from '../recorder/record.js';
import { type RedactionPolicy, redactionPolicy } from '../recorder/redaction-policy.js';
import { CAPTURE_LIMITS, type CaptureOptions } from '../recorder/source.js';
import { findConfigPath, readConfigFile } from './config-file.js';
import { EXIT_CODE_HELP } from './exit-codes.js';
import {
  parseByteRate,
  parseCpuShare,
  parseDuration,
  parsePerSecond,
  parseShare,
  parseSize,
  requireWhole,
} from './quantities.js';

const OPTIONS = {
  out: { type: 'string', alias: 'o', demandOption: true, describe: 'Directory for the segments' },
  duration: {
    type: 'string',
    describe: 'Stop after this long, e.g. 90s (default: until SIGINT or SIGTERM)',
  },
  'rotate-size': {
    type: 'string',
    default: '64MiB',
    describe: 'Close the open segment at this size (uncompressed)',
  },
  'rotate-interval': {
    type: 'string',
    default: '60s',
    describe: 'Close the open segment at this age',
  },
  'max-total-size': {
    type: 'string',
    default: '5GiB',
    describe: 'Delete the oldest segments beyond this total',
  },
  'max-age': { type: 'string', default: '72h', describe: 'Delete segments older than this' },
  'min-free': {
    type: 'string',
    default: '10%',
    describe: 'Delete the oldest segments to keep this share of the disk free',
  },
  port: {
    type: 'number',
    array: true,
    requiresArg: true,
    default: [] as number[],
    describe: 'Only connections with this local or remote port',
  },
  pid: {
    type: 'number',
    array: true,
    requiresArg: true,
    default: [] as number[],
    describe: 'Only this process',
  },
  process: {
    type: 'string',
    array: true,
    requiresArg: true,
    default: [] as string[],
    describe: 'Only processes of this name (first 15 bytes)',
  },
  cgroup: {
    type: 'string',
    array: true,
    requiresArg: true,
    default: [] as string[],
    describe: 'Only this cgroup v2: a path, or an id',
  },
  hints: {
    type: 'string',
    default: 'all',
    describe:
      'Causality hints: all, none, or a list of lease, wakes, threads, go, loop, async, posts, executor',
  },
  snaplen: { type: 'number', default: 1024, describe: 'Bytes kept of each message head, 0..4096' },
  'ring-size': { type: 'string', default: '8MiB', describe: 'Buffer between kernel and recorder' },
  tls: {
    type: 'string',
    choices: ['auto', 'off'] as const,
    default: 'auto' as const,
    describe: 'Plaintext of TLS from the libraries that programs use (OpenSSL, Node, GnuTLS)',
  },
  capture: {
    type: 'string',
    choices: ['auto', ...CAPTURES] as const,
    default: 'auto' as const,
    describe:
      'Where sends and receives are seen: in socket calls or, dearer, at returning system calls',
  },
  'redact-header': {
    type: 'string',
    array: true,
    requiresArg: true,
    default: [] as string[],
    describe: 'Mask this header as well',
  },
  'redact-query': {
    type: 'string',
    array: true,
    requiresArg: true,
    default: [] as string[],
    describe: 'Mask this query key as well',
  },
  redact: {
    type: 'boolean',
    default: true,
    describe: 'Mask secrets before they reach the disk (--no-redact: store them)',
  },
  'secret-marks': {
    type: 'boolean',
    default: true,
    describe:
      'Leave a keyed hash in place of each masked secret, so that equal ones are known as equal (--no-secret-marks: mask all of it)',
  },
  'encrypt-to': {
    type: 'string',
    array: true,
    requiresArg: true,
    default: [] as string[],
    describe: 'Encrypt segments to this age recipient (age1...), or to those in a file',
  },
  user: { type: 'string', describe: 'User that owns the files: a name or uid (default: this one)' },
  'stats-interval': {
    type: 'string',
    default: '10s',
    describe: 'How often the statistics line is printed',
  },
  'max-cpu': {
    type: 'string',
    describe: 'Share of one processor that recording may cost, e.g. 2%',
  },
  'max-events': { type: 'string', describe: 'Events recorded per second at most, e.g. 50000/s' },
  'max-disk-rate': {
    type: 'string',
    describe: 'Bytes written per second at most, before compression, e.g. 1MiB/s',
  },
  metrics: {
    type: 'string',
    describe: 'Serve Prometheus metrics at this port of the loopback, or address:port',
  },
  config: {
    type: 'string',
    describe: 'Take settings from this TOML file; flags and the environment win',
  },
} as const;

export function builder(args: Argv) {
  return withConfig(args.options(OPTIONS))
    .example('$0 record --out /var/lib/aftertrace', 'record everything, keep the last 72 hours')
    .example('$0 record -o tape --duration 60s --port 8080', 'one minute of one port')
    .epilogue(EXIT_CODE_HELP);
}

/** Settings of the configuration file, below those of flags and environment. */
function withConfig<T>(args: Argv<T>): Argv<T> {
  const path = findConfigPath(hideBin(process.argv), process.env);
  return path === undefined ? args : args.config(readConfigFile(path, OPTIONS));
}

export type RecordArgs = Awaited<ReturnType<typeof builder>['argv']> & { quiet?: boolean };

/** A cgroup by id, or by path below /sys/fs/cgroup: the id is the inode number. */
function cgroupId(text: string): bigint {
  if (/^\d+$/.test(text)) return BigInt(text);
  const path = text.startsWith('/sys/') ? text : `/sys/fs/cgroup/${text.replace(/^\/+/, '')}`;
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) throw new CodedError('USAGE', 'no such cgroup.', `--cgroup ${text}`);
  return stat.ino;
}

export function parseHints(text: string): HintName[] {
  if (text === 'all') return [...HINT_NAMES];
  if (text === 'none') return [];
  return text.split(',').map((part) => {
    const name = HINT_NAMES.find((known) => known === part.trim());
    if (name !== undefined) return name;
    throw new CodedError(
      'USAGE',
      `"${part.trim()}" is not a kind of hint.`,
      '--hints',
      `Give all, none, or a list of ${HINT_NAMES.join(', ')}.`,
    );
  });
}

/** The key of secrets' marks is random, in memory alone, and gone with this run. */
function redactionOf({ redactHeader, redactQuery, secretMarks }: RecordArgs): RedactionPolicy {
  return redactionPolicy(redactHeader, redactQuery, secretMarks ? randomBytes(16) : undefined);
}

export function captureOptions(args: RecordArgs): CaptureOptions {
  for (const port of args.port) requireWhole('--port', port, 1, 65_535);
  for (const pid of args.pid) requireWhole('--pid', pid, 1, 2 ** 22);
  requireWhole('--snaplen', args.snaplen, 0, CAPTURE_LIMITS.snaplen);
  return {
    snaplen: args.snaplen,
    ringBytes: parseSize('--ring-size', args.ringSize),
    ports: args.port,
    pids: args.pid,
    names: args.process,
    cgroups: args.cgroup.map(cgroupId),
    tls: args.tls === 'auto',
    capture: args.capture as Capture | 'auto',
    hints: hintBits(hintsOn(process.arch, parseHints(args.hints))),
    ...(args.redact ? { redaction: redactionOf(args) } : {}),
  };
}

function budgetOf(args: RecordArgs): BudgetLimits {
  const { maxCpu, maxEvents, maxDiskRate } = args;
  return {
    ...(maxCpu === undefined ? {} : { maxCpu: parseCpuShare('--max-cpu', maxCpu) }),
    ...(maxEvents === undefined
      ? {}
      : { maxEventsPerSecond: parsePerSecond('--max-events', maxEvents) }),
    ...(maxDiskRate === undefined
      ? {}
      : { maxBytesPerSecond: parseByteRate('--max-disk-rate', maxDiskRate) }),
  };
}

/** What SIGHUP may change. */
export function adjustable(args: RecordArgs): Adjustable {
  return {
    rotateBytes: parseSize('--rotate-size', args.rotateSize),
    rotateMs: parseDuration('--rotate-interval', args.rotateInterval),
    retention: {
      maxTotalBytes: parseSize('--max-total-size', args.maxTotalSize),
      maxAgeMs: parseDuration('--max-age', args.maxAge),
      minFreeShare: parseShare('--min-free', args.minFree),
    },
    statsEveryMs: parseDuration('--stats-interval', args.statsInterval),
    budget: budgetOf(args),
  };
}

const ADJUSTABLE: ReadonlySet<string> = new Set([
  'rotate-size',
  'rotate-interval',
  'max-total-size',
  'max-age',
  'min-free',
  'stats-interval',
  'max-cpu',
  'max-events',
  'max-disk-rate',
]);

/** Flags whose values differ and that only a new start can change. */
export function fixedChanges(before: RecordArgs, after: RecordArgs): string[] {
  const text = (args: RecordArgs, name: string) =>
    JSON.stringify((args as Record<string, unknown>)[name]);
  return Object.keys(OPTIONS)
    .filter((name) => !ADJUSTABLE.has(name) && text(before, name) !== text(after, name))
    .map((name) => `--${name}`);
}

/** The arguments of this run, with the configuration file as it is now. @throws CodedError */
export async function readArgsAgain(): Promise<RecordArgs> {
  const args = hideBin(process.argv);
  const parser = yargs(args).env('AFTERTRACE').exitProcess(false).help(false).version(false);
  return (await builder(parser).fail(false).parseAsync()) as RecordArgs;
}
