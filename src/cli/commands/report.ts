import { join } from 'node:path';
import type { Argv } from 'yargs';
import { CodedError } from '../../model/errors.js';
import { EXIT_CODE_HELP, ExitCode } from '../exit-codes.js';
import { createVoice, print, visible } from '../output.js';
import { parseWindow } from '../window.js';

const OPTIONS = {
  html: { type: 'string', describe: 'Write the HTML report here' },
  markdown: { type: 'string', describe: 'Write the Markdown report here (- is stdout)' },
  incident: { type: 'string', describe: 'FROM..TO of the incident (default: what stands out)' },
  baseline: {
    type: 'string',
    default: 'auto',
    describe: 'FROM..TO to compare with, or auto: the time before',
  },
  'max-traces': { type: 'number', default: 200, describe: 'Traces embedded in the HTML at most' },
  'max-spans': { type: 'number', default: 100_000, describe: 'Spans embedded in the HTML at most' },
  force: { type: 'boolean', default: false, describe: 'Replace existing files' },
  'fail-on': {
    choices: ['incident'] as const,
    describe: 'Exit with 4 when the report finds an incident',
  },
} as const;

export const command = 'report <reconstruction>';
export const describe = 'Write an incident report (HTML, Markdown) from a reconstruction';

export function builder(args: Argv) {
  return args
    .positional('reconstruction', {
      type: 'string',
      demandOption: true,
      describe: 'Directory that `reconstruct --out` wrote',
    })
    .options(OPTIONS)
    .example('$0 report out', 'write out/report.html and out/report.md')
    .example(
      '$0 report out --markdown - --incident 12:00..12:10',
      'Markdown of ten minutes to stdout',
    )
    .epilogue(EXIT_CODE_HELP);
}

type Args = Awaited<ReturnType<typeof builder>['argv']> & { quiet?: boolean };

/** Where the files go: next to the reconstruction unless the user says otherwise. */
function outputs(args: Args): { html?: string; markdown?: string } {
  if (args.html === undefined && args.markdown === undefined) {
    return {
      html: join(args.reconstruction, 'report.html'),
      markdown: join(args.reconstruction, 'report.md'),
    };
  }
  return {
    ...(args.html === undefined ? {} : { html: args.html }),
    ...(args.markdown === undefined ? {} : { markdown: args.markdown }),
  };
}

export async function handler(args: Args): Promise<number> {
  const { report } = await import('../../report/report.js');
  if (args.html === '-') throw new CodedError('USAGE', 'HTML goes to a file.', '--html');
  const voice = createVoice(args.quiet ?? false);
  const now = Date.now();
  // Reports that were made beside the reconstruction before are ours to replace.
  const isOwnPlace = args.html === undefined && args.markdown === undefined;
  const result = await report({
    input: args.reconstruction,
    ...outputs(args),
    ...(args.incident === undefined
      ? {}
      : { incident: parseWindow('--incident', args.incident, now) }),
    ...(args.baseline === 'auto'
      ? {}
      : { baseline: parseWindow('--baseline', args.baseline, now) }),
    maxTraces: args.maxTraces,
    maxSpans: args.maxSpans,
    force: args.force || isOwnPlace,
  });
  for (const note of result.notes) voice.note(visible(note));
  if (args.markdown !== '-') {
    print(visible(result.verdict));
    for (const file of result.files) print(`wrote ${file}`);
  }
  return args.failOn === 'incident' && result.culprit !== undefined
    ? ExitCode.finding
    : ExitCode.ok;
}
