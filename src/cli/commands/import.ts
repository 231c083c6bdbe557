import type { Argv } from 'yargs';
import type { ImportResult } from '../../import/import.js';
import { CodedError } from '../../model/errors.js';
import { EXIT_CODE_HELP, ExitCode } from '../exit-codes.js';
import { createVoice, print, reportError, type Voice, visible } from '../output.js';
import { formatCount, plural } from '../quantities.js';
import { onInterrupt } from '../signals.js';

const OPTIONS = {
  from: {
    choices: ['jaeger', 'otlp', 'zipkin'],
    demandOption: true,
    describe: 'Form of the files: Jaeger JSON, OTLP JSON or Zipkin v2',
  },
  out: { type: 'string', alias: 'o', demandOption: true, describe: 'Directory for the exchanges' },
  'forget-parents': {
    type: 'boolean',
    default: false,
    describe: 'Forget which request caused which call, so that reconstruct must find it',
  },
  force: { type: 'boolean', default: false, describe: 'Replace an earlier import' },
  json: { type: 'boolean', default: false, describe: 'Print what was imported as JSON' },
} as const;

export const command = 'import <files..>';
export const describe = 'Bring in spans of other tracers, to reconstruct them like a recording';

export function builder(args: Argv) {
  return args
    .positional('files', {
      type: 'string',
      array: true,
      demandOption: true,
      describe: 'Files of spans: JSON or one JSON text per line, plain or gzip',
    })
    .options(OPTIONS)
    .example('$0 import --from otlp traces.jsonl.gz --out spans', 'then: reconstruct spans')
    .epilogue(EXIT_CODE_HELP);
}

type Args = Awaited<ReturnType<typeof builder>['argv']> & { quiet?: boolean };

function summary(result: ImportResult): string {
  const { internalSpans, duplicateSpans, missingParents } = result;
  const skipped = [
    internalSpans > 0 ? `${plural(internalSpans, 'span')} of work inside a service` : '',
    duplicateSpans > 0 ? plural(duplicateSpans, 'duplicate') : '',
  ].filter((text) => text !== '');
  const lines = [
    `${plural(result.traces, 'trace')} · ${plural(result.spans, 'span')} · ${plural(result.services, 'service')}`,
    `${plural(result.serverExchanges + result.clientExchanges, 'exchange')}: ${formatCount(result.serverExchanges)} answered, ${formatCount(result.clientExchanges)} called (${formatCount(result.madeExchanges)} made from the other end) · ${plural(result.hops, 'hop')}`,
    result.parentsKept
      ? `links of calls: ${formatCount(result.statedLinks)} stated by the file`
      : `links of calls: ${formatCount(result.statedLinks)} stated by the file, all forgotten`,
  ];
  if (skipped.length > 0) lines.push(`left out: ${skipped.join(', ')}`);
  if (missingParents > 0)
    lines.push(`${plural(missingParents, 'span')} without the parent they name`);
  return lines.join('\n');
}

function warn(voice: Voice, { problems, badCount }: ImportResult): void {
  for (const { file, line, reason } of problems) {
    voice.warn(`${visible(line === 0 ? file : `${file}:${line}`)}: ${visible(reason)}`);
  }
  const more = badCount - problems.length;
  if (more > 0) voice.warn(`${formatCount(more)} more lines or spans could not be used`);
}

export async function handler(args: Args): Promise<number> {
  const { importSpans } = await import('../../import/import.js');
  const voice = createVoice(args.quiet ?? false);
  const interrupt = onInterrupt();
  const result = await importSpans({
    format: args.from,
    files: args.files,
    output: args.out,
    forgetParents: args.forgetParents,
    force: args.force,
    onProgress: (spans) => voice.progress(`${formatCount(spans)} spans`),
    signal: interrupt.signal,
  }).catch((error: unknown) => {
    if (interrupt.code() === 0) throw error;
    reportError(new CodedError('INTERRUPTED', 'interrupted; nothing was written.'), false);
    return undefined;
  });
  if (result === undefined) return interrupt.code();
  voice.endProgress();
  warn(voice, result);
  print(args.json ? JSON.stringify(result, null, 2) : summary(result));
  return result.badCount > 0 ? ExitCode.partial : ExitCode.ok;
}
