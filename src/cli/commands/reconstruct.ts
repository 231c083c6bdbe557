import type { Argv } from 'yargs';
import { CodedError } from '../../model/errors.js';
import { effectOf } from '../../model/event.js';
import type { Reconstruction } from '../../model/reconstruction.js';
import { EXIT_CODE_HELP, ExitCode } from '../exit-codes.js';
import { IDENTITY_OPTION, readIdentityFiles } from '../identity.js';
import { createVoice, print, reportError, visible } from '../output.js';
import { formatCount, parseDuration, parseShare, plural, requireWhole } from '../quantities.js';
import { onInterrupt } from '../signals.js';
import { parseMoment } from '../window.js';

const OPTIONS = {
  out: { type: 'string', alias: 'o', demandOption: true, describe: 'Directory for the result' },
  force: { type: 'boolean', default: false, describe: 'Replace an earlier result' },
  workers: { type: 'number', describe: 'Worker threads (default: all processors)' },
  from: { type: 'string', describe: 'Only from this time on' },
  to: { type: 'string', describe: 'Only up to this time' },
  since: { type: 'string', describe: 'Only the last ..., e.g. 15m' },
  'min-confidence': {
    type: 'number',
    describe:
      'Least probability of an inferred link; less sure ones stay unknown (default: 0.95; 0.5 for imported spans)',
  },
  tokens: {
    type: 'boolean',
    default: true,
    describe:
      'Let rare values that requests and calls share tell causes: ids, marks of secrets (--no-tokens: not)',
  },
  'max-loss': {
    type: 'string',
    default: '1%',
    describe: 'Exit with 3 when a larger share of events was lost',
  },
  json: {
    type: 'boolean',
    default: false,
    describe: 'Print reconstruction.json instead of the summary',
  },
  identity: IDENTITY_OPTION,
} as const;

export const command = 'reconstruct <segments..>';
export const describe =
  'Rebuild exchanges, hops, causality and traces from segments of any number of hosts';

export function builder(args: Argv) {
  return args
    .positional('segments', {
      type: 'string',
      array: true,
      demandOption: true,
      describe: 'Directories of segments or imports, or files of them',
    })
    .options(OPTIONS)
    .conflicts('since', ['from', 'to'])
    .example('$0 reconstruct host-a/ host-b/ --out incident', 'join the segments of two hosts')
    .epilogue(EXIT_CODE_HELP);
}

type Args = Awaited<ReturnType<typeof builder>['argv']> & { quiet?: boolean };

function range(args: Args): { fromNs?: bigint; toNs?: bigint } {
  const now = Date.now();
  const since = args.since === undefined ? undefined : now - parseDuration('--since', args.since);
  const from = since === undefined ? args.from : new Date(since).toISOString();
  const fromNs = from === undefined ? undefined : parseMoment('--from', from, now);
  const toNs = args.to === undefined ? undefined : parseMoment('--to', args.to, now);
  if (fromNs !== undefined && toNs !== undefined && toNs <= fromNs) {
    throw new CodedError('USAGE', 'is not after --from.', '--to');
  }
  return {
    ...(fromNs === undefined ? {} : { fromNs }),
    ...(toNs === undefined ? {} : { toNs }),
  };
}

function checkNumbers(args: Args): void {
  const { workers, minConfidence } = args;
  if (workers !== undefined) requireWhole('--workers', workers, 1, 1024);
  if (minConfidence !== undefined && !(minConfidence >= 0.5 && minConfidence <= 1)) {
    throw new CodedError('USAGE', 'must be from 0.5 to 1.', '--min-confidence');
  }
}

/** Share of events that did not reach the segments, 0..1. */
function lossShare({ losses, counts }: Reconstruction): number {
  const missing = losses.filter(({ cause }) => effectOf(cause) === 'missing');
  const lost = missing.reduce((sum, { count }) => sum + count, 0);
  return lost === 0 ? 0 : lost / (lost + counts.events);
}

function summary(result: Reconstruction): string {
  const { counts, links } = result;
  const inferred = links.certain + links.probable + links.unknown;
  const lines = [
    ...(result.imports ?? []).map(
      ({ file, format, exchanges }) =>
        `imported from ${format}: ${plural(exchanges, 'exchange')} of ${visible(file)}`,
    ),
    `${plural(result.segments.length, 'segment')} · ${plural(counts.events, 'event')} · ${plural(counts.connections, 'connection')} (${formatCount(counts.opaqueConnections)} not HTTP/1)`,
    `${plural(counts.clientExchanges + counts.serverExchanges, 'exchange')} · ${plural(counts.hops, 'hop')} joined, ${formatCount(counts.unmatched)} with the other end missing · ${plural(counts.traces, 'trace')}`,
    `links of calls: ${formatCount(links.certain)} certain, ${formatCount(links.probable)} probable, ${formatCount(links.unknown)} unknown of ${formatCount(inferred)}; ${formatCount(links.root)} roots`,
    ...result.services.map(
      ({ service, model }) => `  ${visible(service)}: ${model || 'no outgoing calls'}`,
    ),
  ];
  return lines.join('\n');
}

export async function handler(args: Args): Promise<number> {
  const { reconstruct } = await import('../../reconstruct/reconstruct.js');
  checkNumbers(args);
  const maxLoss = parseShare('--max-loss', args.maxLoss);
  const identities = await readIdentityFiles(args.identity);
  const voice = createVoice(args.quiet ?? false);
  const interrupt = onInterrupt();
  const result = await reconstruct({
    inputs: args.segments,
    identities,
    output: args.out,
    force: args.force,
    ...(args.minConfidence === undefined ? {} : { minConfidence: args.minConfidence }),
    tokens: args.tokens,
    ...(args.workers === undefined ? {} : { workers: args.workers }),
    ...range(args),
    onProgress: ({ what, done, total }) => voice.progress(`${what} ${done}/${total}`),
    signal: interrupt.signal,
  }).catch((error: unknown) => {
    if (interrupt.code() === 0) throw error;
    reportError(new CodedError('INTERRUPTED', 'interrupted; nothing was written.'), false);
    return undefined;
  });
  // SIGINT and SIGTERM have codes of their own.
  if (result === undefined) return interrupt.code();
  voice.endProgress();
  for (const { file, reason } of result.unreadable)
    voice.warn(`${visible(file)}: ${visible(reason)}`);
  print(args.json ? JSON.stringify(result, null, 2) : summary(result));
  const lost = lossShare(result);
  if (lost > 0)
    voice.warn(`${(lost * 100).toPrecision(2)} % of the events were lost while recording`);
  return result.unreadable.length > 0 || lost > maxLoss ? ExitCode.partial : ExitCode.ok;
}
