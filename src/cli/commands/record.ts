import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import yargs, { type Argv } from 'yargs';
import { hideBin } from 'yargs/helpers';
import { CodedError, describeError } from '../../model/errors.js';
import { HINT_NAMES, type HintName, hintBits } from '../../model/hints.js';
import { CAPTURES, type Capture } from '../../model/segment.js';
import type { BudgetLimits } from '../../recorder/budget.js';
import type { MetricsAddress } from '../../recorder/metrics.js';
import { giveUpCapabilities, openNativeSource, tlsHazard } from '../../recorder/native-source.js';
import { hintsOn } from '../../recorder/platform.js';
import type { Adjustable, RecordControl } from '../../recorder/record.js';
import { type RedactionPolicy, redactionPolicy } from '../../recorder/redaction-policy.js';
import { CAPTURE_LIMITS, type CaptureOptions } from '../../recorder/source.js';
import { findConfigPath, readConfigFile } from '../config-file.js';
import { EXIT_CODE_HELP } from '../exit-codes.js';
import { createVoice, type Voice } from '../output.js';
import {
  parseByteRate,
  parseCpuShare,
  parseDuration,
  parseListenAddress,
  parsePerSecond,
  parseShare,
  parseSize,
  requireWhole,
} from '../quantities.js';
import { listLosses, statsLine } from '../record-stats.js';
import { onInterrupt, onSignal } from '../signals.js';

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
    describe: 'Causality hints: all, none, or a list of lease, wakes, threads, go, loop',
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

export const command = 'record';
export const describe = 'Record the HTTP traffic of this host with eBPF into rotating segments';

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

type Args = Awaited<ReturnType<typeof builder>['argv']> & { quiet?: boolean };

/** A cgroup by id, or by path below /sys/fs/cgroup: the id is the inode number. */
function cgroupId(text: string): bigint {
  if (/^\d+$/.test(text)) return BigInt(text);
  const path = text.startsWith('/sys/') ? text : `/sys/fs/cgroup/${text.replace(/^\/+/, '')}`;
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) throw new CodedError('USAGE', 'no such cgroup.', `--cgroup ${text}`);
  return stat.ino;
}

