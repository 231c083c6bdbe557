import { statSync } from 'node:fs';
import type { Argv } from 'yargs';
import { CodedError } from '../../model/errors.js';
import { HINT_NAMES, type HintName, hintBits } from '../../model/hints.js';
import { openNativeSource } from '../../recorder/native-source.js';
import type { RecordStats } from '../../recorder/record.js';
import { redactionPolicy } from '../../recorder/redaction-policy.js';
import { CAPTURE_LIMITS, type CaptureOptions } from '../../recorder/source.js';
import { EXIT_CODE_HELP } from '../exit-codes.js';
import { createVoice } from '../output.js';
import {
  formatBytes,
  formatCount,
  parseDuration,
  parseShare,
  parseSize,
  requireWhole,
} from '../quantities.js';
import { onInterrupt } from '../signals.js';

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
    default: 'lease,wakes,threads',
    describe: 'Causality hints: all, none, or a list of lease, wakes, threads, go, loop',
  },
  snaplen: { type: 'number', default: 1024, describe: 'Bytes kept of each message head, 0..4096' },
  'ring-size': { type: 'string', default: '8MiB', describe: 'Buffer between kernel and recorder' },
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
  'stats-interval': {
    type: 'string',
    default: '10s',
    describe: 'How often the statistics line is printed',
  },
} as const;

export const command = 'record';
export const describe = 'Record the HTTP traffic of this host with eBPF into rotating segments';

export function builder(args: Argv) {
  return args
    .options(OPTIONS)
    .example('$0 record --out /var/lib/aftertrace', 'record everything, keep the last 72 hours')
    .example('$0 record -o tape --duration 60s --port 8080', 'one minute of one port')
    .epilogue(EXIT_CODE_HELP);
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
    hints: hintBits(parseHints(args.hints)),
    ...(args.redact ? { redaction: redactionPolicy(args.redactHeader, args.redactQuery) } : {}),
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

function totalDropped(stats: RecordStats): number {
  return Object.values(stats.dropped).reduce((sum, count) => sum + count, 0);
}

function statsLine(stats: RecordStats): string {
  const seconds = stats.elapsedMs / 1000;
  const rate = Math.round(stats.events / Math.max(1, seconds));
  const lost = Object.entries(stats.dropped)
    .filter(([, count]) => count > 0)
    .map(([cause, count]) => `${cause} ${formatCount(count)}`)
    .join(', ');
  return [
    `${Math.round(seconds)} s`,
    `${formatCount(stats.events)} events (${formatCount(rate)}/s)`,
    `stored ${formatCount(stats.storedRows)} rows, ${formatBytes(stats.storedBytes)} before compression`,
    `open connections ${formatCount(stats.openConnections)}`,
    lost === '' ? 'lost nothing' : `LOST ${lost}`,
  ].join(' · ');
}

export async function handler(args: Args): Promise<number> {
  const { record } = await import('../../recorder/record.js');
  const voice = createVoice(args.quiet ?? false);
  const capture = captureOptions(args);
  const options = {
    directory: args.out,
    ...(args.duration === undefined
      ? {}
      : { durationMs: parseDuration('--duration', args.duration) }),
    rotateBytes: parseSize('--rotate-size', args.rotateSize),
    rotateMs: parseDuration('--rotate-interval', args.rotateInterval),
    retention: {
      maxTotalBytes: parseSize('--max-total-size', args.maxTotalSize),
      maxAgeMs: parseDuration('--max-age', args.maxAge),
      minFreeShare: parseShare('--min-free', args.minFree),
    },
    ...(capture.redaction === undefined ? {} : { redaction: capture.redaction }),
    hints: parseHints(args.hints),
    filters: describeFilters(capture),
    statsEveryMs: parseDuration('--stats-interval', args.statsInterval),
  };
  if (!args.redact) voice.warn('--no-redact: passwords, cookies and tokens are stored as captured');
  const interrupt = onInterrupt();
  const source = openNativeSource(capture);
  const final = await record(options, source, {
    signal: interrupt.signal,
    onStart: () => voice.note(`recording to ${args.out}; Ctrl-C ends and flushes`),
    onStats: (stats) => voice.progress(statsLine(stats)),
    onNote: voice.note,
  });
  voice.endProgress();
  voice.note(`recorded ${statsLine(final)}`);
  if (totalDropped(final) > 0)
    voice.warn('records were lost; every loss is in the segments and on page one of a report');
  return interrupt.code();
}