function parseHints(text: string): HintName[] {
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
function redactionOf({ redactHeader, redactQuery, secretMarks }: Args): RedactionPolicy {
  return redactionPolicy(redactHeader, redactQuery, secretMarks ? randomBytes(16) : undefined);
}

function captureOptions(args: Args): CaptureOptions {
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

function describeFilters(capture: CaptureOptions): string {
  const parts: [string, readonly unknown[]][] = [
    ['ports', capture.ports],
    ['pids', capture.pids],
    ['processes', capture.names],
    ['cgroups', capture.cgroups],
  ];
  return parts
    .filter(([, values]) => values.length > 0)
    .map(([name, values]) => `${name} ${values.join(' ')}`)
    .join('; ');
}

function budgetOf(args: Args): BudgetLimits {
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
function adjustable(args: Args): Adjustable {
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
function fixedChanges(before: Args, after: Args): string[] {
  const text = (args: Args, name: string) =>
    JSON.stringify((args as Record<string, unknown>)[name]);
  return Object.keys(OPTIONS)
    .filter((name) => !ADJUSTABLE.has(name) && text(before, name) !== text(after, name))
    .map((name) => `--${name}`);
}

/** The arguments of this run, with the configuration file as it is now. @throws CodedError */
async function readArgsAgain(): Promise<Args> {
  const args = hideBin(process.argv);
  const parser = yargs(args).env('AFTERTRACE').exitProcess(false).help(false).version(false);
  return (await builder(parser).fail(false).parseAsync()) as Args;
}

/** SIGHUP: the configuration is read again and the open segment closed, SIGUSR1: statistics. */
function obeySignals(args: Args, control: RecordControl, voice: Voice): () => void {
  let current = args;
  const reload = async () => {
    try {
      const next = await readArgsAgain();
      control.configure(adjustable(next));
      const fixed = fixedChanges(current, next);
      current = next;
      voice.note('configuration read again, segment rotated');
      if (fixed.length > 0) voice.warn(`${fixed.join(', ')}: changes only with a new start`);
    } catch (error) {
      voice.warn(`configuration not changed: ${describeError(error)}`);
    }
    control.rotate();
  };
  const offHangUp = onSignal('SIGHUP', () => void reload());
  const offUser = onSignal('SIGUSR1', () => voice.answer(statsLine(control.stats())));
  return () => {
    offHangUp();
    offUser();
  };
}

/** Root keeps what it has: it may have to write to directories of others. */
function shedPrivileges(attaches: boolean, voice: Voice): void {
  if (process.getuid?.() === 0) return;
  const problem = giveUpCapabilities(attaches);
  if (problem !== '')
    voice.warn(`capabilities that are not needed could not be given up: ${problem}`);
}

async function openMetrics(address: MetricsAddress | undefined) {
  if (address === undefined) return undefined;
  // Loaded only where it is wanted: it costs memory.
  const { serveMetrics } = await import('../../recorder/metrics.js');
  return serveMetrics(address);
}

/** Files are made for a user, by name or uid. */
async function ownFilesAs(user: string): Promise<void> {
  const { ownFilesBy } = await import('../../store/durable-file.js');
  const ask = (what: '-u' | '-g') => {
    const { status, stdout } = spawnSync('id', [what, '--', user], { encoding: 'utf8' });
    if (status === 0) return Number(stdout);
    throw new CodedError('USAGE', 'no such user.', `--user ${user}`);
  };
  ownFilesBy({ uid: ask('-u'), gid: ask('-g') });
}

export async function handler(args: Args): Promise<number> {
  const { record } = await import('../../recorder/record.js');
  const { Recipients } = await import('../../store/age.js');
  if (args.user !== undefined) await ownFilesAs(args.user);
  const voice = createVoice(args.quiet ?? false);
  const capture = captureOptions(args);
  const listen =
    args.metrics === undefined ? undefined : parseListenAddress('--metrics', args.metrics);
  const options = {
    directory: args.out,
    ...(args.duration === undefined
      ? {}
      : { durationMs: parseDuration('--duration', args.duration) }),
    ...adjustable(args),
    ...(capture.redaction === undefined ? {} : { redaction: capture.redaction }),
    hints: hintsOn(process.arch, parseHints(args.hints)),
    ...(args.encryptTo.length === 0 ? {} : { recipients: new Recipients(args.encryptTo) }),
    filters: describeFilters(capture),
  };
  if (!args.redact) voice.warn('--no-redact: passwords, cookies and tokens are stored as captured');
  if (options.hints.length < parseHints(args.hints).length)
    voice.warn(
      `hints of Go and of event loops are recorded on x86-64 only, not on ${process.arch}`,
    );
  const interrupt = onInterrupt();
  const hazard = capture.tls ? tlsHazard() : '';
  if (hazard !== '') voice.warn(hazard);
  const source = openNativeSource({ ...capture, tls: capture.tls === true && hazard === '' });
  if (source.info.capture === 'syscall') {
    voice.warn(
      'captured by system calls: every system call of this host costs more, and io_uring is not seen',
    );
  }
  let stopObeying = () => {};
  const metrics = await openMetrics(listen);
  if (metrics !== undefined) voice.note(`metrics at http://${metrics.place}/metrics`);
  const final = await record(options, source, {
    signal: interrupt.signal,
    onStart: (control) => {
      stopObeying = obeySignals(args, control, voice);
      metrics?.begin(control.stats);
      shedPrivileges(options.hints.length > 0 || capture.tls === true, voice);
      voice.note(`recording to ${args.out}; Ctrl-C ends and flushes`);
    },
    onStats: (stats) => voice.progress(statsLine(stats)),
    onNote: voice.note,
    onClosed: ({ path, sha256 }) => voice.note(`closed ${path}, SHA-256 ${sha256}`),
  }).finally(() => {
    stopObeying();
    return metrics?.close();
  });
  voice.endProgress();
  voice.note(`recorded ${statsLine(final)}`);
  if (listLosses(final, ['missing', 'poorer']) !== '')
    voice.warn('records were lost; every loss is in the segments and on page one of a report');
  return interrupt.code();
}
